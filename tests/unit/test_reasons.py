"""The reasons: their rows, the guard's checks and docs/flow.md say the same."""

import re
from pathlib import Path

from bouncer import guard
from bouncer.reasons import ANSWER_CLASSES, GATE_REASONS, GUARD_REASONS, REPLIER_REASONS, Reason

FLOW = (Path(__file__).parents[2] / "docs" / "flow.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """The cells of the rows in the section with this heading."""
    section = re.split(r"^## ", FLOW.partition(f"\n## {heading}\n")[2], flags=re.MULTILINE)[0]
    rows = re.findall(r"^\| (`.*) \|$", section, re.MULTILINE)
    return [row.split(" | ") for row in rows]


def test_the_page_shows_the_rows_of_the_guard() -> None:
    """Each reason with its sentence and the class that waives it, in the order of the checks."""
    rows = [[f"`{each}`", each.when, waiver(each)] for each in GUARD_REASONS]
    assert table("Guard") == rows


def waiver(reason: Reason) -> str:
    """The last cell of a reason's row."""
    if not reason.waived_by:
        return "never"
    limit = ", if SPF or DMARC vouches for the sender" if reason.if_vouched else ""
    return f"`answer: {reason.waived_by}`{limit}"


def test_the_page_shows_the_rows_of_the_gate() -> None:
    """Each reason with its sentence, in the order in which the gate looks for them."""
    assert table("Gate") == [[f"`{reason}`", reason.when] for reason in GATE_REASONS]


def test_every_reason_of_the_guard_has_a_check() -> None:
    """Checks run in the order of the rows, so that the page says which reason is reported."""
    assert tuple(guard.CHECKS) == GUARD_REASONS


def test_a_reason_is_its_word() -> None:
    """Logs, metrics and replay print the word; each row stands with who looks for it."""
    assert {str(reason): reason for reason in Reason} == {reason.value: reason for reason in Reason}
    assert all(reason.name == reason.upper() for reason in Reason)
    assert (*GUARD_REASONS, *GATE_REASONS, *REPLIER_REASONS) == tuple(Reason)


def test_classes_of_answer_come_from_the_rows() -> None:
    """The most harmless class about a sender is named first; the one about us stands last."""
    assert ANSWER_CLASSES == ("lists", "automatic", "unauthenticated", "spam", "truncated")


def test_missing_knowledge_says_nothing_about_the_sender() -> None:
    """Cut headers, missing verdicts, time and our limits aren't the sender's doing; the rest is."""
    assert [str(reason) for reason in Reason if not reason.about_sender] == [
        "headers_truncated",
        "unverifiable",
        "invalid_recipient",
        "held",
        "not_kept",
        "expired",
        "duplicate",
        "capped",
        "braked",
        "replied_before",
    ]


def test_what_says_nothing_about_the_sender_is_looked_for_last() -> None:
    """So it is reported, and the mail goes on for it, only if no other reason applies."""
    about = [reason.about_sender for reason in GUARD_REASONS]
    assert about == sorted(about, reverse=True)
