"""Mistakes with the caps: each is a change of a deployed class that a law has to find."""

from dataclasses import replace
from itertools import count
from typing import Any

from bouncer.caps import Caps
from bouncer.jobs.job import Job
from bouncer.sending import counters, gate
from bouncer.sending.bounce_calls import BounceCalls
from bouncer.sending.counters import Capped, Counters, Items
from bouncer.sending.digest import Salt
from bouncer.sending.ending import Ending, Failure, failed
from bouncer.sending.ses_errors import RefusedError
from bouncer.sending.write import Write
from bouncer_sim.world.mutant import Mutant, replaced

_LOOKS = count()
_writes, _counters = counters.writes, counters.counters


def _never_capped(*_: Any, **__: Any) -> Capped:
    """Ask no cap."""
    return Capped()


def _capped_early(job: Job, mine: Counters, items: Items, **_: Any) -> Capped:
    """Take a sender who was answered before for one whose cap is full."""
    known = mine.sender and mine.sender.key in items
    return Capped(recipients=frozenset(job.recipients), cap="sender") if known else Capped()


def _counted_again(*arguments: Any, **more: Any) -> list[Write]:
    """Count a job of an organisation at each of its claims."""
    return _writes(*arguments, **{**more, "again": False})


def _counted_by_delivery(job: Job, caps: Caps, salt: Salt, **more: Any) -> Counters:
    """Count each look at a job under a name of its own."""
    return _counters(replace(job, reference=f"{job.reference}-{next(_LOOKS)}"), caps, salt, **more)


def _never_called(*_: Any, **__: Any) -> Ending:
    """Say that SES refused, and do not ask it."""
    return failed(Failure.REFUSED, RefusedError("not asked"))


_RECIPIENT = "no_recipient_and_rule_pass_their_cap"
_REASON = "every_reason_is_true"
_COUNTER = "a_counter_has_only_jobs_that_were_begun"
_CALLED = "a_job_that_counts_was_called_for"

CAP_MUTANTS = (
    Mutant("caps not asked", replaced(gate, capped=_never_capped), (_RECIPIENT,)),
    Mutant("capped too early", replaced(gate, capped=_capped_early), (_REASON,)),
    Mutant("counted at each claim", replaced(counters, writes=_counted_again), (_COUNTER,)),
    Mutant("counted by delivery", replaced(counters, counters=_counted_by_delivery), (_COUNTER,)),
    Mutant("begun and not called", replaced(BounceCalls, make=_never_called), (_CALLED,)),
)
