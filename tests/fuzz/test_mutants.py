"""No target is blind: each notices mistakes that are planted into the code it runs."""

import subprocess
import sys
import time
from itertools import chain

import pytest
from hypothesis import strategies as st

from tests.fuzz import all_targets
from tests.fuzz.execution import execute
from tests.fuzz.fuzz_mutants import MUTANTS, FuzzMutant
from tests.fuzz.fuzz_target import FuzzTarget
from tests.fuzz.workshop import CORPORA, REGRESSIONS

TOO_MUCH = """
from hypothesis import strategies as st
from tests.fuzz.execution import execute
from tests.fuzz.fuzz_target import FuzzTarget
target = FuzzTarget(name="x", check=lambda data: data * 2**20, examples=st.nothing())
print(execute(target, b"x" * 400))
"""


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.target}: {mutant.name}")
def test_a_planted_mistake_is_found(mutant: FuzzMutant) -> None:
    """A kept input shows it; without the mistake none of them shows anything."""
    target = all_targets.target(mutant.target)
    kept = chain(*(folder.glob(f"{target.name}/*") for folder in (REGRESSIONS, CORPORA)))
    with mutant.plant():
        assert any(execute(target, path.read_bytes()) for path in kept)


def test_each_target_has_a_planted_mistake() -> None:
    """A target without one might look at nothing."""
    assert {mutant.target for mutant in MUTANTS} == set(all_targets.NAMES)


def test_a_second_of_time_is_a_finding() -> None:
    """It is the CPU's time, and the better one of two runs."""

    def check(_: bytes) -> None:
        until = time.process_time() + 0.03
        while time.process_time() < until:
            pass

    finding = execute(
        FuzzTarget(name="x", check=check, examples=st.nothing()), b"", most_cpu_s=0.02
    )
    assert finding
    assert finding.text.startswith("took 0.0 s of CPU time, expected")


def test_a_first_run_may_take_longer() -> None:
    """Something may be imported or compiled then."""
    waits = iter([0.03, 0.0])

    def check(_: bytes) -> None:
        until = time.process_time() + next(waits)
        while time.process_time() < until:
            pass

    assert (
        execute(FuzzTarget(name="x", check=check, examples=st.nothing()), b"", most_cpu_s=0.02)
        is None
    )


def test_too_much_memory_is_a_finding() -> None:
    """400 MB are too many, in a process whose peak was small before."""
    # A process inherits the peak of the one that starts it, so a small shell stands between.
    command = ["/bin/sh", "-c", '"$0" -c "$1"; exit $?', sys.executable, TOO_MUCH]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    assert "MB, expected at most 300" in done.stdout
