"""Clocks for everything that waits: real time, and simulated time that passes at once."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """A source of time that can also let time pass; both in seconds."""

    def time(self) -> float:
        """Return the seconds since the epoch."""

    def sleep(self, seconds: float) -> None:
        """Let this much time pass."""


class SystemClock:
    """Real time."""

    def time(self) -> float:
        """Return the seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Let this much time pass."""
        time.sleep(seconds)


class SimulatedClock:
    """Time that passes at once: a thousand paced bounces take moments."""

    def __init__(self, start: float) -> None:
        self._time = start

    def time(self) -> float:
        """Return the seconds since the epoch: the start and all sleep since."""
        return self._time

    def sleep(self, seconds: float) -> None:
        """Let this much time pass, without waiting."""
        self._time += max(seconds, 0.0)


def now(clock: Clock) -> datetime:
    """Return the clock's time of day, aware."""
    return datetime.fromtimestamp(clock.time(), UTC)
