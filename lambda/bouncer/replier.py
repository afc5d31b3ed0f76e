"""The Lambda function behind the queue of replies: each sender gets one of a rule in a while.

Two invocations may run at a time. Each reads the settings and works on its batch, reply by reply.
What it can't bring to an end goes back to the queue, to be delivered again soon. `reply_attempts`
has what happens to each record.
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
from bouncer.environment import ReplierEnvironment
from bouncer.function_limits import REPLIER_TIMEOUT_S
from bouncer.replier_journal import ReplierJournal
from bouncer.sending import delays, ses, table
from bouncer.sending.lease import Term
from bouncer.sending.ledger_errors import LedgerError
from bouncer.sending.pacer import OutOfTimeError, Pacer, TimeIsUpError
from bouncer.sending.queue import QueueError, Record, StaleBatchError
from bouncer.sending.reply_attempts import BusyError, HeldReplyError, ReplyAttempts, ReplyTerms
from bouncer.sending.reply_calls import ReplyCalls
from bouncer.sending.reply_ledger import ReplyLedger
from bouncer.sending.reply_outcomes import ReplyOutcomes
from bouncer.sending.reply_queue import ReplierQueue
from bouncer.sending.reply_sender import ReplySender
from bouncer.sending.send_quota import QuotaBook, QuotaUsedError
from bouncer.sending.table import Table
from bouncer.sources.bucket_source import BucketSource
from bouncer.sources.loaded import InForceLoader, Loaded
from bouncer.sources.revision_loader import PointerLoader
from bouncer.sources.source import SourceError

# Client settings for S3, SQS and SESv2; ses.py and table.py have the others.
_CONFIG = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "max_attempts": 2})

# Time an invocation must have left when a call starts: the longest call, the longest ending of its
# reply with a ledger that does not answer, and the records to hand back.
RESERVE_S = ses.CONNECT_TIMEOUT_S + ses.READ_TIMEOUT_S + 17

_RENEWED_S = 15  # a batch stays invisible for so long after its invocation

Answer = dict[str, list[dict[str, str]]]


class ReplierOutcomes(ReplyOutcomes, Protocol):
    """The receiver of everything the replier reports, about replies and about invocations."""

    def begin(self, request_id: str) -> None:
        """Start an invocation."""

    def documents(self, loaded: Loaded) -> None:
        """Report the settings in force and their problems."""

    def handed_back(self, count: int, error: Exception) -> None:
        """Report that replies went back to the queue."""

    def held(self, count: int, error: Exception) -> None:
        """Report that replies went back to the queue because sending is held."""

    def salt_made(self) -> None:
        """Report that the ledger's table had no salt, so that it was given one."""

    def stale_batch(self, count: int, error: Exception) -> None:
        """Report that the batch may be somebody else's by now, so that it was left alone."""


