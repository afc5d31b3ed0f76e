"""Measures the pace of the worker's calls on a simulated clock."""

from collections.abc import Iterable
from itertools import pairwise
from random import Random

from bouncer.sending.pacer import Pacer
from bouncer_sim.clock import SimulatedClock

Row = tuple[str, str, str, bool]


def pacing() -> Iterable[Row]:
    """Measure the pace of calls of 20 to 60 ms in one environment, as SES sees them arrive."""
    clock = SimulatedClock(0.0)
    chance = Random(7)
    arrivals: list[float] = []

    def send() -> None:
        clock.sleep(chance.uniform(0.010, 0.030))
        arrivals.append(clock.time())
        clock.sleep(chance.uniform(0.010, 0.030))

    pacer = Pacer(now=clock.time, sleep=clock.sleep)
    for _ in range(1000):
        pacer.call(send, until=1e9, retried=print)
    share = len(arrivals) / clock.time()
    closest = min(b - a for a, b in pairwise(arrivals))
    yield "pacer, share of one call a second", f"{share:.1%}", "at least 97 %", share >= 0.97
    yield "  closest two arrivals", f"{closest:.4f} s", "at least 1.000 s", closest >= 1.0
