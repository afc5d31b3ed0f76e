"""Mistakes with the brake: each is a change of a deployed module that a law has to find."""

from typing import Any

from bouncer.sending import brakes, counters
from bouncer.sending.counters import Braked
from bouncer.sending.write import Write
from bouncer_sim.world.mutant import Mutant, replaced


def _never_braked(*_: Any) -> Braked:
    """Ask no brake."""
    return Braked()


def _no_trip(_: object) -> list[Write]:
    """Withhold the job, and do not write that its rule is braked."""
    return []


BRAKE_MUTANTS = (
    Mutant(
        "brake not asked",
        replaced(counters, braked=_never_braked),
        ("no_rule_sends_more_than_its_at_most",),
    ),
    Mutant("trip not written", replaced(brakes, trip=_no_trip), ("a_trip_is_never_lost",)),
)
