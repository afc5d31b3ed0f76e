"""Attempts at replies, each from its state in the ledger to the next one.

SES is not asked before the ledger has the claim, and no end of a claimed reply is reported before
the ledger has the end. Two invocations may be at work, on the same reply, too.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bouncer.errors import BouncerError
from bouncer.function_limits import REPLIER_TIMEOUT_S
from bouncer.jobs.job import JobError
from bouncer.jobs.reply import Reply
from bouncer.jobs.reply_json import from_json
from bouncer.operator_settings import Settings
from bouncer.reasons import Reason
from bouncer.sending import ending, reply_gate, suppression
from bouncer.sending.digest import Salt
from bouncer.sending.ending import Ending, Failure, failed
from bouncer.sending.job_item import State
from bouncer.sending.ledger_errors import LedgerError
from bouncer.sending.pacer import OutOfTimeError, TimeIsUpError
from bouncer.sending.queue import QueueError, Record
from bouncer.sending.reply_calls import ReplyCalls
from bouncer.sending.reply_item import LastReply, OtherFormError
from bouncer.sending.reply_ledger import ReplyLedger, ReplyReading
from bouncer.sending.reply_outcomes import ReplyOutcomes
from bouncer.sending.reply_queue import ReplierQueue
from bouncer.sending.reply_tally import count_reply
from bouncer.sending.send_quota import QuotaBook, QuotaUsedError
from bouncer.sending.ses_errors import UnknownOutcomeError

_READINGS = 3  # of a reply that somebody else changes at the same time

# The longest that an attempt can go on asking SES: an invocation, and what clocks differ by.
_AT_WORK = timedelta(seconds=REPLIER_TIMEOUT_S + 60)


class HeldReplyError(BouncerError):
    """Sending is held, so that the reply waits in the queue."""


class BusyError(BouncerError):
    """A reply has to wait alone: another attempt, or another version, may be at work on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyTerms:
    """The terms of all attempts of one invocation.

    No call starts after `until`, on the monotonic clock. `senders` are the bare addresses that
    replies may come from, in lower case. `salt` is that of the ledger's table.
    Replies count for the breaker from `counted_from` on, in epoch seconds.
    """

    settings: Settings
    held: bool
    until: float
    senders: frozenset[str]
    salt: Salt
    counted_from: int


