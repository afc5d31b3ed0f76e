"""The compiled ruleset: it agrees with the oracle, never raises, and first match wins."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import re2
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from bouncer.mail.message import VERDICTS, Message, read_record
from bouncer.rules.fields import FIELDS, Field, Kind
from bouncer.rules.rule import Rule
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset
from bouncer.rules.text_index import PatternSet
from tests import oracle

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
BLANKS = [" ", "\u00a0", "  ", "\t", "\u3000"]
HEADERS = ["List-Id", "X-Trait", "Precedence"]
VERDICT_WORDS = ["pass", "fail", "gray", "absent"]

addresses = st.builds("{}@{}".format, st.sampled_from(NAMES), st.sampled_from(DOMAINS))
texts = st.builds(str.join, st.sampled_from(BLANKS), st.lists(st.sampled_from(WORDS), max_size=3))
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


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """An SES event record made of the same few words as the rules."""
    address = draw(st.sampled_from(["192.0.2.9", "192.0.2.70", "198.51.100.1", "2001:db8::5", "x"]))
    helo = draw(texts)
    headers = [
        (
            "Received",
            (
                f"from {helo} (rdns [{address}]) by inbound-smtp.eu-west-1.amazonaws.com "
                "with SMTP id m1 for x; d"
            ),
        ),
        *[(name, draw(texts)) for name in draw(st.lists(st.sampled_from(HEADERS), max_size=3))],
        *[("Subject", draw(texts)) for _ in range(draw(st.integers(0, 2)))],
        *[
            (name, draw(addresses))
            for name in draw(st.lists(st.sampled_from(["From", "To", "Cc", "Reply-To"])))
        ],
    ]
    moment = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(
        minutes=draw(st.integers(0, 30 * 24 * 60))
    )
    verdicts = {
        f"{name}Verdict": {"status": draw(st.sampled_from(VERDICT_WORDS)).upper()}
        for name in VERDICTS
    }
    return {
        "ses": {
            "mail": {
                "messageId": "m1",
                "source": draw(addresses | st.just("")),
                "timestamp": moment.isoformat() if draw(st.booleans()) else None,
                "headers": [{"name": name, "value": value} for name, value in headers],
            },
            "receipt": {
                "recipients": draw(st.lists(addresses, min_size=1, max_size=3)),
                "dmarcPolicy": draw(st.sampled_from(["reject", None])),
                **verdicts,
            },
        }
    }


def compiled(found: dict[str, dict[str, Any]]) -> Ruleset:
    return Ruleset(read_rule(name, json.dumps(document)) for name, document in found.items())


@settings(max_examples=80, suppress_health_check=list(HealthCheck))
@given(rulesets, st.lists(records(), min_size=1, max_size=4))
def test_agrees_with_the_oracle(found: dict[str, Any], mails: list[dict[str, Any]]) -> None:
    """For any rules and mail, the compiled ruleset decides as the obvious evaluator does."""
    ruleset = compiled(found)
    for record in mails:
        message = read_record(record)
        for recipient, decision in zip(message.recipients, ruleset.decisions(message), strict=True):
            decided = decision.rule.name if decision.rule else None
            expected = oracle.decide(found, message, recipient)
            assert (decided, [rule.name for rule in decision.shadow]) == expected
            assert ruleset.decide(message, recipient) == decision


def values(field: Field, message: Message) -> list[Any]:
    """The values of a field in a message, without the word for a missing verdict or policy."""
    if field.kind is Kind.HEADER:
        return [value for name in HEADERS for value in message.header(name.lower())]
    if field.recipient_values:
        return [each for address in message.recipients for each in field.recipient_values(address)]
    return [value for value in field.values(message) if value not in ("absent", "")]


@pytest.mark.parametrize("field", FIELDS.values(), ids=lambda field: field.name)
def test_the_oracle_is_asked_about_every_field(field: Field) -> None:
    """A new row takes part in the comparison: rules ask for it, mails have it, the oracle knows it.

    Two mails differ in it, so that a rule can match the one and not the other.
    """
    found = find(
        st.tuples(records(), records()),
        lambda pair: values(field, read_record(pair[0])) != values(field, read_record(pair[1])),
    )
    spec = find(fields[field.name], lambda _: True)
    for record in found:
        message = read_record(record)
        oracle.decide({"a": {"when": {field.name: spec}}}, message, message.recipients[0])


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(
    rulesets,
    st.text(max_size=40),
    st.lists(
        st.tuples(
            st.sampled_from(["Subject", "From", "To", "Received", "X-Trait"]), st.text(max_size=60)
        )
    ),
)
def test_deciding_never_raises(
    found: dict[str, Any], address: str, headers: list[tuple[str, str]]
) -> None:
    """No text in a mail, however odd, makes deciding fail."""
    message = read_record(
        {
            "ses": {
                "mail": {
                    "messageId": "m",
                    "source": address,
                    "headers": [{"name": name, "value": value} for name, value in headers],
                },
                "receipt": {"recipients": [address + "@x", "\ud800@\udfff"]},
            }
        }
    )
    assert len(compiled(found).decisions(message)) == len(message.recipients)


def mail(**fields: Any) -> Message:
    headers = [{"name": name, "value": value} for name, value in fields.pop("headers", {}).items()]
    return read_record(
        {
            "ses": {
                "mail": {
                    "messageId": "m1",
                    "source": "eve@partner.example",
                    "headers": headers,
                    **fields,
                },
                "receipt": {"recipients": ["ann@example.com"]},
            }
        }
    )


def rules(**documents: str) -> list[Rule]:
    return [read_rule(name, text) for name, text in documents.items()]


def test_first_enforced_match_in_name_order_wins() -> None:
    """Rules go by name, in whatever order given; a shadow match is recorded and passed over."""
    ruleset = Ruleset(rules(b="drop: {}", c="accept: {}", a='{"mode": "shadow", "drop": {}}'))
    decision = ruleset.decide(mail(), "ann@example.com")
    assert decision.rule is not None
    assert decision.rule.name == "b"
    assert [rule.name for rule in decision.shadow] == ["a"]


def test_a_failing_pattern_set_is_noticed() -> None:
    """When RE2 has no memory for a set it answers nothing; patterns are then tried one by one."""

    class Starved:
        def Match(self, text: str) -> list[int]:  # noqa: ARG002, N802  # as RE2 has it
            return []

    patterns = PatternSet([("inv", 7), ("offer", 9), ("inv", 8)], re2.Options())
    assert sorted(patterns.find("an invoice")) == [7, 8]
    patterns._set = Starved()  # noqa: SLF001  # the failure can't be provoked from outside
    assert sorted(patterns.find("an invoice")) == [7, 8]
    patterns._set = None  # noqa: SLF001  # as when the set could not even be compiled
    assert sorted(patterns.find("an offer")) == [9]


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+b",
        r"^(\w+\s?)*$",
        r"(x+x+)+y",
        r"(a|aa)+$",
        r"([a-z]+)*[0-9]",
        r"(.*)(.*)(.*)(.*)z",
        r"a{0,500}b",
    ],
)
def test_no_hostile_subject_stalls_a_pattern(pattern: str) -> None:
    """A subject of 100 KB takes milliseconds against patterns that stall a backtracking engine."""
    ruleset = compiled({"a": {"when": {"subject": {"regex": pattern}}, "drop": {}}})
    for subject in ("a" * 100_000, "a " * 50_000, "x" * 100_000):
        started = datetime.now(UTC)
        ruleset.decide(mail(headers={"Subject": subject}), "ann@example.com")
        assert datetime.now(UTC) - started < timedelta(seconds=0.5)
