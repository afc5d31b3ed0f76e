"""The Lambda function behind the events of our bounces: it learns which senders not to answer.

SES publishes what becomes of a mail to EventBridge, a rule puts bounces and complaints into a
queue, and this function works it off. An event may come twice, late, out of order, or before the
worker has noted its bounce; most are about mail that is not ours.
"""

import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import uuid4

import boto3

from bouncer.environment import FeedbackEnvironment
from bouncer.feedback_journal import FeedbackJournal
from bouncer.sending import table
from bouncer.sending.bounce_event import BounceEventError, read_event
from bouncer.sending.feedback_ledger import FeedbackLedger, Known
from bouncer.sending.ledger_errors import LedgerError
from bouncer.sending.queue import Record
from bouncer.sending.table import Table

# An event of a bounce that the ledger does not know is looked up for so long: the worker may have
# to repeat the write of its end.
LOOKED_UP_S = 15 * 60

Answer = dict[str, list[dict[str, str]]]


class Feedback:
    """Works off batches of events, in one environment of the function.

    `senders` are the addresses that bounces of this deployment come from. `now_s` is the time in
    seconds since the epoch.
    """

    def __init__(
        self,
        *,
        ledger: FeedbackLedger,
        journal: FeedbackJournal,
        senders: Sequence[str],
        now_s: Callable[[], float],
    ) -> None:
        self._ledger = ledger
        self._journal = journal
        self._senders = {sender.lower() for sender in senders}
        self._now_s = now_s

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
        except Exception as error:  # noqa: BLE001  # one odd event must not hold up the others
            self._journal.feedback_failed("event", error)
        return False

    def _is_settled(self, record: Record) -> bool:
        try:
            event = read_event(record["body"])
        except BounceEventError as error:
            self._journal.unreadable(error)
            return True
        match self._ledger.settle(event):
            case Known.OURS:
                self._journal.bounced(event)
            case Known.REPEATED:
                self._journal.repeated(event)
            case Known.UNKNOWN if self._may_be_early(record, event.source):
                self._journal.waits(event)
                return False
            case _:
                self._journal.ignored(event)
        return True

    def _may_be_early(self, record: Record, source: str) -> bool:
        """Tell whether an unknown event may be about a bounce that the ledger will soon know."""
        queued_s = int(record.get("attributes", {}).get("SentTimestamp", 0)) / 1000
        return source.lower() in self._senders and self._now_s() - queued_s < LOOKED_UP_S


def _new_name() -> str:
    return uuid4().hex


def _now() -> datetime:
    return datetime.now(UTC)


@cache
def _feedback() -> Feedback:
    """Build the function with its dependencies, once, at its first event."""
    environment = FeedbackEnvironment.from_env(os.environ)
    items = Table(boto3.client("dynamodb", config=table.CONFIG), environment.ledger_table)
    return Feedback(
        ledger=FeedbackLedger(items, now=_now, new_name=_new_name),
        journal=FeedbackJournal("feedback", environment.deployment),
        senders=environment.senders,
        now_s=time.time,
    )


def handler(event: dict[str, Any], context: Any) -> Answer:
    """Work off one batch of the queue: the Lambda entry point."""
    return _feedback().handle(event["Records"], request_id=context.aws_request_id)
