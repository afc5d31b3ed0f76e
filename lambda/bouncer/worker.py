"""The Lambda function behind the queue: one job at a time, at most one SendBounce call a second.

For each job: gate, claim, pace, send, journal. Every job ends in exactly one outcome: sent,
withheld or failed. When SES can't be asked any more in this invocation, this job and all behind it
go back to the queue in their order, to be delivered again within seconds.
"""

import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, Protocol

import boto3
from botocore.config import Config

from bouncer.environment import WorkerEnvironment
from bouncer.jobs.job import Job, JobError
from bouncer.jobs.job_json import from_json
from bouncer.journal import Journal
from bouncer.operator_settings import Settings
from bouncer.reasons import Reason
from bouncer.sending import gate, ses
from bouncer.sending.ledger import Ledger, LedgerError
from bouncer.sending.pacer import SPACING_S, OutOfTimeError, Pacer
from bouncer.sending.queue import QueueError, Record, WorkerQueue
from bouncer.sending.ses import Sender
from bouncer.sending.ses_errors import DeadLetterError, RefusedError, UnknownOutcomeError
from bouncer.sources.loader import Loaded, Loader
from bouncer.sources.parameters import SettingsSource
from bouncer.sources.source import SourceError

# Client settings for SSM, SQS and DynamoDB; ses.py has those of SES.
_CONFIG = Config(connect_timeout=2, read_timeout=3, retries={"mode": "standard", "max_attempts": 3})

# Time an invocation must have left when a call starts: the longest call, its slot, ledger, journal.
RESERVE_S = ses.CONNECT_TIMEOUT_S + ses.READ_TIMEOUT_S + SPACING_S + 5

# Handed back jobs wait for seconds after a short failure, for two minutes in an outage. So a job is
# delivered some 750 times in its 24 hours; the queue's maximum receive count must be higher.
_FIRST_DELAY_S = 5
LONGEST_DELAY_S = 120

# A connection idle for longer may be dead, above all after a freeze of the function; a call on a
# dead one has an unknown outcome.
_KEPT_S = 5


class Outcomes(Protocol):
    """The receiver of everything the worker reports: its journal, or a recorder in a replay.

    Every job ends in exactly one call of `sent`, `withheld`, `failed` or `unreadable_job`.
    """

    def begin(self, request_id: str) -> None:
        """Start an invocation."""

    def documents(self, loaded: Loaded) -> None:
        """Report the settings in force and their problems."""

    def sent(self, job: Job, settings: Settings, *, bounce_id: str, wait_s: float) -> None:
        """Report that SES accepted the bounce."""

    def withheld(self, job: Job, settings: Settings, reason: Reason) -> None:
        """Report that the job was not sent, for this reason."""

    def failed(self, job: Job, settings: Settings, error: Exception) -> None:
        """Report that SES refused the bounce for good, or that its outcome is not known."""

    def unreadable_job(self, record_id: str, error: Exception) -> None:
        """Report a message of the queue that is not a job."""

    def retried(self, job: Job, error: Exception) -> None:
        """Report that a call is made again."""

    def handed_back(self, count: int, error: Exception) -> None:
        """Report that jobs went back to the queue."""

    def worker_failed(self, stage: str, error: Exception, reference: str | None = None) -> None:
        """Report an error that does not change the outcome of a job."""


