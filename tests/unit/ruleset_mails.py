"""Builders for the tests of ruleset."""

import json
from typing import Any

from hypothesis import strategies as st

from bouncer.rules.fields import FIELDS, Field, Kind
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset

NAMES = ["ann", "ann+news", "bob", "Ann", "stra\u00dfe", "\u017fam", "K\u212a", "jo\u0308rg"]


DOMAINS = [
    "example.com",
    "mail.example.com",
    "Partner.Example",
    "a.b.partner.example",
    "b\u00fccher.example",
    "mail.Bu\u0308cher.example",
    "xn--bcher-kva.example",
    "stra\u00dfe.example",
]


WORDS = [
    "invoice",
    "INVOICE",
    "offer",
    "stra\u00dfe",
    "STRASSE",
    "\u0130stanbul",
    "\u017fale",
    "\ud800",
    "a+b",
    "cafe\u0301",
    "Caf\u00e9",
    "of\u00adfer",
    "\ufb03x",
    "\u1f80",
    "in\u200bvoice",
    "\u0130\u00df",
]


HEADERS = ["List-Id", "X-Trait", "Precedence"]


addresses = st.builds("{}@{}".format, st.sampled_from(NAMES), st.sampled_from(DOMAINS))


well_formed = st.sampled_from([word for word in WORDS if word != "\ud800"])


def listed(one: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return one | st.lists(one, min_size=1, max_size=3)


def negatable(one: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return listed(one | listed(one).map(lambda spec: {"not": spec}))


def matchers(
    plain: st.SearchStrategy[str], parts: st.SearchStrategy[str]
) -> st.SearchStrategy[Any]:
    mapped = st.tuples(
        st.sampled_from(["contains", "starts_with", "ends_with"]), listed(parts)
    ).map(lambda pair: {pair[0]: pair[1]})
    regexes = st.sampled_from(
        ["^inv", "o(ff|n)er", "s.le$", r"\bann\b", "a+", "^$", "[^+]+@", "caf\u00e9", "r i"]
    )
    return negatable(plain | mapped | listed(regexes).map(lambda patterns: {"regex": patterns}))


address_patterns = addresses | st.sampled_from(
    [
        "*@example.com",
        "ann*@*",
        "*@*.example",
        "?nn@example.com",
        "*+*@example.com",
        "*news@example.com",
        "*@b\u00fccher.example",
        "j?rg@*",
    ]
)


domain_patterns = st.sampled_from(
    [*DOMAINS, ".example.com", ".partner.example", "*.example", ".com", ".b\u00fccher.example"]
)


plain_texts = well_formed | st.sampled_from(
    [
        *("*invoice*", "of?er", "", "*", "invoice *", "stra?e", "stra??e", "*?", "?*s", "??x"),
        *("\u00df?", "?*?*?", "s?", "*s?*", "i?*", "?invoice", "caf?", "?\u0308*", "f?x"),
    ]
)


address_matchers = matchers(
    address_patterns, st.sampled_from(["ann", "@example", ".com", "+", "NEWS"])
)


recipient_matchers = matchers(  # a recipient beyond ASCII is refused: SES takes none
    address_patterns.filter(lambda pattern: pattern.rpartition("@")[0].isascii()),
    st.sampled_from(["ann", "@example", ".com", "+", "NEWS"]),
)


domain_matchers = matchers(domain_patterns, st.sampled_from(["example", ".com", "partner"]))


text_matchers = matchers(plain_texts, well_formed)


networks = negatable(
    st.sampled_from(["192.0.2.0/24", "192.0.2.64/26", "0.0.0.0/0", "192.0.2.9", "2001:db8::/32"])
)


clocks = st.sampled_from(["00:00", "08:00", "12:30", "18:00", "23:59"])


windows = st.fixed_dictionaries(
    {"days": st.lists(st.sampled_from(["mon", "wed", "sun"]), min_size=1, unique=True)},
    optional={
        "between": st.lists(clocks, min_size=2, max_size=2, unique=True),
        "zone": st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Auckland"]),
    },
)


counts = negatable(
    st.integers(0, 3) | st.sampled_from([{"over": 1}, {"under": 2}, {"over": 0, "under": 3}])
)


headers = st.dictionaries(
    st.sampled_from(HEADERS), st.booleans() | text_matchers, min_size=1, max_size=2
)


def specs(field: Field) -> st.SearchStrategy[Any]:
    """All that a rule may compare a field with."""
    match field.kind:
        case Kind.ADDRESS if field.recipient_values:
            return recipient_matchers
        case Kind.ADDRESS:
            return address_matchers | st.just("") if field.may_be_empty else address_matchers
        case Kind.DOMAIN:
            return domain_matchers
        case Kind.TEXT:
            return text_matchers
        case Kind.HEADER:
            return headers
        case Kind.WORD:
            return negatable(st.sampled_from(field.words))
        case Kind.NETWORK:
            return networks
        case Kind.NUMBER:
            return counts
        case Kind.WINDOW:
            return listed(windows)


fields = {name: specs(field) for name, field in FIELDS.items()}


conditions: st.SearchStrategy[dict[str, Any]] = st.deferred(
    lambda: (
        st.lists(st.sampled_from(sorted(fields)), min_size=1, max_size=2, unique=True).flatmap(
            lambda keys: st.fixed_dictionaries({key: fields[key] for key in keys})
        )
        | st.fixed_dictionaries({"all": st.lists(conditions, min_size=1, max_size=2)})
        | st.fixed_dictionaries({"any": st.lists(conditions, min_size=1, max_size=2)})
        | st.fixed_dictionaries({"not": listed(conditions)})
    )
)


dates = st.sampled_from(["2026-11-01", "2026-11-10", "2026-11-20"])


documents = st.fixed_dictionaries(
    {"reject": st.just({"type": "Undefined"})},
    optional={
        "when": conditions,
        "unless": conditions,
        "mode": st.sampled_from(["enforce", "shadow", "off"]),
        "from": st.just("2026-11-05"),
        "until": dates.filter(lambda text: text > "2026-11-05"),
    },
)


rulesets = st.lists(documents, min_size=1, max_size=6).map(
    lambda found: {f"{index:03d}-rule": document for index, document in enumerate(found)}
)


def compiled(found: dict[str, dict[str, Any]]) -> Ruleset:
    return Ruleset(read_rule(name, json.dumps(document)) for name, document in found.items())
