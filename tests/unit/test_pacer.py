"""The pacer: never two starts within a second, hardly a moment wasted, retries at its own pace."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bouncer.sending.pacer import SPACING_S, NotAcceptedError, OutOfTimeError, Pacer
from bouncer_sim.clock import SimulatedClock


class Calls:
    """A SendBounce that takes its time, fails as planned and remembers when it was started."""

    def __init__(self, clock: SimulatedClock, *, takes_s: float = 0.08, failures: int = 0) -> None:
        self.clock = clock
        self.takes_s = takes_s
        self.failures = failures
        self.starts: list[float] = []
        self.errors: list[NotAcceptedError] = []

    def __call__(self) -> str:
        self.starts.append(self.clock.time())
        self.clock.sleep(self.takes_s)
        if self.failures:
            self.failures -= 1
            raise NotAcceptedError("Throttling")
        return "bounce-id"

    def through(self, pacer: Pacer, *, until: float = 1e9) -> str:
        return pacer.call(self, until=until, retried=self.errors.append)

    @property
    def gaps(self) -> list[float]:
        return [b - a for a, b in zip(self.starts, self.starts[1:], strict=False)]


def new_pacer(clock: SimulatedClock) -> Pacer:
    return Pacer(now=clock.time, sleep=clock.sleep)


def test_keeps_a_second_between_starts_and_wastes_less_than_a_hundredth() -> None:
    """Calls of 80 ms, batches of ten, each batch in a new environment 20 ms after the last."""
    clock = SimulatedClock(0.0)
    calls = Calls(clock)
    for _ in range(60):
        pacer = new_pacer(clock)
        for _ in range(10):
            calls.through(pacer)
        pacer.hold()
        clock.sleep(0.02)
    assert min(calls.gaps) >= 1.0
    assert len(calls.starts) / (clock.time()) >= 0.99


@settings(max_examples=60)
@given(
    st.lists(
        st.lists(st.tuples(st.floats(0, 3), st.integers(0, 2), st.floats(0, 2)), max_size=5),
        max_size=5,
    )
)
def test_no_two_starts_within_a_second(batches: list[list[tuple[float, int, float]]]) -> None:
    """However long calls take, fail or pause, in however many environments, starts keep apart."""
    clock = SimulatedClock(1_000.0)
    starts: list[float] = []
    for batch in batches:
        pacer = new_pacer(clock)
        for takes_s, failures, idle_s in batch:
            calls = Calls(clock, takes_s=takes_s, failures=failures)
            calls.through(pacer)
            starts += calls.starts
            clock.sleep(idle_s)
        pacer.hold()
    assert all(b - a >= 1.0 for a, b in pairwise(starts))


def test_never_catches_up_after_a_late_call() -> None:
    """After a call of five seconds the next goes at once, and the one after a full second later."""
    clock = SimulatedClock(0.0)
    pacer = new_pacer(clock)
    slow = Calls(clock, takes_s=5.0)
    slow.through(pacer)
    calls = Calls(clock)
    calls.through(pacer)
    calls.through(pacer)
    assert calls.starts[0] == 5.0
    assert calls.gaps == [pytest.approx(SPACING_S)]


def test_retries_are_paced_and_grow_apart() -> None:
    """A call that SES did not accept is made again, later each time; each error is reported."""
    clock = SimulatedClock(0.0)
    calls = Calls(clock, failures=4)
    assert calls.through(new_pacer(clock)) == "bounce-id"
    assert len(calls.errors) == 4
    assert calls.gaps == sorted(calls.gaps)
    assert calls.gaps[0] >= 1.0
    assert calls.gaps[-1] > 4.0


def test_gives_up_before_the_time_is_over() -> None:
    """No call starts after `until`, neither the first nor a retry."""
    clock = SimulatedClock(0.0)
    pacer = new_pacer(clock)
    calls = Calls(clock, failures=99)
    with pytest.raises(OutOfTimeError):
        calls.through(pacer, until=10.0)
    assert max(calls.starts) <= 10.0
    with pytest.raises(OutOfTimeError):
        calls.through(pacer, until=clock.time() - 1)
    assert clock.time() < 20.0


def test_a_call_that_connects_first_is_counted_from_its_end() -> None:
    """It reaches SES late, so the next one would reach SES too soon."""
    clock = SimulatedClock(0.0)
    pacer = new_pacer(clock)
    slow = Calls(clock, takes_s=0.4)
    pacer.call(slow, until=1e9, retried=slow.errors.append, connecting=True)
    calls = Calls(clock)
    calls.through(pacer)
    calls.through(pacer)
    assert calls.starts[0] == pytest.approx(0.4 + SPACING_S)
    assert calls.gaps == [pytest.approx(SPACING_S)]
