"""Mistakes in the ledger and in the lease: what is written, in which order, on which condition."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from bouncer.jobs.job import Job
from bouncer.sending import claims, lease
from bouncer.sending.digest import Salt
from bouncer.sending.ending import Ending
from bouncer.sending.job_item import JobItem
from bouncer.sending.lease import Lease, Term
from bouncer.sending.ledger import Ledger, Reading
from bouncer.sending.write import Write, number
from bouncer_sim.world.mutant import Mutant, replaced

_LATE = 10**15  # milliseconds: long after every lease

_claim, _end, _read = Ledger.claim, Ledger.end, Ledger.read
_take_lease = Ledger.take_lease
_take = lease.take


def _claims_after_the_call() -> AbstractContextManager[object]:
    """Note each claim, and write it when the job ends."""
    noted: dict[str, Callable[[], object]] = {}

    def claim(self: Ledger, item: JobItem, job: Job, nonce: str, **more: Any) -> JobItem:
        noted[nonce] = lambda: _claim(self, item, job, nonce, **more)
        return item.begun(nonce, claims.mail_key(job.message_id), claims.digests(job.recipients))

    def end(self: Ledger, item: JobItem, ending: Ending) -> None:
        noted.pop(item.nonce, lambda: None)()
        _end(self, item, ending)

    return replaced(Ledger, claim=claim, end=end)()


def _read_alone(self: Ledger, *arguments: Any, **more: Any) -> Reading:
    """Read a job without the recipients that others have claimed."""
    return replace(_read(self, *arguments, **more), answered=frozenset())


def _never_ended(*_: Any) -> bool:
    """Write no end of jobs that are withheld together."""
    return True


def _never_fenced(*_: Any) -> None:
    """Give a claim up, and leave it to chance whether it takes effect later."""


def _always_taken(*_: Any, **__: Any) -> Lease:
    """Work without a lease."""
    return Lease(taken_over=False, after_stranger=False, salt=Salt("none"))


def _held_for_a_moment(
    self: Ledger, me: str, term: Term, *, environment: str, **more: Any
) -> Lease:
    """Give the lease back as soon as it is taken."""
    found = _take_lease(self, me, term, environment=environment, **more)
    self.give_lease_back(me, term, environment=environment)
    return found


def _taken_from_the_living(me: str, term: Term, ticks: float, **more: Any) -> Write:
    """Take a lease over whose time is not up."""
    write = _take(me, term, ticks, **more)
    return replace(write, values={**write.values, ":now": number(_LATE)})


def _never_counted(self: Ledger, record_id: str, _: int) -> JobItem:
    """Count no start of a job."""
    return self.read_item(record_id)


_PACE = "no_two_calls_arrive_within_a_second"
_TWICE = "no_recipient_of_a_mail_is_bounced_twice"
_ONE = "every_job_has_one_outcome"
_REASON = "every_reason_is_true"
_STANDS = "an_end_stands_before_its_line"
_WAITS = "no_job_waits_for_a_bad_one"

LEDGER_MUTANTS = (
    Mutant("claim after the call", _claims_after_the_call, (_TWICE,)),
    Mutant("gate asked with half a reading", replaced(Ledger, read=_read_alone), (_WAITS,)),
    Mutant("withheld together, not ended", replaced(Ledger, end_together=_never_ended), (_STANDS,)),
    Mutant("claim given up without a fence", replaced(Ledger, fence=_never_fenced), (_REASON,)),
    Mutant("lease not taken", replaced(Ledger, take_lease=_always_taken), (_PACE, _ONE)),
    Mutant("lease given back too early", replaced(Ledger, take_lease=_held_for_a_moment), (_PACE,)),
    Mutant("lease taken from the living", replaced(lease, take=_taken_from_the_living), (_PACE,)),
    Mutant("poison not counted", replaced(Ledger, start=_never_counted), (_WAITS,)),
)
