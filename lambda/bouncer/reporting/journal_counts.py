"""The counts of a report: the queries that ask for them, and what their rows mean.

The journal's fields are those of docs/flow.md. CloudWatch Logs finds the first 200 fields of a line
by itself, and a mail may have more, so queries about mails parse the line. A job that was delivered
again has its outcome in several lines; those after the first have `again`.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from bouncer.reporting.journal_query import Answer, JournalQuery, Row, number_of, text_of

_MAILS = JournalQuery(
    "the number of mails",
    """
filter message = "mail"
| fields jsonParse(@message) as line
| stats count(*) as mails by line.disposition as disposition, line.went_on as went_on
""",
    "mails",
)
_DECISIONS = JournalQuery(
    "the decisions by rule",
    """
filter message = "mail"
| fields jsonParse(@message) as line
| unnest line.decisions into decision
| stats count(*) as recipients by decision.action as action, decision.rule as rule,
    decision.withheld as reason, line.mode as mode
| sort recipients desc
| limit 10000
""",
    "recipients",
)
_SHADOWS = JournalQuery(
    "the matches of rules in mode shadow",
    """
filter message = "mail" and @message like /"ShadowMatches":/
| fields jsonParse(@message) as line
| unnest line.decisions into decision
| unnest decision.shadow into rule
| stats count(*) as recipients by rule
| sort recipients desc
| limit 10000
""",
    "recipients",
)
_JOBS = JournalQuery(
    "the bounces by rule",
    """
filter message in ["sent", "withheld"] and not ispresent(again)
| fields jsonParse(@message) as line
| unnest line.rules into rule
| stats count(*) as jobs by message, reason, rule
| sort jobs desc
| limit 10000
""",
    "jobs",
)
_REPLIES = JournalQuery(
    "the replies by rule",
    """
filter message in ["replied", "reply_withheld"] and not ispresent(again)
| stats count(*) as jobs by message, reason, rule
| sort jobs desc
| limit 10000
""",
    "jobs",
)
_LINES = JournalQuery(
    "what the functions did and what failed",
    """
filter message in ["sent", "withheld", "failed", "unreadable_job", "bounce_bounced",
    "breaker_tripped", "intake_failed", "copy_failed", "worker_failed", "feedback_failed",
    "publishing_failed", "documents_stale", "report_failed", "replied", "reply_withheld",
    "reply_failed", "replier_failed", "reply_not_queued"] and not ispresent(again)
| stats count(*) as times, count(capped.0) as capped, count(braked_recipients.0) as braked
    by message, reason, kind, stage
""",
    "times",
)


class MailCount(NamedTuple):
    """Mails by SES's disposition and the reason for which a rejected one went on, or ""."""

    disposition: str
    went_on: str
    mails: int


class DecisionCount(NamedTuple):
    """Recipients by action, rule and the guard's reason to withhold the bounce; "" for none.

    `mode` is that of the deployment: in shadow nothing was done of what was decided.
    """

    action: str
    rule: str
    reason: str
    recipients: int
    mode: str = "enforce"


class ShadowCount(NamedTuple):
    """Recipients that a rule matched and that it did not decide about."""

    rule: str
    recipients: int


class JobCount(NamedTuple):
    """Bounces by event (`sent` or `withheld`), reason and rule; one of two rules counts for both.

    Replies have the events `replied` and `reply_withheld`, and one rule each.
    """

    event: str
    reason: str
    rule: str
    jobs: int


class LineCount(NamedTuple):
    """Lines by event, with what an event has of `reason`, `kind` and `stage`.

    Of so many jobs a cap, or a brake, took recipients out.
    """

    event: str
    reason: str
    kind: str
    stage: str
    times: int
    capped: int
    braked: int


class Counts(NamedTuple):
    """All counts of a period; None if they are not known. `gaps` say why, a sentence each.

    `cut` tells that a list of rules has more rows than an answer holds.
    """

    mails: tuple[MailCount, ...] | None
    decisions: tuple[DecisionCount, ...] | None
    shadows: tuple[ShadowCount, ...] | None
    jobs: tuple[JobCount, ...] | None
    replies: tuple[JobCount, ...] | None
    lines: tuple[LineCount, ...] | None
    gaps: tuple[str, ...] = ()
    cut: bool = False


def _mail(row: Row) -> MailCount:
    return MailCount(text_of(row, "disposition"), text_of(row, "went_on"), number_of(row, "mails"))


def _decision(row: Row) -> DecisionCount:
    action, rule, reason, mode = (
        text_of(row, name) for name in ("action", "rule", "reason", "mode")
    )
    return DecisionCount(action, rule, reason, number_of(row, "recipients"), mode)


def _shadow(row: Row) -> ShadowCount:
    return ShadowCount(text_of(row, "rule"), number_of(row, "recipients"))


def _job(row: Row) -> JobCount:
    event, reason, rule = (text_of(row, name) for name in ("message", "reason", "rule"))
    return JobCount(event, reason, rule, number_of(row, "jobs"))


def _line(row: Row) -> LineCount:
    event, reason, kind, stage = (
        text_of(row, name) for name in ("message", "reason", "kind", "stage")
    )
    times, capped, braked = (number_of(row, name) for name in ("times", "capped", "braked"))
    return LineCount(event, reason, kind, stage, times, capped, braked)


_READERS: tuple[tuple[JournalQuery, Callable[[Row], Any]], ...] = (
    (_MAILS, _mail),
    (_DECISIONS, _decision),
    (_SHADOWS, _shadow),
    (_JOBS, _job),
    (_REPLIES, _job),
    (_LINES, _line),
)
QUERIES: tuple[JournalQuery, ...] = tuple(query for query, _ in _READERS)


def counts_of(answers: Sequence[Answer]) -> Counts:
    """Return the counts of the answers to `QUERIES`."""
    read = [
        _read(query, reader, answer)
        for (query, reader), answer in zip(_READERS, answers, strict=True)
    ]
    mails, decisions, shadows, jobs, replies, lines = (rows for rows, _ in read)
    gaps: dict[str, list[str]] = {}  # what is not known, by the reason
    for query, (_, gap) in zip(QUERIES, read, strict=True):
        if gap:
            gaps.setdefault(gap, []).append(query.asks)
    said = tuple(f"{', '.join(asks)}: {gap}" for gap, asks in gaps.items())
    cut = any(not answer.complete for answer in answers)
    return Counts(mails, decisions, shadows, jobs, replies, lines, said, cut)


def _read(query: JournalQuery, reader: Callable[[Row], Any], answer: Answer) -> tuple[Any, str]:
    """Return the rows as counts, and why they are not known."""
    if answer.gap:
        return None, answer.gap
    try:
        if all(query.number in row for row in answer.rows):
            return tuple(map(reader, answer.rows)), ""
    except (ValueError, OverflowError):
        pass
    found = "found rows without their number, expected it from CloudWatch Logs"
    return None, f"{found}: this endpoint does not evaluate the query"
