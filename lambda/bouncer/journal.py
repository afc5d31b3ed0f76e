"""Logs and counts: one method for each event, one JSON line each, with its metrics in it.

The line carries its metrics in CloudWatch's embedded metric format, so CloudWatch reads both from
it. The list of events, fields and metrics is closed; subjects and bodies of mails are never
written. Writing never raises: a mail must not suffer from its log.
"""

import sys
import traceback
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import IO, Any

from bouncer.jobs.job import Job
from bouncer.journal_address import IN_FULL, AddressForm
from bouncer.journal_entry import Entry, Write, own_writer
from bouncer.judge import Judgement
from bouncer.mail_line import QueueAnswer, mail_counts, mail_fields, withheld_counts
from bouncer.metric_document import Counts
from bouncer.metric_names import DEPLOYMENT, SERVICE, Metric
from bouncer.operator_settings import Settings
from bouncer.reasons import Reason
from bouncer.sending.ending import Ending, Failure, Outcome
from bouncer.sources.loaded import Loaded

_LONGEST_ERROR = 1000

_FAILURES: Mapping[str, Mapping[str, int]] = {
    Failure.UNKNOWN: {Metric.FAILED_UNKNOWN: 1},
    Failure.POISON: {Metric.FAILED_POISON: 1},
}


class Journal:
    """Writes the journal of one function (`service`) of one deployment.

    Without `write`, the journal makes the lines itself and writes them to `stream`.
    """

    def __init__(
        self,
        service: str,
        deployment: str,
        *,
        stream: IO[str] | None = None,
        write: Write | None = None,
    ) -> None:
        self._write_entry = write or own_writer(stream)
        self._dimensions = {DEPLOYMENT: deployment, SERVICE: service}
        self._request_id = ""
        self._cold = True
        self._reported: Loaded | None = None
        self._addresses = IN_FULL

    def begin(self, request_id: str) -> None:
        """Name the invocation in all lines that follow."""
        self._request_id = request_id

    def mail(
        self,
        judgement: Judgement,
        settings: Settings,
        *,
        revision: str = "",
        answers: Sequence[QueueAnswer] = (),
        kept: str = "",
        replies: Sequence[QueueAnswer] = (),
    ) -> None:
        """Report one received mail: every decision, its jobs and the reasons to withhold.

        `revision` is the id of the rules. `answers` are the queue's to each job; without them it
        took all jobs. `kept` is the key of the object in which a stopped mail is kept. `replies`
        are the answers of the queue of replies; without them the deployment has no such queue.
        """
        answers = answers or (QueueAnswer.TAKEN,) * len(judgement.jobs)
        self._addresses = settings.addresses
        replies = replies or (QueueAnswer.NO_QUEUE,) * len(judgement.replies)
        fields = mail_fields(
            judgement, settings, revision=revision, answers=answers, kept=kept, replies=replies
        )
        self._write("mail", fields, mail_counts(judgement, answers, replies))

    def not_mail(self, problem: str) -> None:
        """Report an event that is not a mail, such as the one SES sends when a rule is made."""
        self._write("not_mail", {"problem": problem}, {Metric.NOT_MAIL: 1}, level="warning")

    def intake_failed(
        self, stage: str, error: Exception, message_id: str | None = None, *, kept: str = ""
    ) -> None:
        """Report an error of ours at intake; the mail was let through, even if it is `kept`."""
        more = {"kept": kept} if kept else {}
        fields = {"stage": stage, "message_id": message_id, **described(error), **more}
        self._write("intake_failed", fields, {Metric.INTAKE_ERRORS: 1}, level="error")

    def copy_failed(self, stage: str, error: Exception, message_id: str) -> None:
        """Report that a stored mail could not be read (`read`), or a stopped one kept (`keep`)."""
        fields = {"stage": stage, "message_id": message_id, **described(error)}
        self._write("copy_failed", fields, {Metric.COPY_ERRORS: 1}, level="error")

    def reply_not_queued(self, stage: str, error: Exception, message_id: str) -> None:
        """Report a reply that could not be made (`make`) or put on its queue (`queue`)."""
        fields = {"stage": stage, "message_id": message_id, **described(error)}
        self._write("reply_not_queued", fields, {Metric.REPLY_ERRORS: 1}, level="error")

    def documents(self, loaded: Loaded) -> None:
        """Report, once per load, that what is in force could not be read again."""
        self._addresses = loaded.settings.addresses
        if loaded is self._reported:
            return
        self._reported = loaded
        if loaded.stale:  # the last good one stays in force
            fields = {"problems": loaded.problems}
            self._write("documents_stale", fields, {Metric.STALE_RULES: 1}, level="error")

    def ended(
        self,
        ending: Ending,
        job: Job | None,
        settings: Settings,
        *,
        record: str,
        wait_s: float = 0.0,
        again: bool = False,
        capped: Collection[str] = (),
        braked: Collection[str] = (),
    ) -> None:
        """Report the end of the queue message `record`: sent, withheld, failed or unreadable_job.

        `job` is missing if it was not read as one. `wait_s` seconds have gone since the mail came.
        With `again` the job was delivered again after its end. `capped` and `braked` are
        recipients that a cap, or the brake of their rule, took out of the job.
        """
        self._addresses = shown = settings.addresses
        fields: dict[str, Any] = {"record": record}
        if job is not None:
            fields |= _members(job, shown)
        left_out = {"capped": capped, "braked_recipients": braked}
        fields |= {name: [*map(shown.address, each)] for name, each in left_out.items() if each}
        said = {"reason": ending.reason, "cap": ending.cap, "bounce_id": ending.bounce_id}
        fields |= {name: value for name, value in said.items() if value}
        fields |= described(ending.error) if ending.error else {}
        if again:
            fields["again"] = True
        reasons = [Reason.CAPPED] * len(capped) + [Reason.BRAKED] * len(braked)
        metrics = {Metric.REPEATED: 1} if again else _counted(ending, job, wait_s, reasons)
        level = "error" if ending.outcome is Outcome.FAILED else "info"
        self._write(_event(ending), fields, metrics, level=level)

    def retried(self, job: Job, error: Exception) -> None:
        """Report a call that SES did not accept; it will be made again."""
        fields = {"reference": job.reference, **described(error)}
        self._write("retried", fields, {Metric.RETRIED: 1}, level="warning")

    def handed_back(self, count: int, error: Exception) -> None:
        """Report that the rest of a batch went back to the queue."""
        fields = {"jobs": count, **described(error)}
        self._write("handed_back", fields, {Metric.HANDED_BACK: count}, level="warning")

    def held(self, count: int, error: Exception) -> None:
        """Report that the rest of a batch went back to the queue because sending is held."""
        fields = {"jobs": count, **described(error)}
        self._write("handed_back", fields, {Metric.HELD: count}, level="warning")

    def lease_busy(self, count: int, error: Exception) -> None:
        """Report that another invocation had the lease, so that the batch comes again."""
        fields = {"jobs": count, **described(error)}
        metrics = {Metric.LEASE_BUSY: 1, Metric.HANDED_BACK: count}
        self._write("lease_busy", fields, metrics, level="warning")

    def lease_taken_over(self) -> None:
        """Report that an earlier invocation died, or lost the ledger, with the lease."""
        self._write("lease_taken_over", {}, {Metric.LEASE_TAKEN_OVER: 1}, level="warning")

    def salt_made(self) -> None:
        """Report that the ledger had no salt: what it knew of senders until now is not found."""
        self._write("salt_made", {}, {Metric.SALTS_MADE: 1}, level="warning")

    def stale_batch(self, count: int, error: Exception) -> None:
        """Report that the batch may be another invocation's by now, so that it was left alone."""
        fields = {"jobs": count, **described(error)}
        self._write("stale_batch", fields, {Metric.STALE_BATCHES: 1}, level="warning")

    def worker_failed(
        self,
        stage: str,
        error: Exception,
        reference: str | None = None,
        *,
        answer: str = "",
        again: bool = False,
    ) -> None:
        """Report an error of ours in the worker.

        `answer` is the end of the job that could not be noted in the ledger; with `again` the
        ledger has another one, which holds.
        """
        fields: dict[str, Any] = {"stage": stage, "reference": reference, **described(error)}
        if answer:
            fields["answer"] = answer
        if again:
            fields["again"] = True
        self._write("worker_failed", fields, {Metric.WORKER_ERRORS: 1}, level="error")

    def _write(
        self,
        event: str,
        fields: Mapping[str, Any],
        metrics: Counts,
        *,
        level: str = "info",
    ) -> None:
        try:
            self._write_entry(
                Entry(
                    level=level,
                    event=event,
                    request_id=self._request_id,
                    fields=self._addresses.value(fields),
                    counts=self._counts(metrics),
                    dimensions=self._dimensions,
                )
            )
        except Exception as error:  # noqa: BLE001  # a log must not break what it reports
            with suppress(Exception):  # stderr may be as broken as stdout
                sys.stderr.write(
                    f'{{"message":"journal_failed","error":"{type(error).__name__}"}}\n'
                )

    def _counts(self, metrics: Counts) -> Counts:
        """Return the metrics of a line; the first line also counts the start of the function."""
        if not self._cold:
            return metrics
        self._cold = False
        return {str(name): n for name, n in metrics.items()} | {Metric.COLD_STARTS: 1}


