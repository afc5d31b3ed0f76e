"""Reports for tests: of a busy day, and of one on which nothing happened."""

from datetime import UTC, datetime

from bouncer.held import Held
from bouncer.reporting.journal_counts import (
    Counts,
    DecisionCount,
    JobCount,
    LineCount,
    MailCount,
    ShadowCount,
)
from bouncer.reporting.period import day_until
from bouncer.reporting.report import Report
from bouncer.reporting.standing import InForce, Standing
from bouncer.rules.rule import Mode

END = datetime(2026, 11, 28, 6, tzinfo=UTC)
PERIOD = day_until(END, "Europe/Berlin")
NAME = "ses-auto-bouncer-main"
LONG_NAME = "900-unknown-mailbox-with-a-name-longer-than-its-column"

BUSY_COUNTS = Counts(
    mails=(
        MailCount("CONTINUE", "", 940),
        MailCount("STOP_RULE_SET", "", 260),
        MailCount("CONTINUE", "unverifiable", 3),
        MailCount("CONTINUE", "headers_truncated", 1),
    ),
    decisions=(
        DecisionCount("reject", "200-departed", "", 40),
        DecisionCount("reject", "200-departed", "automatic", 4),
        DecisionCount("reject", LONG_NAME, "unauthenticated", 12),
        DecisionCount("drop", "100-virus", "", 2),
        DecisionCount("accept", "060-partners", "", 30),
        DecisionCount("", "", "", 900),
    ),
    shadows=(ShadowCount("360-sales-pitches", 17),),
    jobs=(JobCount("sent", "", "200-departed", 37), JobCount("withheld", "capped", LONG_NAME, 2)),
    replies=(
        JobCount("replied", "", "250-out-of-office", 8),
        JobCount("reply_withheld", "replied_before", "250-out-of-office", 5),
    ),
    lines=(
        LineCount("sent", "", "", "", 37, 1, 0),
        LineCount("withheld", "capped", "", "", 2, 0, 0),
        LineCount("bounce_bounced", "", "permanent", "", 3, 0, 0),
        LineCount("failed", "unknown", "", "", 1, 0, 0),
        LineCount("intake_failed", "", "", "rules", 2, 0, 0),
    ),
)
BUSY_STANDING = Standing(
    waiting=3,
    oldest_s=7800,
    dead={"dead-letters": 3, "lost-feedback": 0},
    alarms=("dead-letters", "oldest-job-12h", "held"),
    in_force=InForce(
        revision="ab" * 32,
        mode=Mode.ENFORCE,
        causes=(Held(since=END, by="ann", why="a bad rule", document="held"),),
        problems=("rules/300-x:1: when.sender: found 1, expected an address",),
        braked=("310-too-many",),
        rules=("200-departed", "330-blocked-networks", "360-sales-pitches"),
    ),
)
QUIET_STANDING = Standing(
    waiting=0,
    dead={"dead-letters": 0},
    alarms=(),
    in_force=InForce(revision="ab" * 32, mode=Mode.ENFORCE, rules=("200-departed",)),
)


def report(counts: Counts = BUSY_COUNTS, standing: Standing = BUSY_STANDING) -> Report:
    return Report(deployment=NAME, period=PERIOD, counts=counts, standing=standing)


QUIET = report(Counts((), (), (), (), (), ()), QUIET_STANDING)
