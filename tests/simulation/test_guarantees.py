"""The figures behind the promises are measured, and planted mistakes are found."""

import json
import re
from argparse import ArgumentTypeError
from contextlib import nullcontext
from pathlib import Path

import pytest

from bouncer_sim.world import guarantees
from bouncer_sim.world.fuzz_counts import fuzzed
from bouncer_sim.world.laws import LAWS
from bouncer_sim.world.mutant import Mutant, search
from bouncer_sim.world.mutants import MUTANTS
from bouncer_sim.world.scenario_draw import draw
from bouncer_sim.world.seed_tally import Tally, seed_count, tally
from bouncer_sim.world.simulated_world import SimulatedWorld


def test_the_figures_of_a_run_add_up() -> None:
    """Each trouble is counted, and each promise has a number."""
    counts = tally(range(5))
    lines = list(guarantees.sends(counts))
    assert lines[0] == "seeds: 5"
    assert f"bounces sent: {counts.sent}" in lines
    numbers = [int(line.split()[0]) for line in lines if line.startswith("  ")]
    assert sum(numbers) == counts.troubles.total() > 0


@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5"])
def test_a_number_of_seeds_is_at_least_one(text: str) -> None:
    """Anything else is refused with one sentence."""
    with pytest.raises(ArgumentTypeError, match=f"found {text}, expected a number of seeds"):
        seed_count(text)


def test_a_law_that_is_broken_shows_in_the_figures() -> None:
    """A double send is counted under its own name."""
    counts = Tally(seeds=1)
    counts.breaches["no_recipient_of_a_mail_is_bounced_twice"] = 2
    assert "double sends: 2 (0)" in list(guarantees.sends(counts))


def test_pace_calls_and_delays_are_measured() -> None:
    """The figures have numbers within what is possible."""
    share, throttled, cpu = guarantees.pace()
    assert 50 < _number(share) <= 100
    assert 0 <= _number(throttled) < 50
    assert 0 < _number(cpu) < 1_000
    assert [line.split(":")[0] for line in guarantees.ledger_calls()] == [
        "ledger calls with 1 recipients",
        "ledger calls with 50 recipients",
    ]
    *_, idle = guarantees.delays()
    assert 0 < _number(idle) < 0.5


def test_the_executions_of_the_fuzzers_are_told(tmp_path: Path) -> None:
    """By target, in all and with their CPU time; a wheel does not have them."""
    counts = tmp_path / "counts.json"
    assert next(fuzzed(counts)).startswith("fuzz executions: not known here")
    members = {"until": "2026-11-27", "cpu_hours": 3.5, "executions": {"event": 1200, "job": 34}}
    counts.write_text(json.dumps(members))
    assert list(fuzzed(counts)) == [
        "fuzz executions until 2026-11-27: 1,234 in 3.5 hours of CPU time",
        "         1,200  event",
        "            34  job",
    ]


def _number(line: str) -> float:
    """Return the figure that was measured, which stands between colon and parenthesis."""
    return float(re.findall(r"[\d.]+", line.rpartition(": ")[2])[0])


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_a_mutant_can_be_planted_and_names_laws(mutant: Mutant) -> None:
    """Its patch fits the deployed classes, a world with it runs to its end, and is gone after."""
    assert set(mutant.laws) <= {law.__name__ for law in LAWS}
    before = SimulatedWorld(draw(5)).run()
    with mutant.plant():
        SimulatedWorld(draw(5)).run()
    after = SimulatedWorld(draw(5)).run()
    assert [line.event for line in before.lines] == [line.event for line in after.lines]


def test_a_planted_mistake_is_found_and_the_unchanged_code_is_not() -> None:
    """Claiming after the call bounces somebody twice within a few seeds; nothing else does."""
    verdict = search(MUTANTS[0], range(20))
    assert verdict.law == "no_recipient_of_a_mail_is_bounced_twice"
    harmless = Mutant("none", nullcontext, MUTANTS[0].laws)
    assert search(harmless, range(5)).seed is None