class Worker:
    """Works off batches of jobs.

    `now` is the time of day, `ticks` a monotonic clock in seconds, shared with the pacer.
    """

    def __init__(
        self,
        *,
        loader: Loader,
        ledger: Ledger,
        jobs: WorkerQueue,
        sender: Sender,
        pacer: Pacer,
        outcomes: Outcomes,
        now: Callable[[], datetime],
        ticks: Callable[[], float],
    ) -> None:
        self._loader = loader
        self._ledger = ledger
        self._jobs = jobs
        self._sender = sender
        self._pacer = pacer
        self._outcomes = outcomes
        self._now = now
        self._ticks = ticks
        self._connected = False
        self._called_at = ticks()

    def handle(
        self, records: Sequence[Record], *, remaining_s: float, request_id: str = ""
    ) -> dict[str, list[dict[str, str]]]:
        """Work off a batch and return the records to deliver again.

        The answer is a partial batch response (Lambda Developer Guide, "Using Lambda with SQS").
        """
        self._outcomes.begin(request_id)
        if self._ticks() - self._called_at > _KEPT_S:
            self._sender.close()
            self._connected = False
        until = self._ticks() + remaining_s - RESERVE_S
        left = self._work(records, until, request_id)
        self._pacer.hold()
        return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in left]}

    def _work(self, records: Sequence[Record], until: float, request_id: str) -> Sequence[Record]:
        """Work off records in order until one can't be; return that one and all behind it."""
        done = 0
        try:
            loaded = self._loader.load()
            self._outcomes.documents(loaded)
            for record in records:
                self._record(record, loaded.settings, until, request_id)
                done += 1
        except (SourceError, LedgerError, OutOfTimeError, QueueError) as error:
            self._hand_back(records[done:], error)
        return records[done:]

    def _hand_back(self, records: Sequence[Record], error: Exception) -> None:
        exponent = min(_deliveries(records[0]) - 1, 10)
        delay_s = min(_FIRST_DELAY_S * 2**exponent, LONGEST_DELAY_S)
        self._outcomes.handed_back(len(records), error)
        try:
            self._jobs.hand_back(records, delay_s=delay_s)
        except QueueError as failure:  # they are delivered again by themselves, only later
            self._outcomes.worker_failed("hand_back", failure)

    def _record(self, record: Record, in_force: Settings, until: float, request_id: str) -> None:
        try:
            job = from_json(record["body"])
        except JobError as error:
            self._jobs.bury(record)
            self._outcomes.unreadable_job(record["messageId"], error)
            return
        try:
            self._job(job, in_force, until, f"{request_id} {record['messageId']}")
        except DeadLetterError as error:
            self._jobs.bury(record)  # once its cause is removed, it can be redriven
            self._outcomes.failed(job, in_force, error)
        except (LedgerError, OutOfTimeError):
            raise
        except Exception as error:  # noqa: BLE001  # one odd job must not hold up those behind it
            self._outcomes.failed(job, in_force, error)

    def _job(self, job: Job, in_force: Settings, until: float, claimant: str) -> None:
        began = self._ticks()
        answered = self._ledger.answered(job)
        claimable_until = until - (self._ticks() - began)  # claims take as long as reading them
        reason = gate.withheld(job, now=self._now(), answered=answered, settings=in_force)
        if reason is None:
            if self._ticks() > claimable_until:
                raise OutOfTimeError("no time is left to claim the recipients and send")
            answered |= self._ledger.claim(
                job.without(answered), now=self._now(), claimant=claimant
            )
            if answered >= set(job.recipients):
                reason = Reason.DUPLICATE
        if reason is not None:
            self._outcomes.withheld(job, in_force, reason)
            return
        self._send(job.without(answered), in_force, until)

    def _send(self, job: Job, in_force: Settings, until: float) -> None:
        """Send one claimed job; its claim is released only if SES surely did not accept."""
        try:
            bounce_id = self._pacer.call(
                lambda: self._sender.send(job),
                until=until,
                retried=lambda error: self._outcomes.retried(job, error),
                connecting=not self._connected,
            )
        except (OutOfTimeError, DeadLetterError):
            self._release(job)
            raise
        except RefusedError as error:
            self._release(job)
            self._outcomes.failed(job, in_force, error)
        except UnknownOutcomeError as error:
            self._outcomes.failed(job, in_force, error)
        else:
            self._sent(job, in_force, bounce_id)
        finally:
            self._connected = True
            self._called_at = self._ticks()

    def _release(self, job: Job) -> None:
        try:
            self._ledger.release(job)
        except LedgerError as error:
            self._outcomes.worker_failed("release", error, job.reference)

    def _sent(self, job: Job, in_force: Settings, bounce_id: str) -> None:
        wait_s = (self._now() - job.received_at).total_seconds()
        self._outcomes.sent(job, in_force, bounce_id=bounce_id, wait_s=wait_s)
        try:
            self._ledger.sent(job, bounce_id)
        except LedgerError as error:
            self._outcomes.worker_failed("ledger", error, job.reference)


def _deliveries(record: Record) -> int:
    return max(int(record.get("attributes", {}).get("ApproximateReceiveCount", 1)), 1)


@cache
def _worker() -> Worker:
    """Build the function with its dependencies, once, at its first event."""
    environment = WorkerEnvironment.from_env(os.environ)
    source = SettingsSource(boto3.client("ssm", config=_CONFIG), environment.prefix)
    sqs = boto3.client("sqs", config=_CONFIG)
    return Worker(
        loader=Loader(source, environment.defaults, now=time.monotonic),
        ledger=Ledger(boto3.client("dynamodb", config=_CONFIG), environment.ledger_table),
        jobs=WorkerQueue(sqs, environment.queue_url, environment.dead_letter_url),
        sender=Sender(boto3.client("ses", config=ses.CONFIG)),
        pacer=Pacer(now=time.monotonic, sleep=time.sleep),
        outcomes=Journal("worker", environment.deployment),
        now=lambda: datetime.now(UTC),
        ticks=time.monotonic,
    )


def handler(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """Work off one batch of the queue: the Lambda entry point."""
    return _worker().handle(
        event["Records"],
        remaining_s=context.get_remaining_time_in_millis() / 1000,
        request_id=context.aws_request_id,
    )
