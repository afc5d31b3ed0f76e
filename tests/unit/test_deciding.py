"""Deciding never raises, keeps the order of rules, and takes little time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import re2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bouncer.mail.content import Content
from bouncer.mail.field_values import Values
from bouncer.mail.message import Message, read_record
from bouncer.rules.rule import Rule
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset
from bouncer.rules.text_index import PatternSet
from tests.unit.ruleset_mails import (
    compiled,
    rulesets,
)


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


@pytest.mark.threat
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


class Counted(Content):
    """A content that counts the fields that are read."""

    def __init__(self) -> None:
        super().__init__(b"Subject: x\n\nHello")
        self.read: list[str] = []

    def of(self, field: str) -> Values:
        self.read.append(field)
        return super().of(field)


@pytest.mark.parametrize(
    ("first", "subject", "read"),
    [
        ({"when": {"subject": "a", "size": {"over": 3}}, "drop": {}}, "b", set()),
        ({"when": {"subject": "a", "size": {"over": 3}}, "drop": {}}, "a", {"size"}),
        ({"when": {"subject": "a"}, "accept": {}}, "a", set()),
        ({"when": {"subject": "a"}, "mode": "shadow", "drop": {}}, "a", {"body"}),
        ({"when": {"any": [{"subject": "a"}, {"size": {"over": 3}}]}, "drop": {}}, "a", set()),
    ],
)
def test_content_is_read_only_if_it_can_decide(
    first: dict[str, Any], subject: str, read: set[str]
) -> None:
    """A mail that no rule on content can concern, or that an earlier rule decides, is not read.

    The rule behind them asks for the body of mail from Bob, or of any in the case with shadow.
    """
    behind: dict[str, Any] = {"when": {"body": {"contains": "hello"}}, "drop": {}}
    if "body" not in read:
        behind["when"]["sender"] = "bob@partner.example"
    content = Counted()
    message = replace(mail(headers={"Subject": subject}), content=content)
    decision = compiled({"1": first, "2": behind}).decide(message, "ann@example.com")
    asked = {"size", "body"} if read == {"size"} else read
    assert set(content.read) <= asked
    assert read <= set(content.read)
    assert not decision.unknown
