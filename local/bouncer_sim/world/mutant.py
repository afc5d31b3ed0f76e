"""A mistake planted into the deployed classes, to see whether a law finds it.

A mutant replaces functions for the length of a `with`. It is found by a seed in which it breaks one
of its laws that the unchanged code keeps in the same seed.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from bouncer_sim.world.laws import breaches
from bouncer_sim.world.scenario_draw import draw
from bouncer_sim.world.simulated_world import SimulatedWorld


@dataclass(frozen=True, slots=True)
class Mutant:
    """A mistake: its name, the patch that plants it, and the laws of which it must break one."""

    name: str
    plant: Callable[[], AbstractContextManager[object]]
    laws: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The seed and the law by which a mutant was found, or None for both."""

    mutant: str
    seed: int | None
    law: str | None


def search(mutant: Mutant, seeds: Iterable[int]) -> Verdict:
    """Run seeds with the mistake and without it until a law tells the two apart."""
    for seed in seeds:
        with mutant.plant():
            broken = _broken(seed) & set(mutant.laws)
        if broken and (new := broken - _broken(seed)):
            return Verdict(mutant.name, seed, min(new))
    return Verdict(mutant.name, None, None)


def _broken(seed: int) -> set[str]:
    return {breach.law for breach in breaches(SimulatedWorld(draw(seed)).run())}


def replaced(owner: Any, **functions: Any) -> Callable[[], AbstractContextManager[object]]:
    """Return the planting of other functions into a class or a module, by their names."""
    return lambda: patch.multiple(owner, **functions)
