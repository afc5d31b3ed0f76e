"""Runs many seeds of the simulated world, or tells the story of one: `make simulate`."""

import argparse
import os
import sys
import time
from collections.abc import Iterator

from bouncer_sim.world.chronicle import story
from bouncer_sim.world.laws import LAWS, breaches
from bouncer_sim.world.scenario_draw import draw
from bouncer_sim.world.seed_tally import Tally, seed_count, tallied
from bouncer_sim.world.shrinker import shrunk
from bouncer_sim.world.simulated_world import SimulatedWorld


def report(counts: Tally, seconds: float) -> Iterator[str]:
    """Yield the lines that say what many seeds met, and which laws they broke."""
    yield f"{counts.seeds} seeds in {seconds:.0f} s: {counts.calls} calls, {counts.sent} bounces"
    yield f"troubles met: {counts.troubles.total()}"
    for trouble, number in counts.troubles.most_common():
        yield f"  {number:>7}  {trouble}"
    for law in (law.__name__ for law in LAWS):
        seeds = counts.broken.get(law, [])
        shown = f"broken by {len(seeds)} seeds, first {seeds[0]}" if seeds else "holds"
        yield f"{law.replace('_', ' ')}: {shown}"


def tale(seed: int, *, whole: bool) -> tuple[list[str], bool]:
    """Return the story of a seed, and whether all laws hold.

    If a law is broken, the story is the shortest in which that law is broken, unless it is `whole`.
    """
    scenario = draw(seed)
    history = SimulatedWorld(scenario).run()
    found = breaches(history)
    if found and not whole:
        history = SimulatedWorld(shrunk(scenario, found[0].law)).run()
    return story(history, breaches(history)), not found


def main(arguments: list[str] | None = None) -> int:
    """Run the seeds of the command line; 1 if a law is broken."""
    options = _parser().parse_args(arguments)
    if options.seed is not None:
        lines, holds = tale(options.seed, whole=options.whole)
        _say(*lines)
        return 0 if holds else 1
    began = time.monotonic()
    counts = Tally()
    for some in tallied(options.first, options.seeds):
        counts.add(some)
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{counts.seeds} of {options.seeds} seeds ")
    _say(*report(counts, time.monotonic() - began))
    return 1 if counts.broken else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bouncer_sim.world",
        description=__doc__,
        epilog="example: python -m bouncer_sim.world --seed 13",
    )
    parser.add_argument("--seeds", type=seed_count, default=200, help="number of seeds (200)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--seed", type=int, help="tell the story of this seed alone")
    parser.add_argument("--whole", action="store_true", help="do not shorten the story")
    return parser


def _say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:  # make simulate SEED=... | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
