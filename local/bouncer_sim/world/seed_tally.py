"""Runs many seeds on all cores and counts what happened."""

import os
from argparse import ArgumentTypeError
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

from bouncer_sim.world.evidence import SEND_BOUNCE
from bouncer_sim.world.laws import breaches
from bouncer_sim.world.scenario_draw import draw
from bouncer_sim.world.simulated_world import SimulatedWorld

_CHUNK = 20


def seed_count(text: str) -> int:
    """Return the number of seeds that a command line asks for; raises `ArgumentTypeError`."""
    if not text.isdecimal() or not int(text):
        raise ArgumentTypeError(f"found {text}, expected a number of seeds, at least 1")
    return int(text)


@dataclass(slots=True)
class Tally:
    """The counts of several seeds.

    `late` counts SendBounce calls that arrived after their caller gave up, `breaches` those of each
    law; `broken` has the seeds that broke it.
    """

    seeds: int = 0
    calls: int = 0
    sent: int = 0
    late: int = 0
    troubles: Counter[str] = field(default_factory=Counter)
    breaches: Counter[str] = field(default_factory=Counter)
    broken: dict[str, list[int]] = field(default_factory=dict)

    def add(self, other: "Tally") -> None:
        """Add the counts of other seeds."""
        self.seeds += other.seeds
        self.calls += other.calls
        self.sent += other.sent
        self.late += other.late
        self.troubles += other.troubles
        self.breaches += other.breaches
        for law, seeds in other.broken.items():
            self.broken.setdefault(law, []).extend(seeds)


def tally(seeds: Iterable[int]) -> Tally:
    """Run seeds one after the other and return their counts."""
    counts = Tally()
    for seed in seeds:
        counts.add(_of_one(seed))
    return counts


def _of_one(seed: int) -> Tally:
    history = SimulatedWorld(draw(seed)).run()
    breached = Counter(breach.law for breach in breaches(history))
    attempts = history.attempts
    return Tally(
        seeds=1,
        calls=len(attempts),
        sent=sum(line.event == "sent" for line in history.lines),
        late=sum(each.call == SEND_BOUNCE and each.is_late for each in attempts),
        troubles=Counter(str(each.trouble) for each in attempts if each.trouble),
        breaches=breached,
        broken={law: [seed] for law in breached},
    )


def tallied(first: int, count: int) -> Iterator[Tally]:
    """Run seeds on all cores; yield counts as they come, always in the same order."""
    chunks = [
        range(start, min(start + _CHUNK, first + count))
        for start in range(first, first + count, _CHUNK)
    ]
    workers = min(os.cpu_count() or 1, len(chunks))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(tally, chunks)
