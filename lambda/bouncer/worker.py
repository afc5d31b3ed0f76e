"""The Lambda function behind the queue: one job at a time, at most one SendBounce call a second.

An invocation takes the lease, keeps its batch from being delivered again, reads the settings and
works on each record. What it can't bring to an end goes back to the queue in order, to be delivered
again soon, after the lease was given back. `attempts` has what happens to each record.
"""

import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, Protocol
from uuid import uuid4

import boto3
from botocore.config import Config

from bouncer.aws.powertools_writer import powertools_writer
from bouncer.environment import WorkerEnvironment
from bouncer.function_limits import WORKER_TIMEOUT_S
from bouncer.journal import Journal
from bouncer.operator_settings import Settings
from bouncer.publishing import publisher_prompt
from bouncer.publishing.publisher_prompt import FunctionsClient, PromptError, PublisherPrompt
from bouncer.sending import delays, ses, table
from bouncer.sending.asking_again import PAUSE_S
from bouncer.sending.attempts import Attempts, HeldError
from bouncer.sending.kept_jobs import KeptJobs
from bouncer.sending.lease import Lease, LeaseBusyError, Term
from bouncer.sending.ledger import Ledger
from bouncer.sending.ledger_errors import LedgerError
from bouncer.sending.outcomes import Outcomes
from bouncer.sending.pacer import OutOfTimeError, Pacer, TimeIsUpError
from bouncer.sending.queue import QueueError, Record, StaleBatchError, WorkerQueue
from bouncer.sending.ses import Sender
from bouncer.sending.table import Table
from bouncer.sending.terms import Terms
from bouncer.sources.bucket_source import BucketSource
from bouncer.sources.loaded import InForceLoader, Loaded
from bouncer.sources.revision_loader import PointerLoader
from bouncer.sources.source import SourceError

# Client settings for S3 and SQS; ses.py and table.py have the others.
_CONFIG = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "max_attempts": 2})

# Time an invocation must have left when a call starts: the longest call, the longest ending of its
# job with a ledger that does not answer, and the lease to give back.
RESERVE_S = ses.CONNECT_TIMEOUT_S + ses.READ_TIMEOUT_S + 11 + 6
LAST_CALL_S = WORKER_TIMEOUT_S - RESERVE_S  # from the start of an invocation

_ASKED_FOR_S = 60  # the publisher runs every minute anyway
_RENEWED_S = 15  # a batch stays invisible for so long after its invocation
_LAST_TRY_S = 10  # the lease is not given back in the last seconds: what is left goes back then

Answer = dict[str, list[dict[str, str]]]


class InvocationOutcomes(Outcomes, Protocol):
    """The receiver of everything the worker reports, about jobs and about invocations."""

    def begin(self, request_id: str) -> None:
        """Start an invocation."""

    def documents(self, loaded: Loaded) -> None:
        """Report the settings in force and their problems."""

    def handed_back(self, count: int, error: Exception) -> None:
        """Report that jobs went back to the queue."""

    def held(self, count: int, error: Exception) -> None:
        """Report that jobs went back to the queue because sending is held."""

    def lease_busy(self, count: int, error: Exception) -> None:
        """Report that another invocation was at work, so that the batch comes again."""

    def lease_taken_over(self) -> None:
        """Report that an earlier invocation died with the lease."""

    def salt_made(self) -> None:
        """Report that the ledger's table had no salt, so that it was given one."""

    def stale_batch(self, count: int, error: Exception) -> None:
        """Report that the batch may be somebody else's by now, so that it was left alone."""


