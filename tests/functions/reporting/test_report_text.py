"""The text of a report: what needs a person first, 72 columns, and short on a quiet day."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from bouncer.held import Held
from bouncer.reporting.failures import FAILURES
from bouncer.reporting.journal_counts import QUERIES, Counts, DecisionCount, LineCount
from bouncer.reporting.period import day_until, days_until
from bouncer.reporting.report_json import report_values
from bouncer.reporting.report_text import WIDTH, report_text, subject
from bouncer.reporting.standing import InForce, Standing
from bouncer.rules.rule import Mode
from bouncer.sending.ending import Failure
from tests.functions.reporting.report_cases import (
    BUSY_COUNTS,
    BUSY_STANDING,
    LONG_NAME,
    QUIET,
    QUIET_STANDING,
    report,
)

UNKNOWN = Counts(None, None, None, None, None, None, ("the number of mails: no answer",))


def test_the_subject_says_the_essential() -> None:
    """A reader of no more than this line knows whether to read on."""
    assert subject(report()) == "[ses-auto-bouncer-main] 1,204 mails, 37 bounced, 5 need you"
    assert subject(QUIET) == "[ses-auto-bouncer-main] 0 mails, 0 bounced, nothing to do"
    one = report(standing=Standing(dead={"dead-letters": 1}))
    assert subject(one).endswith(", 1 needs you")


def test_a_subject_names_what_is_not_known() -> None:
    """No number is made up."""
    assert subject(report(UNKNOWN, Standing())) == (
        "[ses-auto-bouncer-main] mails not known, bounces not known, needs not known, incomplete"
    )
    assert report_text(report(UNKNOWN, Standing())).startswith("What needs you is not known.\n")
    assert subject(report(UNKNOWN, QUIET_STANDING)).endswith(", nothing to do, incomplete")
    partly = replace(QUIET_STANDING, dead={}, gaps=("the number of dead letters: no answer",))
    assert subject(report(standing=partly)).endswith(", needs not known, incomplete")


def test_the_report_of_a_quiet_day_is_short() -> None:
    """Nothing to do comes first, and no empty section follows."""
    assert report_text(QUIET) == (
        "Nothing to do.\n\n"
        "ses-auto-bouncer-main\n2026-11-27 07:00 to 2026-11-28 07:00 (Europe/Berlin)\n\n"
        "MAIL\n        0  came\n\n"
        "RULES\n  revision abababababab, mode enforce, 1 rule\n"
    )


def test_what_needs_a_person_comes_first_with_the_next_step() -> None:
    """Each state that lasts until somebody ends it has a command or a section."""
    first = report_text(report()).partition("\n\nses-auto-bouncer-main\n")[0]
    assert first == (
        "5 things need you.\n\n"
        "1. 3 jobs are dead letters\n   bouncer jobs list --deployment main\n\n"
        "2. sending is held since 2026-11-28 06:00 UTC by ann (a bad rule)\n"
        "   bouncer resume --deployment main\n\n"
        "3. rule 310-too-many is braked and only records\n"
        "   bouncer rules release 310-too-many --deployment main\n\n"
        "4. a document is refused: rules/300-x:1: when.sender: found 1, expected\n"
        "   an address\n   see docs/operations.md#invalid-rules\n\n"
        "5. alarm ses-auto-bouncer-main-oldest-job-12h is in ALARM\n"
        "   see docs/operations.md#oldest-job-12h"
    )


def test_the_counts_follow() -> None:
    """Mails and what became of them, by rule and by reason."""
    text = report_text(report())
    for line in (
        "    1,204  came",
        "      260  were stopped",
        "        4  went on though rejected: unverifiable 3, headers_truncated 1",
        "       56  recipients rejected",
        "       37  bounces sent",
        "BY RULE                      matched  bounced  replied withheld recorded",
        "200-departed                      44       37        -        4        -",
        "250-out-of-office                  -        -        8        5        -",
        "360-sales-pitches                  -        -        -        -       17",
        "        5  replied_before  250-out-of-office",
        "       12  unauthenticated",
        f"           {LONG_NAME}",
        "        4  automatic  200-departed",
        "        3  bounces wait\n           the oldest for 2 h 10 min",
        (
            "        3  bounces bounced for good\n"
            "           their senders get none for a while; to end that:\n"
            "           bouncer forget ADDRESS --deployment main\n"
            "        2  bounces withheld by a cap"
        ),
        "        1  bounces that a cap took recipients out of",
        "        1  bounces that SES may have sent or not",
        "           see docs/operations.md#unknown-outcomes",
        (
            "        2  mails that went on, as the intake failed\n"
            "           bouncer doctor --deployment main"
        ),
        "  without a match: 330-blocked-networks",
    ):
        assert f"{line}\n" in text, line


@pytest.mark.threat
def test_every_line_fits_and_nothing_steers_a_terminal() -> None:
    """Operators' words, names of any length and many rules included."""
    hostile = "\x1b[31m" + "x" * 300 + "\r\n\u202e"
    cause = Held(since=None, by=hostile, why=hostile, document="held")
    in_force = InForce(
        revision="ab" * 32,
        mode=Mode.SHADOW,
        causes=(cause,),
        problems=(hostile,) * 30,
        rules=tuple(f"{number}-{'y' * 90}" for number in range(50)),
    )
    many = tuple(DecisionCount("reject", f"{n}-{'z' * 100}", "lists", n) for n in range(1, 60))
    counts = BUSY_COUNTS._replace(decisions=many, gaps=(hostile,))
    text = report_text(report(counts, Standing(in_force=in_force)))
    lines = text.split("\n")
    assert all(line.isprintable() for line in lines)
    assert max(map(len, lines)) <= WIDTH
    assert "and 43 more rules" in text
    assert len(lines) < 400


