"""Mistakes with the events of our bounces, each of which a law of feedback has to find."""

from typing import Any

from bouncer.feedback import Feedback
from bouncer.sending import bounce_event, gate, suppression
from bouncer.sending.bounce_event import Kind
from bouncer_sim.world.mutant import Mutant, replaced


def _no(*_: Any, **__: Any) -> bool:
    """Say no, whatever is asked."""
    return False


def _not_noted(*_: Any) -> tuple[()]:
    """Forget the id of the bounce when its job ends."""
    return ()


def _any_is_permanent(*_: object) -> Kind:
    """Take each event for that of a mailbox that is gone."""
    return Kind.PERMANENT


_LOST = "suppression_is_never_lost"
_CAUSE = "nobody_is_suppressed_without_cause"
_BOUNCED = "nobody_suppressed_is_bounced"

FEEDBACK_MUTANTS = (
    Mutant("early event ignored", replaced(Feedback, _may_be_early=_no), (_LOST,)),
    Mutant("bounce not noted", replaced(suppression, notes=_not_noted), (_LOST,)),
    Mutant(
        "transient taken for permanent", replaced(bounce_event, _kind=_any_is_permanent), (_CAUSE,)
    ),
    Mutant("suppression not asked", replaced(gate, is_suppressed=_no), (_BOUNCED,)),
)
