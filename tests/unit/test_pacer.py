"""The pacer: never two starts within a second, hardly a moment wasted, retries at its own pace."""

from contextlib import suppress
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bouncer.sending.pacer import (
    SPACING_S,
    NotAcceptedError,
    OutOfTimeError,
    Pacer,
    UnansweredError,
)
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
    """Calls of 80 ms, batches of ten in one environment: a head start makes up for the answers."""
    clock = SimulatedClock(0.0)
    calls = Calls(clock)
    pacer = new_pacer(clock)
    for _ in range(60):
        for _ in range(10):
            calls.through(pacer)
        clock.sleep(0.02)
    assert min(calls.gaps) >= 1.0
    assert len(calls.starts) / (clock.time()) >= 0.96


_CALLS = st.lists(st.tuples(st.integers(0, 2), st.floats(0, 2)), max_size=12)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.floats(0, 3), _CALLS), max_size=5))
def test_no_two_starts_within_a_second(
    batches: list[tuple[float, list[tuple[int, float]]]],
) -> None:
    """However long calls take, fail or pause, in however many environments, starts keep apart."""
    clock = SimulatedClock(1_000.0)
    starts: list[float] = []
    for takes_s, batch in batches:
        pacer = new_pacer(clock)
        pacer.after_stranger(at=clock.time())
        for failures, idle_s in batch:
            calls = Calls(clock, takes_s=takes_s, failures=failures)
            calls.through(pacer)
            starts += calls.starts
            clock.sleep(idle_s)
    assert all(b - a >= 1.0 - 1e-6 for a, b in pairwise(starts))


class Wire:
    """An SES behind a network: the way there and the way back take `there_s` and `back_s`."""

    def __init__(self, clock: SimulatedClock) -> None:
        self.clock = clock
        self.arrivals: list[float] = []
        self.there_s = self.back_s = 0.0
        self.error: Exception | None = None

    def __call__(self) -> None:
        self.clock.sleep(self.there_s)
        self.arrivals.append(self.clock.time())
        self.clock.sleep(self.back_s)
        if self.error:
            error, self.error = self.error, None
            raise error

    def through(self, pacer: Pacer) -> None:
        with suppress(LostError):
            pacer.call(self, until=1e9, retried=lambda _: None)


class LostError(UnansweredError):
    """No answer."""


_WAYS = st.tuples(
    st.floats(1.0, 2.0), st.floats(1.0, 2.0), st.sampled_from(["", "", "", "throttle", "lost"])
)


@settings(max_examples=200)
@given(st.lists(_WAYS, min_size=2, max_size=60), st.floats(0.0, 0.4), st.floats(0.2, 1.0))
def test_no_call_reaches_ses_early(
    ways: list[tuple[float, float, str]], fastest_s: float, rate: float
) -> None:
    """Each way takes up to twice the fastest: the head start, half a trip, is made up for twice."""
    clock = SimulatedClock(0.0)
    pacer, wire = new_pacer(clock), Wire(clock)
    pacer.spacing_s = 1 / rate
    for there, back, kind in ways:
        wire.there_s, wire.back_s = there * fastest_s, back * fastest_s
        wire.error = {"throttle": NotAcceptedError("x"), "lost": LostError("x")}.get(kind)
        wire.through(pacer)
    assert all(b - a >= 1 / rate - 1e-6 for a, b in pairwise(wire.arrivals))


def test_the_second_is_used_to_97_percent_with_jitter() -> None:
    """Ways of 10 to 30 ms there and back: 97 % of the second is used, and no call is early."""
    chance = Random(7)
    clock = SimulatedClock(0.0)
    pacer, wire = new_pacer(clock), Wire(clock)
    for _ in range(600):
        wire.there_s, wire.back_s = chance.uniform(0.010, 0.030), chance.uniform(0.010, 0.030)
        wire.through(pacer)
    assert all(b - a >= 1.0 for a, b in pairwise(wire.arrivals))
    assert len(wire.arrivals) / clock.time() >= 0.97


def next_start(trips: list[float], *, lost: bool = False) -> float:
    """The wait between the last answer and the next start, after round trips of these lengths."""
    clock = SimulatedClock(0.0)
    pacer, wire = new_pacer(clock), Wire(clock)
    for trip in trips:
        wire.there_s, wire.back_s = trip / 2, trip / 2
        wire.through(pacer)
    if lost:
        wire.error = LostError("x")
        wire.through(pacer)
    answered = clock.time()
    wire.there_s = wire.back_s = 0.0
    wire.through(pacer)
    return wire.arrivals[-1] - answered


@pytest.mark.parametrize(
    ("trips", "wait"),
    [
        ([0.5] * 1, 1.0),
        ([0.5] + [0.04] * 31, 1.0),
        ([0.5] + [0.04] * 32, 0.98),
        ([0.001] + [0.04] * 32, 0.98),
        ([0.5] + [0.06] * 31 + [0.04], 0.98),
        ([0.5] + [0.4] * 32, 0.95),
        ([0.5, 0.02] + [0.06] * 31, 0.99),
        ([0.5, 0.02] + [0.06] * 32, 0.97),
    ],
)
def test_the_head_start_is_half_the_fastest_of_32_trips(trips: list[float], wait: float) -> None:
    """At most 50 ms, none before there are 32; a trip that opened the connection is left out."""
    assert next_start(trips) == pytest.approx(wait)


def test_a_call_without_an_answer_forgets_the_trips() -> None:
    """The next call waits a whole spacing from giving up."""
    assert next_start([0.04] * 20, lost=True) == pytest.approx(1.0)


def test_a_closed_connection_forgets_the_trips() -> None:
    """A new one may go another way."""
    clock = SimulatedClock(0.0)
    pacer, wire = new_pacer(clock), Wire(clock)
    wire.there_s = wire.back_s = 0.02
    for _ in range(20):
        wire.through(pacer)
    pacer.disconnected()
    for _ in range(3):
        answered = clock.time()
        wire.through(pacer)
    assert wire.arrivals[-1] - 0.02 - answered == pytest.approx(1.0)


def test_no_start_when_a_check_forbids_it() -> None:
    """The check is made just before each start, those of retries included."""
    clock = SimulatedClock(0.0)
    calls = Calls(clock, failures=9)

    def check() -> None:
        if clock.time() > 5:
            raise OutOfTimeError("expired")

    with pytest.raises(OutOfTimeError, match="expired"):
        new_pacer(clock).call(calls, until=1e9, retried=calls.errors.append, check=check)
    assert max(calls.starts) <= 5


def test_approaching_a_slot_leaves_the_time_ahead_of_it() -> None:
    """The claim is made then; a slot that is too late is not waited for."""
    clock = SimulatedClock(0.0)
    pacer = new_pacer(clock)
    Calls(clock, takes_s=0.0).through(pacer)
    pacer.approach(until=1e9, ahead_s=0.15)
    assert clock.time() == pytest.approx(0.85)
    with pytest.raises(OutOfTimeError):
        pacer.approach(until=0.9, ahead_s=0.15)


def test_never_catches_up_after_a_late_call() -> None:
    """After a call of five seconds the next one starts a second after its answer."""
    clock = SimulatedClock(0.0)
    pacer = new_pacer(clock)
    slow = Calls(clock, takes_s=5.0)
    slow.through(pacer)
    calls = Calls(clock)
    calls.through(pacer)
    calls.through(pacer)
    assert calls.starts[0] == 5.0 + SPACING_S
    assert calls.gaps == [pytest.approx(0.08 + SPACING_S)]


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