def _members(job: Job, shown: AddressForm) -> dict[str, Any]:
    """Return the members of a line about a job."""
    return {
        "reference": job.reference,
        "message_id": job.message_id,
        "sender": shown.address(job.sender),
        "recipients": [shown.address(recipient) for recipient in job.recipients],
        "rules": sorted({refusal.rule for refusal in job.refusals}),
    }


def _event(ending: Ending) -> str:
    """Return the event that reports an ending."""
    return "unreadable_job" if ending.reason == Failure.UNREADABLE else ending.outcome


def _counted(
    ending: Ending, job: Job | None, wait_s: float, others: Iterable[str]
) -> dict[str, int]:
    """Return the metrics of an ending that is reported for the first time."""
    reasons: list[str] = [*others]
    if ending.outcome is Outcome.WITHHELD:
        reasons += [ending.reason] * (len(job.refusals) if job else 1)
    return _ended(ending, wait_s) | (withheld_counts(reasons) if reasons else {})


def _ended(ending: Ending, wait_s: float) -> dict[str, int]:
    if ending.outcome is Outcome.SENT:
        return {Metric.SENT: 1, Metric.WAIT_TIME: round(wait_s * 1000)}
    if ending.outcome is Outcome.WITHHELD:
        return {}
    if ending.reason == Failure.UNREADABLE:
        return {Metric.UNREADABLE_JOBS: 1}
    return {Metric.FAILED: 1, **_FAILURES.get(ending.reason, {})}


def error_text(error: Exception) -> str:
    """Return the kind and the text of an error, cut between two words; never a traceback."""
    text = f"{type(error).__name__}: {error}"
    return text if len(text) <= _LONGEST_ERROR else text[:_LONGEST_ERROR].rpartition(" ")[0]


def described(error: Exception) -> dict[str, str]:
    """Return an error's text and the line of ours that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    return {"error": error_text(error), "where": where}
