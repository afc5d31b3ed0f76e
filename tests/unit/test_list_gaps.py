"""A text never has a gap: a row that lacks a column which a rule shows makes the rule unknown."""

from dataclasses import replace
from typing import Any

from bouncer.mail.content import Content
from bouncer.mail.message import Message
from bouncer.rules.ruleset import Ruleset
from tests.unit.ruleset_mails import compiled
from tests.unit.test_deciding import mail

_LIST = {
    "entries": [
        {"address": "ann@example.com", "to": "carl@example.com", "tel": "1"},
        {"address": "bob@example.com", "tel": "2"},
        "dora@example.com",
    ]
}


def rules(text: str, field: str = "recipient") -> Ruleset:
    first: dict[str, Any] = {"when": {field: {"in": "gone"}}, "reject": {"type": "Undefined"}}
    first["reject"]["message"] = text
    return compiled({"1": first, "2": {"when": {"spf": "fail"}, "drop": {}}}, {"gone": _LIST})


def decided(ruleset: Ruleset, message: Message, recipient: str) -> tuple[str | None, list[str]]:
    """The deciding rule, and the unknown ones before it."""
    found = ruleset.decide(message, recipient)
    return found.rule.name if found.rule else None, [rule.name for rule in found.unknown]


def test_a_row_with_a_gap_makes_the_rule_unknown() -> None:
    """For this recipient only; rules after it are asked."""
    ruleset = rules("Write to {gone.to}.")
    assert decided(ruleset, mail(), "ann@example.com") == ("1", [])
    assert decided(ruleset, mail(), "bob+x@example.com") == (None, ["1"])
    assert decided(ruleset, mail(), "dora@example.com") == (None, ["1"])
    assert decided(ruleset, mail(), "eve@example.com") == (None, [])


def test_columns_that_no_text_shows_may_be_empty() -> None:
    """Each rule is judged by its own text."""
    assert decided(rules("Call {gone.tel}."), mail(), "bob@example.com") == ("1", [])
    assert decided(rules("Call {gone.tel}."), mail(), "dora@example.com") == (None, ["1"])
    assert decided(rules("Gone."), mail(), "dora@example.com") == ("1", [])
    both = rules("Write to {gone.to} or call {gone.tel}.")
    assert decided(both, mail(), "bob@example.com") == (None, ["1"])


def test_the_first_value_whose_row_is_whole_is_shown() -> None:
    """A header may have several addresses."""
    ruleset = rules("Write to {gone.to}.", field="from")
    headers = {"From": "dora@example.com, bob@example.com, ann@example.com"}
    message = mail(headers=headers)
    decision = ruleset.decide(message, "x@example.com")
    assert ruleset.columns(message, decision) == {"gone.to": "carl@example.com"}
    assert decided(ruleset, mail(headers={"From": "bob@example.com"}), "") == (None, ["1"])


def test_a_column_of_a_list_asked_by_the_content_is_shown() -> None:
    """Though only the stored copy has the text; a gap counts there, too."""
    scams = {"kind": "words", "entries": [{"word": "lottery", "why": "a scam"}, "prize"]}
    rule = {
        "when": {"body": {"in": "scams"}},
        "reject": {"type": "ContentRejected", "message": "This is {scams.why}."},
    }
    ruleset = compiled({"1": rule}, {"scams": scams})
    known = replace(mail(), content=Content(b"Subject: x\r\n\r\nA lottery!\r\n"))
    decision = ruleset.decide(known, "ann@example.com")
    assert ruleset.columns(known, decision) == {"scams.why": "a scam"}
    gap = replace(mail(), content=Content(b"Subject: x\r\n\r\nA prize!\r\n"))
    assert decided(ruleset, gap, "ann@example.com") == (None, ["1"])