def test_a_gap_is_said_and_the_rest_reported() -> None:
    """A missing permission costs one section, not the report."""
    counts = BUSY_COUNTS._replace(decisions=None, gaps=("the decisions by rule: allow it in IAM",))
    text = report_text(report(counts, QUIET_STANDING))
    assert text.startswith("Nothing to do.\n")
    assert "NOT KNOWN\n  the decisions by rule: allow it in IAM\n" in text
    assert "    1,204  came\n" in text


def test_in_mode_shadow_nothing_was_rejected() -> None:
    """A trial is told from what was done, also on the day on which it ends."""
    in_force = InForce(revision="ab" * 32, mode=Mode.SHADOW)
    decisions = (
        DecisionCount("reject", "200-departed", "", 40, "shadow"),
        DecisionCount("reject", "200-departed", "", 2, "enforce"),
        DecisionCount("", "", "", 7, "shadow"),
    )
    found = report(
        BUSY_COUNTS._replace(decisions=decisions), replace(QUIET_STANDING, in_force=in_force)
    )
    assert subject(found).endswith(", 37 bounced, nothing to do, mode shadow")
    for line in (
        "        2  recipients rejected\n",
        "       40  recipients that would be rejected (mode shadow)\n",
        "        7  recipients without a matching rule (mode shadow)\n",
    ):
        assert line in report_text(found)


@pytest.mark.parametrize(
    ("missing", "row", "unknown"),
    [
        ("decisions", ("?", "37", "-", "?", "-"), {"matched", "withheld"}),
        ("jobs", ("44", "?", "-", "?", "-"), {"bounced", "withheld"}),
        ("replies", ("44", "37", "?", "?", "-"), {"replied", "withheld"}),
        ("shadows", ("44", "37", "-", "4", "?"), {"recorded"}),
    ],
)
def test_a_column_that_is_not_known_is_not_zero(
    missing: str, row: tuple[str, ...], unknown: set[str]
) -> None:
    """Each query that failed costs the columns that need it."""
    found = report(BUSY_COUNTS._replace(**cast("Any", {missing: None})))
    (line,) = [each for each in report_text(found).split("\n") if each.startswith("200-departed  ")]
    assert tuple(line.split()[1:]) == row
    values = report_values(found)
    (rule,) = [each for each in values["rules"] if each["rule"] == "200-departed"]
    assert {name for name, value in rule.items() if value is None} == unknown
    assert (values["withheld"] is None) == ("withheld" in unknown)


