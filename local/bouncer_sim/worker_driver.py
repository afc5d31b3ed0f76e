"""Drives jobs through queue, mapping, worker and fake SES, and tells what became of them.

The worker is the deployed one, with another clock: by default a simulated one, so a thousand paced
bounces take moments. What became of a job is read from the worker's own journal.
"""

import io
import json
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import boto3

from bouncer.jobs.job import Job
from bouncer.journal import Journal
from bouncer.mail.address import domain
from bouncer.mail.message import Message
from bouncer.operator_settings import DEAD_LETTER_KEY, LEDGER_KEY, QUEUE_KEY, Settings
from bouncer.sending import ses as sesapi
from bouncer.sending.ledger import Ledger
from bouncer.sending.pacer import Pacer
from bouncer.sending.queue import Queue
from bouncer.sending.ses import Sender
from bouncer.sources.parameters import Documents, Loader
from bouncer.worker import Record, Worker
from bouncer_sim.clock import Clock, SimulatedClock, now
from bouncer_sim.embedded_aws import EmbeddedAws, embedded_aws
from bouncer_sim.event_source_mapping import BATCH_SIZE, EventSourceMapping
from bouncer_sim.fake_ses.server import FakeSes
from bouncer_sim.fake_ses.ses_account import ReceivedMail

TIMEOUT_S = 60.0  # the worker function's timeout


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A job's outcome: `status` is sent, withheld or failed; `reason` says why, if not sent."""

    status: str
    reason: str | None = None


class PatientQueue(Queue):
    """Lets simulated time pass instead of making a handed back job invisible."""

    def __init__(self, clock: Clock, *args: Any) -> None:
        super().__init__(*args)
        self._clock = clock

    def hand_back(self, records: Any, *, delay_s: int) -> None:
        """Sleep `delay_s`, then have the records delivered again at once."""
        self._clock.sleep(delay_s)
        super().hand_back(records, delay_s=0)


class _FixedSource:
    """Settings that are known already."""

    def read(self) -> Documents:
        return Documents({})

    def earlier(self, name: str) -> tuple[()]:  # noqa: ARG002  # there is nothing earlier
        return ()


class Sending:
    """A queue, a worker and a fake SES; `submit` jobs, then `drain` for their outcomes."""

    def __init__(self, aws: EmbeddedAws, ses: FakeSes, clock: Clock, settings: Settings) -> None:
        self._ses = ses
        self._clock = clock
        # Jobs worth driving through the queue together: a batch of the mapping, or one to watch.
        self.batch = BATCH_SIZE if isinstance(clock, SimulatedClock) else 1
        self._journal = io.StringIO()
        kind = partial(PatientQueue, clock) if isinstance(clock, SimulatedClock) else Queue
        sqs = boto3.client("sqs")
        url = aws.environ[QUEUE_KEY]
        self._jobs = kind(sqs, url, aws.environ[DEAD_LETTER_KEY])
        self._worker = Worker(
            loader=Loader(_FixedSource(), settings, now=clock.time),
            ledger=Ledger(boto3.client("dynamodb"), aws.environ[LEDGER_KEY]),
            jobs=self._jobs,
            sender=Sender(boto3.client("ses", config=sesapi.CONFIG)),
            pacer=Pacer(now=clock.time, sleep=clock.sleep),
            journal=Journal("worker", "local", stream=self._journal),
            now=partial(now, clock),
            ticks=clock.time,
        )
        self._mapping = EventSourceMapping(sqs, url, aws.queue_arn, self._invoke)
        self._received: list[str] = []

    def submit(self, job: Job, message: Message, headers: bytes) -> None:
        """Queue a job as intake would, for a mail that is taken as received this moment.

        Domains that receive mail are verified: SES receives for no others.
        """
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
        """Work until the queue is empty; the outcomes by reference."""
        while self._mapping.waiting():
            if not self._mapping.poll() and not isinstance(self._clock, SimulatedClock):
                time.sleep(0.1)
        for message_id in self._received:
            self._ses.forget(message_id)
        self._received.clear()
        return dict(self._outcomes())

    def _invoke(self, event: dict[str, list[Record]]) -> object:
        return self._worker.handle(event["Records"], remaining_s=TIMEOUT_S, request_id="local")

    def _outcomes(self) -> Iterator[tuple[str, Outcome]]:
        lines = self._journal.getvalue().splitlines()
        self._journal.seek(0)
        self._journal.truncate()
        for line in map(json.loads, lines):
            if line["message"] in ("sent", "withheld", "failed"):
                reason = line.get("reason") or line.get("error")
                yield line["reference"], Outcome(status=line["message"], reason=reason)


@contextmanager
def sending(
    *, out: Path, clock: Clock, settings: Settings, verified: Collection[str]
) -> Iterator[Sending]:
    """Everything between the queue and the sent bounces, for the length of a `with`."""
    with (
        FakeSes(verified=verified, clock=clock.time, out=out) as ses,
        embedded_aws(ses.endpoint) as aws,
    ):
        yield Sending(aws, ses, clock, settings)
