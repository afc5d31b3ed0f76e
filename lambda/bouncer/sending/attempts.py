"""Attempts at queue messages, each from its state in the ledger to the next one.

The rows of the table in docs/decisions/0004-at-most-once.md stand here as branches. Nothing is sent
before the ledger has the claim, and no end is reported before the ledger has the end.
"""

from collections.abc import Callable
from datetime import datetime

from bouncer.caps import Caps
from bouncer.errors import BouncerError
from bouncer.jobs.job import Job, JobError
from bouncer.jobs.job_json import from_json
from bouncer.reasons import Reason
from bouncer.sending import claims, counters, gate, suppression
from bouncer.sending.counters import Capped, Counters
from bouncer.sending.ending import (
    Ending,
    Failure,
    PoisonError,
    failed,
    sent,
    withheld,
)
from bouncer.sending.job_item import JobItem, State
from bouncer.sending.ledger import EndedByAnotherError, Ledger, Reading
from bouncer.sending.ledger_errors import LedgerError
from bouncer.sending.outcomes import Outcomes
from bouncer.sending.pacer import OutOfTimeError, Pacer, TimeIsUpError
from bouncer.sending.queue import QueueError, Record, WorkerQueue, deliveries
from bouncer.sending.refused_identities import RefusedIdentities
from bouncer.sending.ses import Sender
from bouncer.sending.ses_errors import DeadLetterError, RefusedError, Scope, UnknownOutcomeError
from bouncer.sending.terms import Terms

_READINGS = 3  # of a job that somebody else changes at the same time
_CLAIM_AHEAD_S = 0.15  # a claim is made just before its slot, so that few wait for an answer

# A connection idle for longer may be dead, above all after a freeze of the function; a call on a
# dead one has an unknown outcome.
_KEPT_S = 5.0


class HeldError(BouncerError):
    """Sending is held, so that the job waits in the queue."""


class _ExpiredError(BouncerError):
    """The time in which SES takes the bounce is over."""


