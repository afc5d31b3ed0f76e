"""Many seeds keep the laws, each seed is the same run every time, and its story is short."""

import subprocess
import sys

from bouncer_sim.world.__main__ import tale
from bouncer_sim.world.mutant import search
from bouncer_sim.world.mutants import MUTANTS
from bouncer_sim.world.scenario_draw import draw
from bouncer_sim.world.seed_tally import tally
from bouncer_sim.world.shrinker import fewest

SEEDS = range(200)


def test_many_seeds_keep_the_laws() -> None:
    """`make simulate SEEDS=2000` runs more of them; a seed that fails tells its story there."""
    counts = tally(SEEDS)
    assert counts.broken == {}
    assert counts.sent > len(SEEDS)
    assert counts.troubles.total() > len(SEEDS)


def test_a_seed_is_the_same_run_in_every_process() -> None:
    """Neither hashing nor the order of sets decides about anything."""
    here = "\n".join(tale(13, whole=True)[0])
    for hash_seed in ("1", "2"):
        done = subprocess.run(  # our own interpreter
            [sys.executable, "-m", "bouncer_sim.world", "--seed", "13", "--whole"],
            capture_output=True,
            text=True,
            check=False,
            env={"PYTHONHASHSEED": hash_seed},
        )
        assert done.stdout.rstrip() == here


def test_a_story_is_short_and_fits_a_terminal() -> None:
    """A broken law is told with as few steps and incidents as break it."""
    mistake = MUTANTS[0]
    seed = search(mistake, SEEDS).seed
    assert seed is not None
    with mistake.plant():
        lines, holds = tale(seed, whole=False)
    assert not holds
    assert any(line.startswith("BROKEN at") for line in lines)
    assert all(len(line) <= 80 for line in lines if not line.startswith(("BROKEN", "  ")))
    drawn = draw(seed)
    assert len(lines) < 80
    assert f"{len(drawn.steps)} steps, {len(drawn.incidents)} incidents" not in lines[0]


def test_nothing_can_be_left_out_of_what_the_shrinker_keeps() -> None:
    """Two parts that are needed together are found among many."""
    assert fewest(range(50), lambda some: {7, 31} <= set(some)) == [7, 31]
