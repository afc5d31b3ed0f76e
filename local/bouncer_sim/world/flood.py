"""Runs the deployed worker through a flood of rejected mails, and counts what becomes of them.

Nothing goes wrong here but the number of jobs, half a million. So one invocation follows another on
one clock, and nothing is kept that later jobs don't need.
"""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import count
from random import Random
from typing import IO, Any, NamedTuple, cast

from bouncer.function_limits import WORKER_TIMEOUT_S
from bouncer.jobs.job import Job, Refusal
from bouncer.jobs.job_json import to_json
from bouncer.journal import Journal
from bouncer.operator_settings import Settings
from bouncer.sending.ledger import Ledger
from bouncer.sending.pacer import Pacer
from bouncer.sending.queue import GROUP, WorkerQueue
from bouncer.sending.ses import Sender
from bouncer.sending.table import Table
from bouncer.sources.source import Documents
from bouncer.worker import Worker
from bouncer_sim.clock import SimulatedClock
from bouncer_sim.document_bucket import document_loader
from bouncer_sim.event_source_mapping import EventSourceMapping
from bouncer_sim.fake_ses.ses_account import ReceivedMail
from bouncer_sim.no_publisher import NO_PUBLISHER
from bouncer_sim.world.deployed_services import (
    DEAD_LETTER_URL,
    QUEUE_ARN,
    QUEUE_URL,
    TABLE,
    DeployedServices,
)
from bouncer_sim.world.direct_client import DirectClient
from bouncer_sim.world.flood_tally import FloodTally
from bouncer_sim.world.scenario import DOMAIN, HOUR_S, LATENCIES, START

# The worker's time, on the seventh of a core that 256 MB have. On a whole core boto3 takes 0.3 to
# 0.8 ms for a call, and a job 0.25 ms from its body to its line (measured); some is added for TLS.
_CALL_S = 0.007
_JOB_S = 0.002
_BETWEEN_S = 0.03  # from the answer of an invocation to the next one: delete, receive, invoke
_PAUSE_S = 0.1  # until an empty queue is asked again
_PRUNED_EVERY_S = HOUR_S


class Arrival(NamedTuple):
    """A mail that is rejected `at` seconds from the beginning; `kind` is whose it is."""

    at: float
    kind: str
    sender: str