class Attempts:
    """Works on one queue message after the other.

    It remembers, for as long as its environment lives, the ends that it could not write: by the
    nonce of the attempt, with None for a bounce that was surely not sent.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        jobs: WorkerQueue,
        sender: Sender,
        pacer: Pacer,
        outcomes: Outcomes,
        now: Callable[[], datetime],
        ticks: Callable[[], float],
        new_name: Callable[[], str],
    ) -> None:
        self._ledger = ledger
        self._jobs = jobs
        self._sender = sender
        self._pacer = pacer
        self._outcomes = outcomes
        self._now = now
        self._ticks = ticks
        self._new_name = new_name
        self._remembered: dict[str, Ending | None] = {}
        self._refused = RefusedIdentities()
        self._called_at = ticks()

    def work(self, record: Record, terms: Terms) -> None:
        """Bring one message to its end.

        Raises `LedgerError`, `QueueError`, `OutOfTimeError` or `HeldError` if it has to go back to
        the queue, with all behind it.
        """
        if terms.counting and self._is_settled_as_poison(record, terms):
            return
        try:
            job = from_json(record["body"])
        except JobError as error:
            self._unreadable(record, error, terms)
            return
        for _ in range(_READINGS):
            if self._is_done(record, job, terms):
                return
        raise LedgerError("the job changes as often as it is read")

    def _is_settled_as_poison(self, record: Record, terms: Terms) -> bool:
        """Count a start, and bury the message unread if the last workers died on it."""
        receives = deliveries(record)
        item = self._ledger.start(record["messageId"], receives)
        if item.state is State.ENDED and item.reason == Failure.POISON:
            self._repeat(record, None, item, terms)
            return True
        if not (item.is_open and item.is_poison(receives)):
            return False
        error = PoisonError(f"{receives} receives, and the last three workers died")
        self._end(record, None, item, failed(Failure.POISON, error, dead=True), terms)
        return True

    def _unreadable(self, record: Record, error: JobError, terms: Terms) -> None:
        """End a message that is not a job; a worker of another version may have begun it."""
        item = self._ledger.read_item(record["messageId"])
        if item.state is State.ENDED:
            self._repeat(record, None, item, terms)
        elif item.state is State.BEGUN:
            self._end(record, None, item, _unknown(), terms)
        else:
            self._end(record, None, item, failed(Failure.UNREADABLE, error, dead=True), terms)

    def _is_done(self, record: Record, job: Job, terms: Terms) -> bool:
        """Take one step from the state that the ledger has; false if it must be read again."""
        if self._ticks() > terms.until:
            raise TimeIsUpError
        mine = counters.counters(job, terms.settings.caps, terms.salt)
        sender = suppression.sender_digest(job, terms.salt)
        reading = self._ledger.read(record["messageId"], job, mine, sender=sender)
        if reading.item.state is State.ENDED:
            self._repeat(record, claims.claimed_part(job, reading.item.mine), reading.item, terms)
            return True
        if reading.item.state is State.BEGUN:
            begun = claims.claimed_part(job, reading.item.mine)
            return self._settle(record, begun, reading.item, terms)
        try:
            return self._open(record, job, reading, mine, terms)
        except (LedgerError, QueueError, OutOfTimeError, HeldError):
            raise
        except Exception as error:  # noqa: BLE001  # one odd job must not hold up those behind it
            self._defect(record, job, error, terms)
            return True

    def _defect(self, record: Record, job: Job, error: Exception, terms: Terms) -> None:
        """End a job after an error of this program."""
        item = self._ledger.read_item(record["messageId"])
        if item.is_open:
            self._end(record, job, item, failed(Failure.DEFECT, error, dead=True), terms)
        elif item.state is State.BEGUN:
            self._end(record, job, item, failed(Failure.UNKNOWN, error), terms)
        else:
            self._outcomes.worker_failed("journal", error, job.reference)

    def _settle(self, record: Record, job: Job, item: JobItem, terms: Terms) -> bool:
        """End or free a job that an earlier attempt began."""
        if item.nonce not in self._remembered:
            self._end(record, job, item, _unknown(), terms)
            return True
        ending = self._remembered[item.nonce]
        if ending is None:
            self._ledger.release(item)
            del self._remembered[item.nonce]
            return False
        self._end(record, job, item, ending, terms)
        return True

    def _open(
        self, record: Record, job: Job, reading: Reading, mine: Counters, terms: Terms
    ) -> bool:
        """Ask the gate about a job that was not begun, and send it."""
        now, settings = self._now(), terms.settings
        reason = gate.withheld(
            job,
            now=now,
            answered=reading.answered,
            suppressed=reading.suppressed,
            settings=settings,
        )
        if reason is not None:
            self._end(record, job, reading.item, withheld(reason), terms)
            return True
        unanswered = job.without(reading.answered)
        capped = gate.capped(unanswered, mine, reading.counts, now=now, settings=settings)
        if capped.recipients >= set(unanswered.recipients):
            ending = withheld(Reason.CAPPED, cap=capped.cap)
            self._end(record, unanswered, reading.item, ending, terms)
            return True
        if terms.held:
            raise HeldError("sending is held")
        refusal = self._refused.refusal(job, at=self._ticks())
        if refusal is not None:
            ending = failed(Failure.FORBIDDEN, refusal, dead=True)
            self._end(record, job, reading.item, ending, terms)
            return True
        self._pacer.approach(until=terms.until, ahead_s=_CLAIM_AHEAD_S)
        bounced = unanswered.without(capped.recipients)
        begun = self._claim(reading, bounced, mine, capped, settings.caps)
        if begun is None:
            return False
        self._send(record, bounced, begun, terms)
        return True

    def _claim(
        self, reading: Reading, job: Job, mine: Counters, capped: Capped, caps: Caps
    ) -> JobItem | None:
        """Claim and count a job; a claim that is given up can't take effect later."""
        item, nonce = reading.item, self._new_name()
        count = counters.writes(
            job, mine, reading.counts, now=self._now(), caps=caps, again=item.counted
        )
        try:
            return self._ledger.claim(item, job, nonce, capped=capped.recipients, count=count)
        except LedgerError:
            self._remembered[nonce] = None  # should it take effect all the same: not sent
            begun = self._ledger.fence(item, nonce)
            del self._remembered[nonce]
            if begun is None:
                raise
            return begun

    def _send(self, record: Record, job: Job, item: JobItem, terms: Terms) -> None:
        """Send a begun job, and end or free it by SES's answer."""
        try:
            ending = self._answer(job, terms)
        except OutOfTimeError as error:
            self._release(item, job, error)
            raise
        except _ExpiredError:
            ending = withheld(Reason.EXPIRED)
        self._end(record, job, item, ending, terms)

    def _answer(self, job: Job, terms: Terms) -> Ending:
        """Call SES, and return the end that its answer means."""

        def check() -> None:
            if gate.is_expired(job, now=self._now(), settings=terms.settings):
                raise _ExpiredError("the job expired while it waited")

        try:
            bounce_id = self._pacer.call(
                lambda: self._call(job),
                until=terms.until,
                retried=lambda error: self._outcomes.retried(job, error),
                check=check,
            )
        except DeadLetterError as error:
            return self._refusal(job, error)
        except RefusedError as error:
            return failed(Failure.REFUSED, error)
        except (OutOfTimeError, _ExpiredError):
            raise
        except Exception as error:  # noqa: BLE001  # SES may have accepted the bounce
            return failed(Failure.UNKNOWN, error)
        return sent(bounce_id)

    def _call(self, job: Job) -> str:
        if self._ticks() - self._called_at > _KEPT_S:
            self._sender.close()
            self._pacer.disconnected()
        try:
            return self._sender.send(job)
        finally:
            self._called_at = self._ticks()

    def _refusal(self, job: Job, error: DeadLetterError) -> Ending:
        if error.scope is not Scope.IDENTITY:
            return failed(Failure.REFUSED, error, dead=True)
        self._refused.note(job, error, at=self._ticks())
        return failed(Failure.FORBIDDEN, error, dead=True)

    def _release(self, item: JobItem, job: Job, error: Exception) -> None:
        try:
            self._ledger.release(item)
        except LedgerError as failure:
            self._remembered[item.nonce] = None
            self._outcomes.worker_failed("release", failure, job.reference, answer=str(error))
            raise

    def _end(
        self, record: Record, job: Job | None, item: JobItem, ending: Ending, terms: Terms
    ) -> None:
        """Write the end of a job, then report it, then bury it if it is dead."""
        reference = job.reference if job else None
        try:
            notes = suppression.notes(ending, record["body"], terms, self._now())
            self._ledger.end(item, ending, *notes)
        except EndedByAnotherError as error:
            said = ending.said
            self._outcomes.worker_failed("ending", error, reference, answer=said, again=True)
            self._repeat(record, job, error.item, terms)
            return
        except LedgerError as error:
            if item.state is State.BEGUN:
                self._remembered[item.nonce] = ending
            self._outcomes.worker_failed("ending", error, reference, answer=ending.said)
            raise
        self._remembered.pop(item.nonce, None)
        self._report(record, job, item, ending, terms, again=False)
        if ending.dead:
            self._bury(record, job, terms)

    def _repeat(self, record: Record, job: Job | None, item: JobItem, terms: Terms) -> None:
        """Report the end of a job that was delivered again, and bury it again if it is dead."""
        self._report(record, job, item, item.ending, terms, again=True)
        if item.dead and not item.kept:
            self._bury(record, job, terms)

    def _report(
        self,
        record: Record,
        job: Job | None,
        item: JobItem,
        ending: Ending,
        terms: Terms,
        *,
        again: bool,
    ) -> None:
        wait_s = (self._now() - job.received_at).total_seconds() if job else 0.0
        whole = from_json(record["body"]) if item.capped else None
        self._outcomes.ended(
            ending,
            job,
            terms.settings,
            record=record["messageId"],
            wait_s=wait_s,
            again=again,
            capped=claims.named(whole, item.capped) if whole else (),
        )

    def _bury(self, record: Record, job: Job | None, terms: Terms) -> None:
        """Put a dead job into the dead-letter queue, or else keep its body in the ledger.

        If neither takes it, it goes back to the queue, and is put again when it comes again.
        """
        try:
            self._jobs.bury(record)
        except QueueError as error:
            self._outcomes.worker_failed("bury", error, job.reference if job else None)
            if not terms.keeping:
                raise
            self._ledger.keep_body(record["messageId"], record["body"])


def _unknown() -> Ending:
    """Return the end of a job that an attempt began of which nothing more is known."""
    error = UnknownOutcomeError("a worker died, or lost the ledger, as it called SES")
    return failed(Failure.UNKNOWN, error)
