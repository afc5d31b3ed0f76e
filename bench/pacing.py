"""Measures the pace of the worker's calls on a simulated clock."""

from collections.abc import Iterable
from itertools import pairwise

from bouncer.sending.pacer import Pacer
from bouncer_sim.clock import SimulatedClock

Row = tuple[str, str, str, bool]


def pacing() -> Iterable[Row]:
    """Measure the pace of calls of 80 ms, in batches of ten, each batch in a new environment."""
    clock = SimulatedClock(0.0)
    starts: list[float] = []

    def send() -> None:
        starts.append(clock.time())
        clock.sleep(0.08)

    for _ in range(100):
        pacer = Pacer(now=clock.time, sleep=clock.sleep)
        for _ in range(10):
            pacer.call(send, until=1e9, retried=print)
        pacer.hold()
        clock.sleep(0.02)
    share = len(starts) / clock.time()
    closest = min(b - a for a, b in pairwise(starts))
    yield "pacer, share of one call a second", f"{share:.1%}", "at least 99 %", share >= 0.99
    yield "  closest two starts", f"{closest:.4f} s", "at least 1.000 s", closest >= 1.0
