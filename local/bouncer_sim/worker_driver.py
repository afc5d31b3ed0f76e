"""Drives jobs through queue, mapping, worker and SES, and reports the outcome of each.

The worker is the deployed one; the services are those of the simulated world, without its troubles.
The clock is by default a simulated one, so a thousand paced bounces take moments.
"""

from collections.abc import Collection
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from bouncer.function_limits import BATCH_SIZE, WORKER_TIMEOUT_S
from bouncer.jobs.job import Job
from bouncer.jobs.reply import Reply
from bouncer.mail.address import domain
from bouncer.mail.message import Message
from bouncer.operator_settings import Settings
from bouncer.rules.ruleset import Ruleset
from bouncer.sending.counters import Limits
from bouncer.sending.ledger import Ledger
from bouncer.sending.pacer import Pacer
from bouncer.sending.queue import Record, WorkerQueue
from bouncer.sending.ses import Sender
from bouncer.sending.table import Table
from bouncer.sources.loaded import Loaded
from bouncer.worker import Worker
from bouncer_sim.bounce_outcome import Outcome
from bouncer_sim.clock import Clock, SimulatedClock, now
from bouncer_sim.event_source_mapping import EventSourceMapping
from bouncer_sim.fake_ses.outbox import Outbox
from bouncer_sim.fake_ses.ses_account import ReceivedMail
from bouncer_sim.no_publisher import NO_PUBLISHER
from bouncer_sim.outcome_recorder import OutcomeRecorder
from bouncer_sim.reply_outbox import ReplyOutbox
from bouncer_sim.world.deployed_services import (
    DEAD_LETTER_URL,
    QUEUE_ARN,
    QUEUE_URL,
    TABLE,
    DeployedServices,
)
from bouncer_sim.world.direct_client import DirectClient


def new_name() -> str:
    """Return a name that was never used before, for attempts and writes."""
    return uuid4().hex


class _FixedLoader:
    """A loader of what is known already."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded

    def load(self) -> Loaded:
        return self._loaded


class WorkerDriver:
    """A queue, a worker and SES; `submit` jobs, then `drain` for their outcomes.

    `verified` are the identities that SES knows, beside the domains that receive mail. Each bounce
    becomes a file in the folder `out`. `limits` has `at_most` of the rules that have it; nobody
    releases a rule that is braked.
    """

    def __init__(
        self,
        *,
        out: Path,
        clock: Clock,
        settings: Settings,
        verified: Collection[str],
        limits: Limits | None = None,
    ) -> None:
        self._clock = clock
        self._held = not settings.sending
        # Jobs worth driving through the queue together: a batch of the mapping, or one to watch.
        self.batch = BATCH_SIZE if isinstance(clock, SimulatedClock) else 1
        self._outcomes = OutcomeRecorder()
        self._outbox = Outbox(out)
        self._replies = ReplyOutbox(self._outbox, clock, settings.caps)
        self._services = DeployedServices(clock.time, verified=verified, outbox=self._outbox)
        self._jobs = WorkerQueue(self._client("sqs"), QUEUE_URL, DEAD_LETTER_URL)
        self._worker = self._make_worker(Loaded(Ruleset(()), settings, limits=limits or {}))
        self._mapping = EventSourceMapping(self._client("sqs"), QUEUE_URL, QUEUE_ARN, self._invoke)
        self._received: list[str] = []

    def _client(self, name: str) -> Any:  # in boto3's place
        return DirectClient(self._services.by_name[name])

    def _make_worker(self, loaded: Loaded) -> Worker:
        clock = self._clock
        return Worker(
            loader=_FixedLoader(loaded),
            ledger=Ledger(
                Table(self._client("dynamodb"), TABLE),
                now=partial(now, clock),
                sleep=clock.sleep,
                new_name=new_name,
            ),
            jobs=self._jobs,
            sender=Sender(self._client("ses")),
            pacer=Pacer(now=clock.time, sleep=clock.sleep),
            publisher=NO_PUBLISHER,
            outcomes=self._outcomes,
            now=partial(now, clock),
            ticks=clock.time,
            sleep=clock.sleep,
            new_name=new_name,
        )

    def submit(self, job: Job, message: Message, headers: bytes) -> None:
        """Queue a job as intake would, for a mail that is taken as received this moment.

        Domains that receive mail are verified: SES receives for no others. While sending is held
        the job is not queued, as nothing would end its wait.
        """
        if self._held:
            self._outcomes.wait(job)
            return
        for recipient in message.recipients:
            self._services.account.verify(domain(recipient))
        mail = ReceivedMail(
            message_id=message.message_id,
            sender=message.sender,
            recipients=message.recipients,
            received_at=self._clock.time(),
            headers=headers,
        )
        self._services.account.receive(mail)
        self._received.append(message.message_id)
        self._jobs.send(replace(job, received_at=now(self._clock)))

    def reply(self, reply: Reply) -> Outcome:
        """Send a reply; while sending is held it is not sent, as nothing would end its wait."""
        return Outcome(status="queued") if self._held else self._replies.send(reply)

    def drain(self) -> dict[str, Outcome]:
        """Work until the queue is empty; return the outcomes by reference."""
        while (visible_at := self._services.queue.next_visible_at()) is not None:
            self._clock.sleep(max(visible_at - self._clock.time(), 0.0))
            self._mapping.poll()
        self._forget()
        return self._outcomes.take()

    def _forget(self) -> None:
        """Let go of what has ended, so that memory stays flat."""
        for message_id in self._received:
            self._services.account.forget(message_id)
            self._outbox.forget(message_id)
        self._received.clear()
        self._services.queue.sent.clear()
        self._services.ledger.versions.clear()

    def _invoke(self, event: dict[str, list[Record]]) -> object:
        return self._worker.handle(
            event["Records"], remaining_s=WORKER_TIMEOUT_S, request_id="local"
        )
