"""The kinds of failure that a report counts: one row each, with the next step."""

from typing import NamedTuple

from bouncer.reporting.journal_counts import LineCount
from bouncer.sending.ending import Failure, Outcome

_JOBS = "bouncer jobs list"
_DOCTOR = "bouncer doctor"
_RUNBOOK = "see docs/operations.md#"


class FailureRow(NamedTuple):
    """Lines with this event, and with this reason if there is one."""

    says: str
    event: str
    step: str
    reason: str = ""

    def fits(self, line: LineCount) -> bool:
        """Tell whether a count of lines is of this kind."""
        return line.event == self.event and self.reason in ("", line.reason)


def _job(reason: Failure, says: str, step: str) -> FailureRow:
    return FailureRow(says, Outcome.FAILED, step, reason)


FAILURES: tuple[FailureRow, ...] = (
    _job(Failure.UNKNOWN, "bounces that SES may have sent or not", f"{_RUNBOOK}unknown-outcomes"),
    _job(Failure.FORBIDDEN, "bounces that SES forbids to their sender", _DOCTOR),
    _job(Failure.REFUSED, "bounces that SES refused", f"{_RUNBOOK}failed-bounces"),
    _job(Failure.POISON, "jobs on which workers died", _JOBS),
    _job(Failure.DEFECT, "jobs that failed by an error of ours", _JOBS),
    FailureRow("replies that SES may have sent or not", "reply_failed", _JOBS, Failure.UNKNOWN),
    *(
        FailureRow(f"replies that failed as {reason}", "reply_failed", _JOBS, reason)
        for reason in Failure
        if reason is not Failure.UNKNOWN
    ),
    FailureRow("replies that were not queued", "reply_not_queued", _DOCTOR),
    FailureRow("errors of the replier", "replier_failed", _DOCTOR),
    FailureRow("queue messages that are not jobs", "unreadable_job", _JOBS),
    FailureRow("mails that went on, as the intake failed", "intake_failed", _DOCTOR),
    FailureRow("stored mails not read, or stopped ones not kept", "copy_failed", _DOCTOR),
    FailureRow("errors of the worker", "worker_failed", _DOCTOR),
    FailureRow("errors of the feedback function", "feedback_failed", _DOCTOR),
    FailureRow("runs of the publisher that failed", "publishing_failed", _DOCTOR),
    FailureRow("readings of the rules that failed", "documents_stale", _DOCTOR),
    FailureRow("attempts to send the daily report", "report_failed", f"{_RUNBOOK}report-errors"),
)
