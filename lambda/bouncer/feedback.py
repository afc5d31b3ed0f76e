"""The Lambda function behind the events of our bounces: senders not to answer, and the breaker.

SES publishes what becomes of a mail to EventBridge, a rule puts bounces and complaints into a
queue, and this function works it off. An event may come twice, late, out of order, or before the
worker has noted its bounce; most are about mail that is not ours.
"""

import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import uuid4

import boto3
from botocore.config import Config

from bouncer.aws.powertools_writer import powertools_writer
from bouncer.breaker import BY, cause_to_hold
from bouncer.environment import FeedbackEnvironment
from bouncer.errors import DocumentError
from bouncer.feedback_journal import FeedbackJournal
from bouncer.function_limits import PUBLISHED_WITHIN_S, WORKER_TIMEOUT_S
from bouncer.held_document import held_document, read_held
from bouncer.sending import table
from bouncer.sending.bounce_event import BounceEventError, read_event
from bouncer.sending.day_tally import Day
from bouncer.sending.feedback_ledger import FeedbackLedger, Known
from bouncer.sending.ledger_errors import LedgerError
from bouncer.sending.queue import Record
from bouncer.sending.table import Table
from bouncer.sources.bucket_source import BucketSource
from bouncer.sources.hold import Hold
from bouncer.sources.loaded import InForceLoader
from bouncer.sources.revision_loader import PointerLoader
from bouncer.sources.source import HELD, SourceError

_CONFIG = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "max_attempts": 2})

# An event of a bounce that the ledger does not know is looked up for so long: the worker may have
# to repeat the write of its end.
LOOKED_UP_S = 15 * 60

Answer = dict[str, list[dict[str, str]]]


class Feedback:
    """Works off batches of events, in one environment of the function.

    `senders` are the addresses that bounces of this deployment come from; `now` is the time of day.
    """

    def __init__(
        self,
        *,
        ledger: FeedbackLedger,
        journal: FeedbackJournal,
        senders: Sequence[str],
        loader: InForceLoader,
        hold: Hold,
        now: Callable[[], datetime],
    ) -> None:
        self._ledger = ledger
        self._journal = journal
        self._senders = {sender.lower() for sender in senders}
        self._loader = loader
        self._hold = hold
        self._now = now

    def handle(self, records: Sequence[Record], *, request_id: str = "") -> Answer:
        """Work off a batch and return the records to deliver again.

        The answer is a partial batch response (Lambda Developer Guide, "Using Lambda with SQS").
        """
        self._journal.begin(request_id)
        left = [record["messageId"] for record in records if not self._is_done(record)]
        return {"batchItemFailures": [{"itemIdentifier": each} for each in left]}

    def _is_done(self, record: Record) -> bool:
        """Settle one event; false if it has to come again."""
        try:
            return self._is_settled(record)
        except LedgerError as error:
            self._journal.feedback_failed("ledger", error)
        except SourceError as error:
            self._journal.feedback_failed("breaker", error)
        except Exception as error:  # noqa: BLE001  # one odd event must not hold up the others
            self._journal.feedback_failed("event", error)
        return False

    def _is_settled(self, record: Record) -> bool:
        try:
            event = read_event(record["body"])
        except BounceEventError as error:
            self._journal.unreadable(error)
            return True
        settled = self._ledger.settle(event)
        match settled.known:
            case Known.OURS:
                self._journal.bounced(event)
            case Known.REPEATED:
                self._journal.repeated(event)
            case Known.UNKNOWN if self._may_be_early(record, event.source):
                self._journal.waits(event)
                return False
            case _:
                self._journal.ignored(event)
        if settled.day is not None:
            self._look_at(settled.day)
        return True

    def _look_at(self, day: Day) -> None:
        """Hold sending if too many bounces of a day bounced, unless somebody else holds it.

        Each step can be done again: an event that comes again finds which ones were done. Bounces
        are counted anew once the worker surely knows that sending is held, so that what trips the
        breaker does not trip it again after it is resumed.
        """
        loaded = self._loader.load()
        cause = cause_to_hold(day.sent, day.doubled.values(), loaded.settings.breaker_percent)
        if not cause or any(each.by != BY for each in loaded.causes):
            return
        now = self._now()
        held = self._hold.hold(held_document(since=now, by=BY, why=cause))
        if not _is_by_breaker(held):
            return
        self._journal.tripped(cause)
        known_after = timedelta(
            seconds=PUBLISHED_WITHIN_S + loaded.settings.cache_s + WORKER_TIMEOUT_S
        )
        self._ledger.count_anew(day, int((now + known_after).timestamp()) + 1)

    def _may_be_early(self, record: Record, source: str) -> bool:
        """Tell whether an unknown event may be about a bounce that the ledger will soon know."""
        queued_s = int(record.get("attributes", {}).get("SentTimestamp", 0)) / 1000
        return source.lower() in self._senders and self._now().timestamp() - queued_s < LOOKED_UP_S


def _is_by_breaker(held: str) -> bool:
    """Tell whether a document `held` is the breaker's; one that can't be read is a person's."""
    try:
        return read_held(held, document=HELD).by == BY
    except DocumentError:
        return False


def _new_name() -> str:
    return uuid4().hex


def _now() -> datetime:
    return datetime.now(UTC)


@cache
def _feedback() -> Feedback:
    """Build the function with its dependencies, once, at its first event."""
    environment = FeedbackEnvironment.from_env(os.environ)
    ssm = boto3.client("ssm", config=_CONFIG)
    source = BucketSource(boto3.client("s3", config=_CONFIG), environment.bucket)
    items = Table(boto3.client("dynamodb", config=table.CONFIG), environment.ledger_table)
    return Feedback(
        ledger=FeedbackLedger(items, now=_now, new_name=_new_name),
        journal=FeedbackJournal(
            "feedback", environment.deployment, write=powertools_writer("feedback")
        ),
        senders=environment.senders,
        loader=PointerLoader(source, now=time.monotonic),
        hold=Hold(ssm, environment.prefix),
        now=_now,
    )


def handler(event: dict[str, Any], context: Any) -> Answer:
    """Work off one batch of the queue: the Lambda entry point."""
    return _feedback().handle(event["Records"], request_id=context.aws_request_id)
