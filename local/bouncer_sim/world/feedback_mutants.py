"""Mistakes with the events of our bounces, each of which a law of feedback has to find."""

from typing import Any

from bouncer import feedback
from bouncer.feedback import Feedback
from bouncer.sending import bounce_event, day_tally, gate, suppression
from bouncer.sending.bounce_event import Kind
from bouncer.sending.day_tally import Day
from bouncer_sim.world.mutant import Mutant, replaced

_with_double = day_tally.with_double


def _no(*_: Any, **__: Any) -> bool:
    """Say no, whatever is asked."""
    return False


def _not_noted(*_: Any) -> tuple[()]:
    """Forget the id of the bounce when its job ends."""
    return ()


def _any_is_permanent(*_: object) -> Kind:
    """Take each event for that of a mailbox that is gone."""
    return Kind.PERMANENT


def _every_double_counts(known: Day, bounce_id: str, organisation: str) -> Day:
    """Count all double bounces of an organisation as those of others."""
    return _with_double(known, bounce_id, f"{organisation} {bounce_id}")


def _no_cause(*_: object) -> str:
    """Find nothing wrong, whatever bounced."""
    return ""


_LOST = "suppression_is_never_lost"
_CAUSE = "nobody_is_suppressed_without_cause"
_DUE = "the_breaker_holds_when_due"
_ONLY_DUE = "the_breaker_holds_only_when_due"
_BOUNCED = "nobody_suppressed_is_bounced"

FEEDBACK_MUTANTS = (
    Mutant("early event ignored", replaced(Feedback, _may_be_early=_no), (_LOST,)),
    Mutant("bounce not noted", replaced(suppression, notes=_not_noted), (_LOST,)),
    Mutant(
        "transient taken for permanent", replaced(bounce_event, _kind=_any_is_permanent), (_CAUSE,)
    ),
    Mutant("suppression not asked", replaced(gate, is_suppressed=_no), (_BOUNCED,)),
    Mutant("breaker never trips", replaced(feedback, cause_to_hold=_no_cause), (_DUE,)),
    Mutant(
        "organisation not limited",
        replaced(day_tally, with_double=_every_double_counts),
        (_ONLY_DUE,),
    ),
)
