"""Attempts at queue messages, each from its state in the ledger to the next one.

The rows of the table in docs/decisions/0004-at-most-once.md stand here as branches. Nothing is sent
before the ledger has the claim, and no end is reported before the ledger has the end.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from bouncer.caps import Caps
from bouncer.errors import BouncerError
from bouncer.jobs.job import Job, JobError
from bouncer.jobs.job_json import from_json
from bouncer.sending import brakes, claims, counters, gate, suppression
from bouncer.sending.bounce_calls import BounceCalls
from bouncer.sending.counters import Counters
from bouncer.sending.ending import Ending, Failure, PoisonError, failed
from bouncer.sending.gate import Verdict
from bouncer.sending.job_item import JobItem, State
from bouncer.sending.ledger import EndedByAnotherError, Ledger, Reading
from bouncer.sending.ledger_errors import LedgerError
from bouncer.sending.outcomes import Outcomes
from bouncer.sending.pacer import OutOfTimeError, Pacer, TimeIsUpError
from bouncer.sending.queue import QueueError, Record, WorkerQueue, deliveries
from bouncer.sending.ses import Sender
from bouncer.sending.ses_errors import UnknownOutcomeError
from bouncer.sending.terms import Terms
from bouncer.sending.withheld_jobs import WithheldJobs

_READINGS = 3  # of a job that somebody else changes at the same time


class HeldError(BouncerError):
    """Sending is held, so that the job waits in the queue."""


class Attempts:
    """Works on one queue message after the other, or on several that the gate withholds.

    It remembers, for as long as its environment lives, the ends that it could not write: by the
    nonce of the attempt, with None for a bounce that was surely not sent. So it does with poison.
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
        self._outcomes = outcomes
        self._now = now
        self._ticks = ticks
        self._new_name = new_name
        self._remembered: dict[str, Ending | None] = {}
        self._poison: set[str] = set()
        self._calls = BounceCalls(
            sender=sender, pacer=pacer, outcomes=outcomes, now=now, ticks=ticks
        )
        self._withheld_jobs = WithheldJobs(ledger, now=now)
        self._withheld_last = False
        self._unpublished: set[str] = set()

    def take_unpublished(self) -> set[str]:
        """Return the rules of braked jobs, since the last call, that the pointer does not name."""
        taken, self._unpublished = self._unpublished, set()
        return taken

    def work(self, records: Sequence[Record], terms: Terms) -> int:
        """Bring the first message to its end, or several of the first; return their number.

        Raises `LedgerError`, `QueueError`, `OutOfTimeError` or `HeldError` if it has to go back to
        the queue, with all behind it.
        """
        suspected = terms.counting or bool(self._poison)
        alike = self._withheld_last and len(records) > 1 and not suspected
        if alike and (ended := self._withheld_together(records, terms)):
            return ended
        self._work_on(records[0], terms)
        return 1

    def _withheld_together(self, records: Sequence[Record], terms: Terms) -> int:
        """End jobs behind one that was withheld, as far as these are withheld as well."""
        if self._ticks() > terms.until:
            raise TimeIsUpError
        jobs = self._withheld_jobs.end(records, terms)
        self._withheld_last = len(jobs) == len(records)
        for job in jobs:
            self._unpublished |= job.braked.difference(terms.braked)
            self._report(job.record, job.job, job.item, job.ending, terms, again=False)
        return len(jobs)

    def _work_on(self, record: Record, terms: Terms) -> None:
        suspected = terms.counting or record["messageId"] in self._poison
        if suspected and self._is_settled_as_poison(record, terms):
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
        record_id, receives = record["messageId"], deliveries(record)
        item = self._ledger.start(record_id, receives)
        if item.state is State.ENDED and item.reason == Failure.POISON:
            self._repeat(record, None, item, terms)
            return True
        if not (item.is_open and item.is_poison(receives)):
            return False
        error = PoisonError(f"{receives} receives, and three of the last workers died")
        self._poison.add(record_id)
        self._end(record, None, item, failed(Failure.POISON, error, dead=True), terms)
        self._poison.discard(record_id)
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
        mine = terms.counters(job)
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
        verdict = gate.verdict(
            job,
            mine,
            now=self._now(),
            answered=reading.answered,
            suppressed=reading.suppressed,
            items=reading.counts,
            settings=terms.settings,
        )
        self._unpublished |= verdict.braked.rules.difference(terms.braked)
        waits = terms.held and verdict.is_limited
        self._withheld_last = verdict.ending is not None and not waits
        if verdict.ending and not waits:
            self._end(record, verdict.job, reading.item, verdict.ending, terms)
            return True
        if terms.held:
            raise HeldError("sending is held")
        refusal = gate.foreign_sender(job, terms.settings) or self._calls.refusal(job)
        if refusal is not None:
            ending = failed(Failure.FORBIDDEN, refusal, dead=True)
            self._end(record, job, reading.item, ending, terms)
            return True
        self._calls.approach(until=terms.until)
        begun = self._claim(reading, verdict, mine, terms.settings.caps)
        if begun is None:
            return False
        self._send(record, verdict.job, begun, terms)
        return True

    def _claim(
        self, reading: Reading, verdict: Verdict, mine: Counters, caps: Caps
    ) -> JobItem | None:
        """Claim and count a job; a claim that is given up can't take effect later."""
        item, job, nonce = reading.item, verdict.job, self._new_name()
        count = counters.writes(
            job, mine, reading.counts, now=self._now(), caps=caps, again=item.counted
        )
        try:
            return self._ledger.claim(
                item,
                job,
                nonce,
                capped=verdict.capped.recipients,
                braked=verdict.braked.recipients,
                count=[*count, *brakes.trip(verdict.braked.trips)],
            )
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
            ending = self._calls.make(job, terms.settings, until=terms.until)
        except OutOfTimeError as error:
            self._release(item, job, error)
            raise
        self._end(record, job, item, ending, terms)

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
        whole = from_json(record["body"]) if item.capped or item.braked else None
        self._outcomes.ended(
            ending,
            job,
            terms.settings,
            record=record["messageId"],
            wait_s=wait_s,
            again=again,
            capped=claims.named(whole, item.capped) if whole else (),
            braked=claims.named(whole, item.braked) if whole else (),
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
