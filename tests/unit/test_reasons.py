"""The reasons: their rows, the guard's checks and docs/flow.md say the same."""

import re
from pathlib import Path

from bouncer import guard
from bouncer.reasons import ANSWER_CLASSES, GATE_REASONS, GUARD_REASONS, Reason

FLOW = (Path(__file__).parents[2] / "docs" / "flow.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """The cells of the rows in the section with this heading."""
    section = re.split(r"^## ", FLOW.partition(f"\n## {heading}\n")[2], flags=re.MULTILINE)[0]
    rows = re.findall(r"^\| (`.*) \|$", section, re.MULTILINE)
    return [row.split(" | ") for row in rows]


def test_the_page_shows_the_rows_of_the_guard() -> None:
    """Each reason with its sentence and the class that waives it, in the order of the checks."""
    waivers = {
        reason: f"`answer: {reason.waived_by}`" if reason.waived_by else "never"
        for reason in GUARD_REASONS
    }
    assert table("Guard") == [[f"`{each}`", each.when, waivers[each]] for each in GUARD_REASONS]


def test_the_page_shows_the_rows_of_the_gate() -> None:
    """Each reason with its sentence, in the order in which the gate looks for them."""
    assert table("Gate") == [[f"`{reason}`", reason.when] for reason in GATE_REASONS]


def test_every_reason_of_the_guard_has_a_check() -> None:
    """Checks run in the order of the rows, so that the page says which reason is reported."""
    assert tuple(guard.CHECKS) == GUARD_REASONS


def test_a_reason_is_its_word() -> None:
    """Logs, metrics and replay print the word; each row stands with guard or gate."""
    assert {str(reason): reason for reason in Reason} == {reason.value: reason for reason in Reason}
    assert all(reason.name == reason.upper() for reason in Reason)
    assert (*GUARD_REASONS, *GATE_REASONS) == tuple(Reason)


def test_classes_of_answer_come_from_the_rows() -> None:
    """The most harmless class is named first."""
    assert ANSWER_CLASSES == ("lists", "automatic", "unauthenticated", "spam")


def test_missing_knowledge_says_nothing_about_the_sender() -> None:
    """Cut headers, time and our own limits are not the sender's doing; all else in a mail is."""
    assert [str(reason) for reason in Reason if not reason.about_sender] == [
        "headers_truncated",
        "expired",
        "duplicate",
        "capped",
        "paused",
    ]
