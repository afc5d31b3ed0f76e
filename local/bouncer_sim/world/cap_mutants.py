"""Mistakes with the caps: each is a change of a deployed class that a law has to find."""

from typing import Any

from bouncer.jobs.job import Job
from bouncer.sending import gate
from bouncer.sending.counters import Capped, Counters, Items
from bouncer_sim.world.mutant import Mutant, replaced


def _never_capped(*_: Any, **__: Any) -> Capped:
    """Ask no cap."""
    return Capped()


def _capped_early(job: Job, mine: Counters, items: Items, **_: Any) -> Capped:
    """Take a sender who was answered before for one whose cap is full."""
    known = mine.sender and mine.sender.key in items
    return Capped(recipients=frozenset(job.recipients), cap="sender") if known else Capped()


_RECIPIENT = "no_recipient_and_rule_pass_their_cap"
_REASON = "every_reason_is_true"

CAP_MUTANTS = (
    Mutant("caps not asked", replaced(gate, capped=_never_capped), (_RECIPIENT,)),
    Mutant("capped too early", replaced(gate, capped=_capped_early), (_REASON,)),
)
