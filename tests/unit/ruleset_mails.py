"""Builders for the tests of ruleset."""

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from bouncer.rules.fields import FIELDS, Field, Kind
from bouncer.rules.list_reader import read_list
from bouncer.rules.named_list import NamedList
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


# Lists of every kind; rules may ask any of them about any field, and one that does not exist.
LISTS: dict[str, dict[str, Any]] = {
    "people": {
        "kind": "addresses",
        "entries": ["Ann@example.com", "ann+news@partner.example", "j\u00f6rg@b\u00fccher.example"],
    },
    "hosts": {"kind": "domains", "entries": ["mail.example.com", "B\u00fccher.example"]},
    "places": {
        "kind": "domains",
        "subdomains": True,
        "entries": ["partner.example", "xn--bcher-kva.example"],
    },
    "networks": {
        "kind": "networks",
        "entries": ["192.0.2.0/26", "192.0.2.70", "2001:db8::/48", "198.51.100.0/24"],
    },
    "words": {"kind": "words", "entries": ["offer", "invoice Invoice", "STRASSE", "caf\u00e9"]},
}


HEADERS = ["List-Id", "X-Trait", "Precedence"]


addresses = st.builds("{}@{}".format, st.sampled_from(NAMES), st.sampled_from(DOMAINS))


well_formed = st.sampled_from([word for word in WORDS if word != "\ud800"])


in_lists = st.sampled_from([*LISTS, "missing"])


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
    return negatable(
        plain
        | mapped
        | listed(regexes).map(lambda patterns: {"regex": patterns})
        | listed(in_lists).map(lambda names: {"in": names})
    )


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


within = listed(st.sampled_from([*DOMAINS, "com", "example"])).map(lambda each: {"within": each})


address_matchers = negatable(within) | matchers(
    address_patterns, st.sampled_from(["ann", "@example", ".com", "+", "NEWS"])
)


recipient_matchers = negatable(
    within
) | matchers(  # a recipient beyond ASCII is refused: SES takes none
    address_patterns.filter(lambda pattern: pattern.rpartition("@")[0].isascii()),
    st.sampled_from(["ann", "@example", ".com", "+", "NEWS"]),
)


domain_matchers = negatable(within) | matchers(
    domain_patterns, st.sampled_from(["example", ".com", "partner"])
)


text_matchers = matchers(plain_texts, well_formed)


networks = negatable(
    st.sampled_from(["192.0.2.0/24", "192.0.2.64/26", "0.0.0.0/0", "192.0.2.9", "2001:db8::/32"])
    | listed(in_lists).map(lambda names: {"in": names})
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


sizes = negatable(
    st.sampled_from(
        [{"over": "1KB"}, {"under": 700}, {"over": 5, "under": "2KB"}, {"under": "1MB"}]
    )
)


headers = st.dictionaries(
    st.sampled_from(HEADERS), st.booleans() | text_matchers, min_size=1, max_size=2
)


OF_KIND: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.DOMAIN: domain_matchers,
    Kind.TEXT: text_matchers,
    Kind.HEADER: headers,
    Kind.NETWORK: networks,
    Kind.NUMBER: counts,
    Kind.SIZE: sizes,
    Kind.WINDOW: listed(windows),
}


def specs(field: Field) -> st.SearchStrategy[Any]:
    """All that a rule may compare a field with."""
    match field.kind:
        case Kind.ADDRESS if field.recipient_values:
            return recipient_matchers
        case Kind.ADDRESS:
            return address_matchers | st.just("") if field.may_be_empty else address_matchers
        case Kind.WORD:
            return negatable(st.sampled_from(field.words))
        case _:
            return OF_KIND[field.kind]


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


actions: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"reject": {"type": "Undefined"}},
        {"drop": {}},
        {"accept": {}},
        {"reply": {"from": "no-reply@example.com", "text": "Hello"}},
    ]
)


documents = st.builds(
    dict.__or__,
    actions,
    st.fixed_dictionaries(
        {},
        optional={
            "when": conditions,
            "unless": conditions,
            "mode": st.sampled_from(["enforce", "shadow", "off"]),
            "share": st.sampled_from(["0%", "10%", "50%", "90%", "100%"]),
            "at_most": st.just({"bounces": 100, "per": "1h"}),
            "from": st.just("2026-11-05"),
            "until": dates.filter(lambda text: text > "2026-11-05"),
        },
    ),
)


rulesets = st.lists(documents, min_size=1, max_size=6).map(
    lambda found: {f"{index:03d}-rule": document for index, document in enumerate(found)}
)


def compiled(
    found: dict[str, dict[str, Any]], lists: Mapping[str, Mapping[str, Any]] | None = None
) -> Ruleset:
    rules = (read_rule(name, json.dumps(document)) for name, document in found.items())
    named = {name: named_list(name, document) for name, document in (lists or {}).items()}
    return Ruleset(rules, named)


def named_list(name: str, document: Mapping[str, Any]) -> NamedList:
    return NamedList(read_list(json.dumps(document), document=name).form)