class Replier:
    """Works off batches of replies, in one environment of the function.

    `senders` are the bare addresses that replies may come from. `now` is the time of day; `ticks`
    is a monotonic clock in seconds. `new_name` returns a name that was never used before.
    """

    def __init__(
        self,
        *,
        loader: InForceLoader,
        ledger: ReplyLedger,
        jobs: ReplierQueue,
        sender: ReplySender,
        pacer: Pacer,
        quota: QuotaBook,
        senders: frozenset[str],
        outcomes: ReplierOutcomes,
        now: Callable[[], datetime],
        ticks: Callable[[], float],
        new_name: Callable[[], str],
    ) -> None:
        self._loader = loader
        self._ledger = ledger
        self._jobs = jobs
        self._pacer = pacer
        self._quota = quota
        self._senders = senders
        self._outcomes = outcomes
        self._now = now
        self._ticks = ticks
        calls = ReplyCalls(sender=sender, pacer=pacer, outcomes=outcomes, now=now, ticks=ticks)
        self._attempts = ReplyAttempts(
            ledger=ledger,
            jobs=jobs,
            calls=calls,
            quota=quota,
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
        term = Term.begin(
            wall_s=self._now().timestamp(),
            ticks=self._ticks(),
            remaining_s=remaining_s,
            timeout_s=REPLIER_TIMEOUT_S,
        )
        busy: list[tuple[Record, BusyError]] = []
        left, error = self._work(records, term, busy)
        if error is not None:
            self._return(left, error, done=len(records) - len(left) - len(busy))
        waiting = [record for record, _ in busy]
        if busy:
            self._return(waiting, busy[0][1], done=0)
        failed = [record["messageId"] for record in (*waiting, *left)]
        return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}

    def _work(
        self, records: Sequence[Record], term: Term, busy: list[tuple[Record, BusyError]]
    ) -> tuple[Sequence[Record], Exception | None]:
        """Work off records until an error stops all of them; return what is left, and the error.

        Those that have to wait by themselves are added to `busy`, each with its reason.
        """
        done = 0
        try:
            self._renew(records, term)
            terms = self._terms(term)
            for record in records:
                try:
                    self._attempts.work(record, terms)
                except BusyError as error:
                    busy.append((record, error))
                done += 1
        except _EXPECTED as error:
            return records[done:], error
        return (), None

    def _terms(self, term: Term) -> ReplyTerms:
        """Return the terms of this invocation, and have the pacer keep the pace of now."""
        loaded = self._loader.load()
        self._outcomes.documents(loaded)
        facts = self._ledger.facts()
        if facts.salt_is_new:
            self._outcomes.salt_made()
        self._pacer.spacing_s = self._quota.spacing_s()
        return ReplyTerms(
            settings=loaded.settings,
            held=loaded.sending_held,
            until=term.ends - RESERVE_S,
            senders=self._senders,
            salt=facts.salt,
            counted_from=facts.counted_from,
        )

    def _renew(self, records: Sequence[Record], term: Term) -> None:
        """Keep the batch invisible a little longer than this invocation can last."""
        visible_in_s = int(term.ends - self._ticks()) + _RENEWED_S
        try:
            self._jobs.renew(records, visible_in_s=visible_in_s)
        except QueueError as error:  # then it stays invisible for longer, or is found stale
            self._outcomes.replier_failed("renew", error)

    def _return(self, records: Sequence[Record], error: Exception, *, done: int) -> None:
        """Report the records that are left, and have them delivered again soon.

        If there were others, of which `done` came to an end, and only the time is up, the rest goes
        on at once.
        """
        now = self._now()
        match error:
            case StaleBatchError():
                self._outcomes.stale_batch(len(records), error)
                return
            case TimeIsUpError() if done:
                delay_s = 0
            case HeldReplyError():
                self._outcomes.held(len(records), error)
                delay_s = delays.while_held_s(records[0], now)
            case QuotaUsedError():
                self._outcomes.handed_back(len(records), error)
                delay_s = delays.while_held_s(records[0], now)
            case _:
                self._outcomes.handed_back(len(records), error)
                delay_s = delays.after_failure_s(records[0], now)
        try:
            self._jobs.hand_back(records, delay_s=delay_s)
        except QueueError as failure:  # they are delivered again by themselves, only later
            self._outcomes.replier_failed("hand_back", failure)


_EXPECTED = (
    HeldReplyError,
    LedgerError,
    OutOfTimeError,
    QueueError,
    QuotaUsedError,
    SourceError,
    StaleBatchError,
)


def _new_name() -> str:
    return uuid4().hex


@cache
def _replier() -> Replier:
    """Build the function with its dependencies, once, at its first event."""
    environment = ReplierEnvironment.from_env(os.environ)
    source = BucketSource(boto3.client("s3", config=_CONFIG), environment.bucket)
    sqs = boto3.client("sqs", config=_CONFIG)
    items = Table(boto3.client("dynamodb", config=table.CONFIG), environment.ledger_table)
    journal = ReplierJournal("replier", environment.deployment, write=powertools_writer("replier"))
    return Replier(
        loader=PointerLoader(source, now=time.monotonic, senders=environment.senders),
        ledger=ReplyLedger(items, now=_now, sleep=time.sleep, new_name=_new_name),
        jobs=ReplierQueue(sqs, environment.queue_url, environment.dead_letter_url),
        sender=ReplySender(
            boto3.client("ses", config=ses.CONFIG), deployment=environment.deployment, now=_now
        ),
        pacer=Pacer(now=time.monotonic, sleep=time.sleep),
        quota=QuotaBook(
            boto3.client("sesv2", config=_CONFIG), ticks=time.monotonic, failed=journal.quota_unread
        ),
        senders=environment.reply_senders,
        outcomes=journal,
        now=_now,
        ticks=time.monotonic,
        new_name=_new_name,
    )


def _now() -> datetime:
    return datetime.now(UTC)


def handler(event: dict[str, Any], context: Any) -> Answer:
    """Work off one batch of the queue: the Lambda entry point."""
    return _replier().handle(
        event["Records"],
        remaining_s=context.get_remaining_time_in_millis() / 1000,
        request_id=context.aws_request_id,
    )
