"""Draws whether SES stores mail, and what goes wrong while a stopped one is kept.

All of it is drawn by a chance of its own, so that it changes nothing else in a scenario.
"""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from bouncer_sim.world.incident import CallIncident, Incident, Outage, Trouble
from bouncer_sim.world.scenario import Scenario

_SEEDS = 4  # every fourth stores mail
_COPY = "mails.copy_object"
_TROUBLES = (
    *(Trouble.THROTTLED, Trouble.FORBIDDEN, Trouble.UNAVAILABLE, Trouble.UNREACHABLE),
    *(Trouble.BROKEN_BEFORE, Trouble.BROKEN_AFTER, Trouble.LOST_REQUEST, Trouble.LOST_ANSWER),
    *(Trouble.CUT_BEFORE, Trouble.CUT_AFTER, Trouble.LATE, Trouble.SLOW),
    *(Trouble.CRASH_BEFORE, Trouble.CRASH_AFTER),
)
_OUTAGES = (Trouble.FORBIDDEN, Trouble.UNAVAILABLE, Trouble.UNREACHABLE, Trouble.LOST_REQUEST)


def with_store(scenario: Scenario, seed: int) -> Scenario:
    """Return a scenario in which SES stores mail, or as it is."""
    if seed % _SEEDS != 3:  # noqa: PLR2004  # any remainder
        return scenario
    random = Random(f"store {seed}")  # noqa: S311  # chance that can be repeated
    return replace(scenario, stores=True, incidents=(*scenario.incidents, *_incidents(random)))


def _incidents(random: Random) -> Iterator[Incident]:
    for _ in range(random.choice((0, 1, 2, 4))):
        yield CallIncident(
            call=_COPY,
            nth=1 + int(random.expovariate(0.4)),
            trouble=random.choice(_TROUBLES),
            seconds=random.choice((2.0, 5.0, 40.0)),
        )
    if random.randrange(3) == 0:
        start = random.choice((0.0, random.uniform(0, 60)))
        trouble, share = random.choice(_OUTAGES), random.choice((1.0, 0.5))
        yield Outage(place="mails", start=start, end=start + 30, trouble=trouble, share=share)
