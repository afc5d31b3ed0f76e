"""Drives jobs through queue, mapping, worker and fake SES, and reports the outcome of each.

The worker is the deployed one, with another clock: by default a simulated one, so a thousand paced
bounces take moments.
"""

import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3

from bouncer.environment import WorkerEnvironment
from bouncer.function_limits import BATCH_SIZE, WORKER_TIMEOUT_S
from bouncer.jobs.job import Job
from bouncer.journal import error_text
from bouncer.mail.address import domain
from bouncer.mail.message import Message
from bouncer.operator_settings import Settings
from bouncer.sending.ending import Ending
from bouncer.sending.ledger import Ledger
from bouncer.sending.pacer import Pacer
from bouncer.sending.queue import Record, WorkerQueue
from bouncer.sending.ses import CONFIG, Sender
from bouncer.sending.table import Table
from bouncer.sources.loader import Loaded, Loader
from bouncer.sources.source import Documents
from bouncer.worker import Worker
from bouncer_sim.clock import Clock, SimulatedClock, now
from bouncer_sim.embedded_aws import EmbeddedAws, embedded_aws
from bouncer_sim.event_source_mapping import EventSourceMapping
from bouncer_sim.fake_ses.server import FakeSes
from bouncer_sim.fake_ses.ses_account import ReceivedMail


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A job's outcome: `status` is sent, withheld or failed; `reason` says why, if not sent.

    While sending is held it is queued: the job would wait for an operator.
    """

    status: str
    reason: str | None = None


class OutcomeRecorder:
    """Keeps the outcome of each job by its reference, in place of the worker's journal."""

    def __init__(self) -> None:
        self._outcomes: dict[str, Outcome] = {}

    def take(self) -> dict[str, Outcome]:
        """Return the outcomes since the last call."""
        taken, self._outcomes = self._outcomes, {}
        return taken

    def ended(self, ending: Ending, job: Job | None, settings: Settings, **_: object) -> None:  # noqa: ARG002
        """Keep the outcome, with the reason or the text of the error if it was not sent."""
        if job is not None:
            reason = error_text(ending.error) if ending.error else ending.reason or None
            self._outcomes[job.reference] = Outcome(status=str(ending.outcome), reason=reason)

    def wait(self, job: Job) -> None:
        """Keep that the job waits."""
        self._outcomes[job.reference] = Outcome(status="queued", reason="held")

    def begin(self, request_id: str) -> None:
        """Keep nothing: only a job's end is of interest here."""

    def documents(self, loaded: Loaded) -> None:
        """Keep nothing."""

    def retried(self, job: Job, error: Exception) -> None:
        """Keep nothing."""

    def handed_back(self, count: int, error: Exception) -> None:
        """Keep nothing."""

    def held(self, count: int, error: Exception) -> None:
        """Keep nothing."""

    def lease_busy(self, count: int, error: Exception) -> None:
        """Keep nothing."""

    def lease_taken_over(self) -> None:
        """Keep nothing."""

    def stale_batch(self, count: int, error: Exception) -> None:
        """Keep nothing."""

    def worker_failed(
        self, stage: str, error: Exception, reference: str | None = None, **_: object
    ) -> None:
        """Keep nothing."""


class PatientQueue(WorkerQueue):
    """Lets simulated time pass instead of making a handed back job invisible."""

    def __init__(self, clock: Clock, *args: Any) -> None:
        super().__init__(*args)
        self._clock = clock

    def hand_back(self, records: Iterable[Record], *, delay_s: int) -> None:
        """Sleep `delay_s`, then have the records delivered again at once."""
        self._clock.sleep(delay_s)
        super().hand_back(records, delay_s=0)


def new_name() -> str:
    """Return a name that was never used before, for attempts and writes."""
    return uuid4().hex


class _FixedSource:
    """A source without documents, so that the defaults hold: settings that are known already."""

    def read(self) -> Documents:
        return Documents({})

    def earlier(self, name: str) -> tuple[()]:  # noqa: ARG002  # there is nothing earlier
        return ()


class WorkerDriver:
    """A queue, a worker and a fake SES; `submit` jobs, then `drain` for their outcomes."""

    def __init__(self, aws: EmbeddedAws, ses: FakeSes, clock: Clock, settings: Settings) -> None:
        self._ses = ses
        self._clock = clock
        self._held = not settings.sending
        # Jobs worth driving through the queue together: a batch of the mapping, or one to watch.
        self.batch = BATCH_SIZE if isinstance(clock, SimulatedClock) else 1
        self._outcomes = OutcomeRecorder()
        environment = WorkerEnvironment.from_env(aws.environ)
        kind = partial(PatientQueue, clock) if isinstance(clock, SimulatedClock) else WorkerQueue
        sqs = boto3.client("sqs")
        self._jobs = kind(sqs, environment.queue_url, environment.dead_letter_url)
        self._worker = Worker(
            loader=Loader(_FixedSource(), settings, now=clock.time),
            ledger=Ledger(
                Table(boto3.client("dynamodb"), environment.ledger_table),
                now=partial(now, clock),
                sleep=clock.sleep,
                new_name=new_name,
            ),
            jobs=self._jobs,
            sender=Sender(boto3.client("ses", config=CONFIG)),
            pacer=Pacer(now=clock.time, sleep=clock.sleep),
            outcomes=self._outcomes,
            now=partial(now, clock),
            ticks=clock.time,
            sleep=clock.sleep,
            new_name=new_name,
        )
        self._mapping = EventSourceMapping(sqs, environment.queue_url, aws.queue_arn, self._invoke)
        self._received: list[str] = []

    def submit(self, job: Job, message: Message, headers: bytes) -> None:
        """Queue a job as intake would, for a mail that is taken as received this moment.

        Domains that receive mail are verified: SES receives for no others. While sending is held
        the job is not queued, as nothing would end its wait.
        """
        if self._held:
            self._outcomes.wait(job)
            return
        for recipient in message.recipients:
            self._ses.verify(domain(recipient))
        mail = ReceivedMail(
            message_id=message.message_id,
            sender=message.sender,
            recipients=message.recipients,
            received_at=self._clock.time(),
            headers=headers,
        )
        self._ses.receive(mail)
        self._received.append(message.message_id)
        self._jobs.send(replace(job, received_at=now(self._clock)))

    def drain(self) -> dict[str, Outcome]:
        """Work until the queue is empty; return the outcomes by reference."""
        while self._mapping.waiting():
            if not self._mapping.poll() and not isinstance(self._clock, SimulatedClock):
                time.sleep(0.1)
        for message_id in self._received:
            self._ses.forget(message_id)
        self._received.clear()
        return self._outcomes.take()

    def _invoke(self, event: dict[str, list[Record]]) -> object:
        return self._worker.handle(
            event["Records"], remaining_s=WORKER_TIMEOUT_S, request_id="local"
        )


@contextmanager
def sending(
    *, out: Path, clock: Clock, settings: Settings, verified: Collection[str]
) -> Iterator[WorkerDriver]:
    """Everything between the queue and the sent bounces, for the length of a `with`."""
    with (
        FakeSes(verified=verified, clock=clock.time, out=out) as ses,
        embedded_aws(ses.endpoint) as aws,
    ):
        yield WorkerDriver(aws, ses, clock, settings)