class ReplyAttempts:
    """Works on one queue message after the other.

    It remembers, for as long as its environment lives, the ends that it could not write: by the
    nonce of the attempt, with None for a reply that was surely not sent.
    """

    def __init__(
        self,
        *,
        ledger: ReplyLedger,
        jobs: ReplierQueue,
        calls: ReplyCalls,
        quota: QuotaBook,
        outcomes: ReplyOutcomes,
        now: Callable[[], datetime],
        ticks: Callable[[], float],
        new_name: Callable[[], str],
    ) -> None:
        self._ledger = ledger
        self._jobs = jobs
        self._calls = calls
        self._quota = quota
        self._outcomes = outcomes
        self._now = now
        self._ticks = ticks
        self._new_name = new_name
        self._remembered: dict[str, Ending | None] = {}

    def work(self, record: Record, terms: ReplyTerms) -> None:
        """Bring a message to its end.

        Raises `BusyError` if this one has to go back to the queue; `LedgerError`, `QueueError`,
        `OutOfTimeError`, `QuotaUsedError` or `HeldReplyError` if those behind it have to, too.
        """
        try:
            reply = from_json(record["body"])
        except JobError as error:
            self._jobs.bury(record)
            end = failed(Failure.UNREADABLE, error, dead=True)
            self._outcomes.reply_ended(end, None, record=record["messageId"])
            return
        for _ in range(_READINGS):
            if self._is_done(record, reply, terms):
                return
        raise LedgerError("the reply changes as often as it is read")

    def _is_done(self, record: Record, reply: Reply, terms: ReplyTerms) -> bool:
        """Take one step from the state that the ledger has; false if it must be read again."""
        if self._ticks() > terms.until:
            raise TimeIsUpError
        try:
            reading = self._ledger.read(reply, terms.salt)
        except OtherFormError as error:
            return self._pass_over(record, reply, error)
        last = reading.last
        if _is_ended(last, record):
            self._report(record, reply, last.ending, again=True)
            return True
        if _is_begun(last, record):
            return self._settle(record, reply, reading, terms)
        try:
            return self._open(record, reply, reading, terms)
        except _EXPECTED:
            raise
        except Exception as error:  # noqa: BLE001  # one odd reply must not hold up the others
            self._defect(record, reply, error, terms)
            return True

    def _pass_over(self, record: Record, reply: Reply, error: OtherFormError) -> bool:
        """Leave a reply to the version that can read its item; only an old one comes to its end."""
        if not reply_gate.is_expired(reply, now=self._now()):
            raise BusyError(str(error)) from error
        self._report(record, reply, ending.withheld(Reason.EXPIRED))
        return True

    def _settle(
        self, record: Record, reply: Reply, reading: ReplyReading, terms: ReplyTerms
    ) -> bool:
        """End or free a reply that an earlier attempt began, or one that is at work elsewhere."""
        last = reading.last
        if last.nonce not in self._remembered:
            if last.is_at_work(self._now()):
                raise BusyError("another invocation may be at work on this reply")
            self._end(record, reply, reading, _unknown(), terms)
            return True
        end = self._remembered[last.nonce]
        if end is None:
            self._ledger.replace(reading.key, reply.rule, last, last.freed())
            del self._remembered[last.nonce]
            return False
        self._end(record, reply, reading, end, terms)
        return True

    def _open(self, record: Record, reply: Reply, reading: ReplyReading, terms: ReplyTerms) -> bool:
        """Ask the gate about a reply that was not begun, and send it."""
        now, last = self._now(), reading.last
        if last.is_at_work(now) and not reply_gate.is_expired(reply, now=now):
            raise BusyError("another reply to this sender by this rule may be at work")
        reason = reply_gate.withheld(
            reply, reading, now=now, settings=terms.settings, senders=terms.senders
        )
        if reason:
            self._report(record, reply, ending.withheld(reason))
            return True
        if terms.held:
            raise HeldReplyError("sending is held")
        refusal = reply_gate.foreign_sender(reply, terms.senders) or self._calls.refusal(reply)
        if refusal is not None:
            self._end(record, reply, reading, failed(Failure.FORBIDDEN, refusal, dead=True), terms)
            return True
        self._quota.take()
        self._calls.approach(until=terms.until)
        begun = self._claim(record, reply, reading)
        if begun is None:
            return False
        self._send(record, reply, begun, terms)
        return True

    def _claim(self, record: Record, reply: Reply, reading: ReplyReading) -> ReplyReading | None:
        """Claim the reply to this sender by this rule; None if somebody changed it first.

        A claim of which no answer came may take effect later: then this attempt did not ask SES.
        """
        nonce = self._new_name()
        until = self._now() + _AT_WORK
        begun = reading.last.next(record["messageId"], nonce=nonce, until=until)
        try:
            stands = self._ledger.replace(reading.key, reply.rule, reading.last, begun)
        except LedgerError:
            self._remembered[nonce] = None
            raise
        return replace(reading, last=begun) if stands else None

    def _send(self, record: Record, reply: Reply, reading: ReplyReading, terms: ReplyTerms) -> None:
        """Send a claimed reply, and end or free it by SES's answer."""
        try:
            end = self._calls.make(reply, terms.settings, until=terms.until)
        except OutOfTimeError as error:
            self._release(reply, reading, error)
            raise
        self._end(record, reply, reading, end, terms)

    def _release(self, reply: Reply, reading: ReplyReading, error: Exception) -> None:
        last = reading.last
        try:
            self._ledger.replace(reading.key, reply.rule, last, last.freed())
        except LedgerError as failure:
            self._remembered[last.nonce] = None
            self._outcomes.replier_failed("release", failure, reply.reference, answer=str(error))
            raise

    def _end(
        self,
        record: Record,
        reply: Reply,
        reading: ReplyReading,
        end: Ending,
        terms: ReplyTerms,
    ) -> None:
        """Write the end of a reply, then report it, then bury it if it is dead.

        If somebody else has changed the item, as `bouncer forget` does, the end is reported all the
        same: it is what SES said.
        """
        now, last = self._now(), reading.last
        mine = last if _is_begun(last, record) else last.next(record["messageId"])
        after = mine.ended(end, now)
        notes = [count_reply(reply, terms.salt, now)] if after.may_have_been_sent else []
        if end.bounce_id:
            sender, others = reply.sender, reply.recipients
            noted = suppression.note(end.bounce_id, sender, others, terms.salt, now)
            notes += suppression.counted(noted, terms.counted_from, now, replied=True)
        try:
            stands = self._ledger.replace(reading.key, reply.rule, last, after, *notes)
        except LedgerError as error:
            if mine is last:
                self._remembered[last.nonce] = end
            self._outcomes.replier_failed("ending", error, reply.reference, answer=end.said)
            raise
        if not stands:
            changed = LedgerError("the ledger's item was changed by somebody else")
            self._outcomes.replier_failed("ending", changed, reply.reference, answer=end.said)
        self._remembered.pop(last.nonce, None)
        self._report(record, reply, end)

    def _report(self, record: Record, reply: Reply, end: Ending, *, again: bool = False) -> None:
        """Report an end, then put a dead reply into the dead-letter queue.

        If that queue does not take it, it goes back, and is put there when it comes again.
        """
        wait_s = (self._now() - reply.received_at).total_seconds()
        name = record["messageId"]
        self._outcomes.reply_ended(end, reply, record=name, wait_s=wait_s, again=again)
        if end.dead:
            self._jobs.bury(record)

    def _defect(self, record: Record, reply: Reply, error: Exception, terms: ReplyTerms) -> None:
        """End a reply after an error of this program, which may have asked SES or not."""
        reading = self._ledger.read(reply, terms.salt)
        last = reading.last
        if _is_begun(last, record):
            self._end(record, reply, reading, failed(Failure.UNKNOWN, error), terms)
            return
        if _is_ended(last, record):
            self._outcomes.replier_failed("journal", error, reply.reference)
            return
        self._jobs.bury(record)
        end = failed(Failure.DEFECT, error, dead=True)
        self._outcomes.reply_ended(end, reply, record=record["messageId"])


_EXPECTED = (
    BusyError,
    HeldReplyError,
    LedgerError,
    OutOfTimeError,
    QueueError,
    QuotaUsedError,
)


def _is_begun(last: LastReply, record: Record) -> bool:
    return last.state is State.BEGUN and last.record == record["messageId"]


def _is_ended(last: LastReply, record: Record) -> bool:
    return last.state is State.ENDED and last.record == record["messageId"]


def _unknown() -> Ending:
    """Return the end of a reply that an attempt began of which nothing more is known."""
    return failed(
        Failure.UNKNOWN, UnknownOutcomeError("a replier died, or lost the ledger, as it called SES")
    )