class Worker:
    """Works off batches of jobs, in one environment of the function.

    `now` is the time of day; `ticks` is a monotonic clock in seconds, and `sleep` lets it pass,
    both shared with the pacer. `new_name` returns a name that was never used before.
    """

    def __init__(
        self,
        *,
        loader: InForceLoader,
        ledger: Ledger,
        jobs: WorkerQueue,
        sender: Sender,
        pacer: Pacer,
        publisher: PublisherPrompt,
        outcomes: InvocationOutcomes,
        now: Callable[[], datetime],
        ticks: Callable[[], float],
        sleep: Callable[[float], None],
        new_name: Callable[[], str],
    ) -> None:
        self._loader = loader
        self._ledger = ledger
        self._jobs = jobs
        self._pacer = pacer
        self._publisher = publisher
        self._outcomes = outcomes
        self._now = now
        self._ticks = ticks
        self._sleep = sleep
        self._new_name = new_name
        self._environment = new_name()
        self._living = ""  # the last invocation here that could not give the lease back
        self._kept = KeptJobs(ledger=ledger, jobs=jobs, outcomes=outcomes, ticks=ticks)
        self._met_stranger_at: float | None = None
        self._asked: dict[str, float] = {}  # when the publisher was asked to name a rule
        self._attempts = Attempts(
            ledger=ledger,
            jobs=jobs,
            sender=sender,
            pacer=pacer,
            outcomes=outcomes,
            now=now,
            ticks=ticks,
            new_name=new_name,
        )

    def handle(
        self, records: Sequence[Record], *, remaining_s: float, request_id: str = ""
    ) -> Answer:
        """Work off a batch and return the records to deliver again.

        The answer is a partial batch response (Lambda Developer Guide, "Using Lambda with SQS").
        """
        self._outcomes.begin(request_id)
        me = self._new_name()
        term = Term.begin(
            wall_s=self._now().timestamp(),
            ticks=self._ticks(),
            remaining_s=remaining_s,
            timeout_s=WORKER_TIMEOUT_S,
        )
        left, error = self._under_lease(records, me, term)
        self._publish_brakes(term)
        if error is not None:
            self._return(left, error, done=len(records) - len(left))
        return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in left]}

    def _publish_brakes(self, term: Term) -> None:
        """Have the publisher name rules that are braked, if there is time, once a minute for each.

        Until our own pointer names them, a flood brings such jobs with every invocation.
        """
        rules, now = self._attempts.take_unpublished(), self._ticks()
        self._asked = {rule: at for rule, at in self._asked.items() if now < at + _ASKED_FOR_S}
        if rules.difference(self._asked) and now < term.ends - _LAST_TRY_S:
            try:
                self._publisher.ask()
            except PromptError as error:  # it runs within a minute anyway
                self._outcomes.worker_failed("publish", error)
            else:
                self._asked |= dict.fromkeys(rules, now)

    def _under_lease(
        self, records: Sequence[Record], me: str, term: Term
    ) -> tuple[Sequence[Record], Exception | None]:
        """Work with the lease; return the records that are left, and the cause.

        An error that is not expected leaves the lease as it is: whoever takes it over then counts
        the starts of each job.
        """
        try:
            lease = self._ledger.take_lease(
                me, term, environment=self._environment, ticks=self._ticks(), living=self._living
            )
        except (LeaseBusyError, LedgerError) as error:
            return records, error
        if lease.taken_over:
            self._outcomes.lease_taken_over()
        if lease.salt_is_new:
            self._outcomes.salt_made()
        if lease.after_stranger:  # an invocation that ends early leaves the wait to the next one
            self._met_stranger_at = self._ticks()
        left = self._work(records, term, lease)
        self._kept.bury(lease.kept, until=term.ends - RESERVE_S)
        self._give_back(me, term)
        return left

    def _work(
        self, records: Sequence[Record], term: Term, lease: Lease
    ) -> tuple[Sequence[Record], Exception | None]:
        """Work off records in order until one can't be; return it and all behind it."""
        done = 0
        try:
            self._renew(records, term)
            loaded = self._loader.load()
            self._outcomes.documents(loaded)
            self._keep_pace(loaded.settings)
            terms = Terms(
                settings=loaded.settings,
                held=loaded.sending_held,
                until=term.ends - RESERVE_S,
                counting=lease.taken_over,
                keeping=lease.has_room,
                salt=lease.salt,
                counted_from=lease.counted_from,
                limits=loaded.limits,
                braked=loaded.braked,
            )
            while done < len(records):
                done += self._attempts.work(records[done:], terms)
        except _EXPECTED as error:
            return records[done:], error
        return (), None

    def _keep_pace(self, in_force: Settings) -> None:
        """Set the spacing of calls, also from a call that another environment may have made."""
        self._pacer.spacing_s = 1 / in_force.rate
        if self._met_stranger_at is not None:
            self._pacer.after_stranger(at=self._met_stranger_at)
            self._met_stranger_at = None

    def _renew(self, records: Sequence[Record], term: Term) -> None:
        """Keep the batch invisible a little longer than this invocation can last."""
        visible_in_s = int(term.ends - self._ticks()) + _RENEWED_S
        try:
            self._jobs.renew(records, visible_in_s=visible_in_s)
        except QueueError as error:  # then it stays invisible for longer, or is found stale
            self._outcomes.worker_failed("renew", error)

    def _give_back(self, me: str, term: Term) -> None:
        """Give the lease back, and try again while there is time: others wait for it."""
        while True:
            try:
                self._ledger.give_lease_back(me, term, environment=self._environment)
            except LedgerError as error:
                if self._ticks() + PAUSE_S > term.ends - _LAST_TRY_S:
                    self._outcomes.worker_failed("lease", error)
                    self._living = me
                    return
                self._sleep(PAUSE_S)
            else:
                return

    def _return(self, records: Sequence[Record], error: Exception, *, done: int) -> None:
        """Report the records that are left, and have them delivered again soon.

        `done` is the number of records before them. If there are any, and only the time is up, the
        batch was too long for one invocation, as it is at a low `rate`: it goes on at once.
        """
        now = self._now()
        match error:
            case StaleBatchError():
                self._outcomes.stale_batch(len(records), error)
                return
            case LeaseBusyError():
                self._outcomes.lease_busy(len(records), error)
                delay_s = error.delay_s
            case TimeIsUpError() if done:
                delay_s = 0
            case HeldError():
                self._outcomes.held(len(records), error)
                delay_s = delays.while_held_s(records[0], now)
            case _:
                self._outcomes.handed_back(len(records), error)
                delay_s = delays.after_failure_s(records[0], now)
        try:
            self._jobs.hand_back(records, delay_s=delay_s)
        except QueueError as failure:  # they are delivered again by themselves, only later
            self._outcomes.worker_failed("hand_back", failure)