def test_rules_without_a_match_are_named_only_if_that_is_known() -> None:
    """Not without mail, nor where a query has no answer or too many rows."""
    assert report().unmatched_rules == ("330-blocked-networks",)
    for counts in (
        BUSY_COUNTS._replace(mails=()),
        BUSY_COUNTS._replace(shadows=None),
        BUSY_COUNTS._replace(cut=True),
    ):
        assert report(counts).unmatched_rules is None


def test_an_alarm_is_named_where_the_queue_could_not_be_asked() -> None:
    """Dead letters are a need by their number, or else by their alarm."""
    (need,) = report(standing=Standing(alarms=("dead-letters",))).needs
    assert need.step == "see docs/operations.md#dead-letters"


def test_an_alarm_is_left_out_only_if_its_need_is_said() -> None:
    """The alarm may know more than the pointer: a change since then, or one on its way."""
    in_force = InForce(revision="ab" * 32, mode=Mode.ENFORCE, sending=False)
    alarms = ("held", "invalid-rules")
    found = report(standing=replace(QUIET_STANDING, in_force=in_force, alarms=alarms)).needs
    assert [(need.what, need.step) for need in found] == [
        ("sending is paused by the settings", "bouncer resume --deployment main"),
        (
            "alarm ses-auto-bouncer-main-invalid-rules is in ALARM",
            "see docs/operations.md#invalid-rules",
        ),
    ]


def test_every_kind_of_failure_has_a_row() -> None:
    """Each reason of a failed job is counted once, and by no other row."""
    of_jobs = [("failed", reason) for reason in set(Failure) - {Failure.UNREADABLE}]
    for event, reason in (*of_jobs, *(("reply_failed", reason) for reason in Failure)):
        line = LineCount(event, reason, "", "", 1, 0, 0)
        assert sum(row.fits(line) for row in FAILURES) == 1, reason


def test_every_event_of_a_failure_is_asked_for() -> None:
    """A row whose event is in no query would never be seen."""
    (text,) = [query.text for query in QUERIES if "intake_failed" in query.text]
    for row in FAILURES:
        assert f'"{row.event}"' in text, row
    asked = set(re.findall(r'"(\w+_failed|documents_stale)"', text))
    assert asked <= {row.event for row in FAILURES}


def test_days_end_at_the_same_time_by_the_clock() -> None:
    """The day on which clocks are put back has 25 hours, and no hour is in two reports."""
    day = day_until(datetime(2026, 10, 25, 6, tzinfo=UTC), "Europe/Berlin")
    assert (day.end - day.start).total_seconds() == 25 * 3600
    assert day.start == datetime(2026, 10, 24, 5, tzinfo=UTC)
    assert str(day) == "2026-10-24 07:00 to 2026-10-25 07:00 (Europe/Berlin)"
    assert (days_until(day.end, 7, "UTC").start).day == 18


def test_json_has_all_of_it() -> None:
    """Programs read what people read; null is what is not known."""
    values = json.loads(json.dumps(report_values(report())))
    assert (values["mails"], values["bounces"], len(values["needs"])) == (1204, 37, 5)
    assert values["rules"][0] == {
        "rule": "200-departed",
        "matched": 44,
        "bounced": 37,
        "replied": 0,
        "withheld": 4,
        "recorded": 0,
    }
    assert values["unmatched_rules"] == ["330-blocked-networks"]
    empty = report_values(report(UNKNOWN, Standing()))
    assert (empty["mails"], empty["rules"], empty["held"]) == (None, None, None)
    assert empty["gaps"] == ("the number of mails: no answer",)
    assert report_values(report(standing=BUSY_STANDING))["dead"]["dead-letters"] == 3
