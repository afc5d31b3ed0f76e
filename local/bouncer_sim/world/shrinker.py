"""Makes a scenario shorter while a run of it still breaks the same law.

Delta debugging (Zeller, "Simplifying and Isolating Failure-Inducing Input", 2002) over the list of
steps and incidents: parts are left out, large ones first, as long as the law stays broken.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from bouncer_sim.world.incident import ClockJump, Outage
from bouncer_sim.world.laws import breaches
from bouncer_sim.world.scenario import Scenario
from bouncer_sim.world.simulated_world import SimulatedWorld

T = TypeVar("T")

_EARLIEST = 6  # positions tried for each incident, from the first call on


def shrunk(scenario: Scenario, law: str) -> Scenario:
    """Return the shortest scenario found that breaks a law; the given one must break it."""

    def breaks(shorter: Scenario) -> bool:
        history = SimulatedWorld(shorter).run()
        return any(breach.law == law for breach in breaches(history))

    return _shorter(scenario, breaks)


def _shorter(scenario: Scenario, breaks: Callable[[Scenario], bool]) -> Scenario:
    found = _fewest_parts(scenario, breaks)
    earlier = _with_earlier_incidents(found, breaks)
    if earlier != found:  # what stood before them may not be needed any more
        found = _fewest_parts(earlier, breaks)
    plain = replace(found, skews=())
    return plain if plain != found and breaks(plain) else found


def _fewest_parts(scenario: Scenario, breaks: Callable[[Scenario], bool]) -> Scenario:
    everything = (*scenario.steps, *scenario.incidents)
    return _with(scenario, fewest(everything, lambda some: breaks(_with(scenario, some))))


def _with_earlier_incidents(scenario: Scenario, breaks: Callable[[Scenario], bool]) -> Scenario:
    """Return a scenario whose incidents meet the earliest calls that still break the law."""
    for place, incident in enumerate(scenario.incidents):
        if isinstance(incident, Outage | ClockJump):
            continue
        for nth in range(1, min(incident.nth, _EARLIEST + 1)):
            incidents = list(scenario.incidents)
            incidents[place] = replace(incident, nth=nth)
            earlier = replace(scenario, incidents=tuple(incidents))
            if breaks(earlier):
                scenario = earlier
                break
    return scenario


def _with(scenario: Scenario, parts: Sequence[object]) -> Scenario:
    """Return a scenario with only these of its steps and incidents."""
    kept = set(map(id, parts))
    return replace(
        scenario,
        steps=tuple(step for step in scenario.steps if id(step) in kept),
        incidents=tuple(incident for incident in scenario.incidents if id(incident) in kept),
    )


def fewest(parts: Sequence[T], holds: Callable[[Sequence[T]], bool]) -> Sequence[T]:
    """Return a part of `parts` for which `holds` is true and of which nothing can be left out."""
    size = max(len(parts) // 2, 1)
    while parts:
        shorter = _without_one_chunk(parts, size, holds)
        if shorter is not None:
            parts, size = shorter, min(size, max(len(shorter) // 2, 1))
        elif size == 1:
            break
        else:
            size = max(size // 2, 1)
    return parts


def _without_one_chunk(
    parts: Sequence[T], size: int, holds: Callable[[Sequence[T]], bool]
) -> Sequence[T] | None:
    for start in range(0, len(parts), size):
        shorter = [*parts[:start], *parts[start + size :]]
        if holds(shorter):
            return shorter
    return None
