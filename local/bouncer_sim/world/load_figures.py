"""Prints what becomes of floods of mail: `make load`. The promised figures are in parentheses.

`make guarantees` has the short ones.
"""

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from bouncer_sim.world.flood_figures import (
    capped_in_an_hour,
    many_in_an_hour,
    one_domain,
    several_domains,
)
from bouncer_sim.world.intake_load import intake_load

_MINUTE_S = 60.0

# The longest first, so that all cores have something to do.
_FLOODS: tuple[Callable[[], Iterator[str]], ...] = (
    partial(one_domain, 3),
    partial(many_in_an_hour, 2_000),
    *(partial(several_domains, domains, 3) for domains in (2, 3, 10, 50, 1_000_000)),
    many_in_an_hour,
    capped_in_an_hour,
)


def _lines(number: int) -> list[str]:
    return list(_FLOODS[number]())


def main() -> int:
    """Print the figures of each flood as it is over, and then those of the intake."""
    workers = min(os.cpu_count() or 1, len(_FLOODS))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for lines in pool.map(_lines, range(len(_FLOODS))):
            sys.stdout.writelines(f"{line}\n" for line in lines)
            sys.stdout.flush()
    sys.stdout.writelines(f"{line}\n" for line in intake_load(_MINUTE_S).lines())
    return 0


if __name__ == "__main__":
    sys.exit(main())