_EXPECTED = (SourceError, LedgerError, OutOfTimeError, QueueError, StaleBatchError, HeldError)


def _new_name() -> str:
    return uuid4().hex


@cache
def _worker() -> Worker:
    """Build the function with its dependencies, once, at its first event."""
    environment = WorkerEnvironment.from_env(os.environ)
    source = BucketSource(boto3.client("s3", config=_CONFIG), environment.bucket)
    sqs = boto3.client("sqs", config=_CONFIG)
    items = Table(boto3.client("dynamodb", config=table.CONFIG), environment.ledger_table)
    return Worker(
        loader=PointerLoader(source, now=time.monotonic, senders=environment.senders),
        ledger=Ledger(items, now=_now, sleep=time.sleep, new_name=_new_name),
        jobs=WorkerQueue(sqs, environment.queue_url, environment.dead_letter_url),
        sender=Sender(boto3.client("ses", config=ses.CONFIG)),
        pacer=Pacer(now=time.monotonic, sleep=time.sleep),
        publisher=PublisherPrompt(_publisher_client, environment.publisher),
        outcomes=Journal("worker", environment.deployment, write=powertools_writer("worker")),
        now=_now,
        ticks=time.monotonic,
        sleep=time.sleep,
        new_name=_new_name,
    )


@cache
def _publisher_client() -> FunctionsClient:
    client: FunctionsClient = boto3.client("lambda", config=publisher_prompt.CONFIG)
    return client


def _now() -> datetime:
    return datetime.now(UTC)


def handler(event: dict[str, Any], context: Any) -> Answer:
    """Work off one batch of the queue: the Lambda entry point."""
    return _worker().handle(
        event["Records"],
        remaining_s=context.get_remaining_time_in_millis() / 1000,
        request_id=context.aws_request_id,
    )
