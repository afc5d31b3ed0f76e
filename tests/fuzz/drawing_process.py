"""Runs a target with inputs that Hypothesis draws, for some seconds; keeps some for atheris.

python -m tests.fuzz.drawing_process TARGET FOLDER SECONDS
"""

import os
import sys
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz import all_targets
from tests.fuzz.fuzz_target import FuzzTarget
from tests.fuzz.workshop import Workshop

_KEPT = 200
_ROUND = 200  # inputs of one run of Hypothesis


def main(name: str, folder: str, seconds: str) -> None:
    """Draw inputs until the time is up, and write their number."""
    target, workshop = all_targets.target(name), Workshop(Path(folder), name)
    until, number = time.monotonic() + float(seconds), 0
    while time.monotonic() < until:
        number += _round(target, workshop, until, kept=max(_KEPT - number, 0))
    workshop.drawn.write_text(str(number), encoding="ascii")
    workshop.write_words(target)


def _round(target: FuzzTarget, workshop: Workshop, until: float, *, kept: int) -> int:
    """Run up to some inputs, and return their number."""
    number = 0

    @seed(0 if "CI" in os.environ else time.time_ns())
    @settings(
        max_examples=_ROUND,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(target.examples)
    def each(data: bytes) -> None:
        nonlocal number
        if time.monotonic() < until:
            number += 1
            workshop.run(target, data)
            if number <= kept:
                workshop.keep(data)

    each()
    return number


if __name__ == "__main__":
    main(*sys.argv[1:])