class Flood:
    """A deployment under `arrivals`, which are in the order of time; `run` it once.

    `rate` is the setting, in bounces a second.
    """

    def __init__(self, arrivals: Iterable[Arrival], *, rate: float = 1.0) -> None:
        self._tally = FloodTally()
        self._arrivals = iter(arrivals)
        self._clock = SimulatedClock(START)
        self._services = DeployedServices(self._clock.time, verified=[DOMAIN])
        self._random = Random(1)  # noqa: S311  # chance that can be repeated
        self._numbers = count()
        self._open: dict[str, Arrival] = {}
        self._mapping = EventSourceMapping(
            cast("Any", DirectClient(self._services.by_name["sqs"])),
            QUEUE_URL,
            QUEUE_ARN,
            self._invoke,
        )
        self._worker = self._make_worker(Settings(rate=rate))

    def _make_worker(self, settings: Settings) -> Worker:
        names = map("name-{}".format, count())
        return Worker(
            loader=document_loader(_NoDocuments(), settings, now=self._clock.time),
            ledger=Ledger(
                Table(self._client("dynamodb"), TABLE),
                now=self._now,
                sleep=self._clock.sleep,
                new_name=lambda: next(names),
            ),
            jobs=WorkerQueue(self._client("sqs", "queue"), QUEUE_URL, DEAD_LETTER_URL),
            sender=Sender(self._client("ses")),
            pacer=Pacer(now=self._clock.time, sleep=self._clock.sleep),
            publisher=NO_PUBLISHER,
            outcomes=Journal("worker", "flood", stream=cast("IO[str]", _Lines(self._read))),
            now=self._now,
            ticks=self._clock.time,
            sleep=self._clock.sleep,
            new_name=lambda: next(names),
        )

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.time(), UTC)

    def _client(self, name: str, place: str = "") -> Any:  # in boto3's place
        latency = LATENCIES[place or name]
        return _PatientClient(
            self._services.by_name[name],
            lambda: self._clock.sleep(self._random.uniform(latency.least_s, latency.most_s)),
            lambda: self._clock.sleep(_CALL_S),
        )

    def run(self) -> FloodTally:
        """Let everybody's mail arrive, work until the queue is empty, and say what happened."""
        following = next(self._arrivals, None)
        pruned_at = START
        while following or self._services.queue.next_visible_at() is not None:
            while following and START + following.at <= self._clock.time():
                self._queue(following)
                following = next(self._arrivals, None)
            if not self._mapping.poll():
                self._clock.sleep(_PAUSE_S)
            if self._clock.time() - pruned_at > _PRUNED_EVERY_S:
                self._prune()
                pruned_at = self._clock.time()
        self._tally.lasted_s = self._clock.time() - START
        return self._tally

    def _invoke(self, event: dict[str, Any]) -> object:
        self._clock.sleep(_BETWEEN_S + _JOB_S * len(event["Records"]))
        self._services.queue.sent.clear()
        self._services.ledger.versions.clear()
        return self._worker.handle(event["Records"], remaining_s=WORKER_TIMEOUT_S)

    def _queue(self, arrival: Arrival) -> None:
        """Put the job of one mail into the queue, as the intake does."""
        name = f"m{next(self._numbers)}"
        at = START + arrival.at
        recipients = (f"person{self._random.randrange(1000)}@{DOMAIN}",)
        self._services.account.receive(
            ReceivedMail(
                message_id=name,
                sender=arrival.sender,
                recipients=recipients,
                received_at=at,
                headers=b"",
            )
        )
        self._services.queue.send(to_json(_job(name, arrival, recipients)), GROUP, name)
        self._open[name] = arrival
        self._tally.queued[arrival.kind] += 1

    def _read(self, line: dict[str, Any]) -> None:
        """Count a line of the journal that is about the end of a job; no job may have two."""
        if "record" not in line:
            return
        name = str(line["message_id"])
        arrival, now_s = self._open.pop(name), self._clock.time() - START
        end = line.get("reason", line["message"])
        self._tally.end(arrival.kind, end, at_s=now_s, wait_s=now_s - arrival.at)
        self._services.account.forget(name)

    def _prune(self) -> None:
        """Let go of what was said about jobs that have ended; their counters stay."""
        items = self._services.ledger.items
        for key in [key for key in items if key.startswith(("job#", "mail#"))]:
            del items[key]


class _NoDocuments:
    """A source without rules or settings: those of the deployment are in force."""

    def read(self) -> Documents:
        return Documents({})


class _PatientClient(DirectClient):
    """A client whose calls take time: the way there, the way back and the CPU of the caller."""

    def __init__(
        self, service: Any, travel: Callable[[], None], compute: Callable[[], None]
    ) -> None:
        super().__init__(service)
        self._travel = travel
        self._compute = compute

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        act = super().__getattr__(operation)

        def call(**arguments: Any) -> dict[str, Any]:
            self._compute()
            self._travel()
            answer = act(**arguments)
            self._travel()
            return answer

        return call


class _Lines:
    """As much of a text file as a journal needs; `read` is called with each line."""

    def __init__(self, read: Callable[[dict[str, Any]], None]) -> None:
        self._read = read

    def write(self, text: str) -> int:
        self._read(json.loads(text))
        return len(text)

    def flush(self) -> None:
        """Do nothing: every line is read as it is written."""


def _job(name: str, arrival: Arrival, recipients: tuple[str, ...]) -> Job:
    refusals = tuple(
        Refusal(recipient=each, rule="r", recipient_arn=None, bounce_type="DoesNotExist", dsn=None)
        for each in recipients
    )
    return Job(
        message_id=name,
        received_at=datetime.fromtimestamp(START + arrival.at, UTC),
        reference=f"bnc-{name}",
        sender=arrival.sender,
        bounce_sender=f"bounces@{DOMAIN}",
        bounce_sender_arn=None,
        messages=(),
        reporting_mta="dns; mx.example.com",
        extension_fields=(),
        refusals=refusals,
    )
