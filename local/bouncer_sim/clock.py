"""Clocks that can be handed to everything that waits: the real one, and one that only pretends."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time and lets it pass; all in seconds."""

    def time(self) -> float:
        """Seconds since the epoch."""

    def sleep(self, seconds: float) -> None:
        """Let this much time pass."""


class SystemClock:
    """Real time."""

    def time(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Let this much time pass."""
        time.sleep(seconds)


class SimulatedClock:
    """Time that passes at once: a thousand paced bounces take moments."""

    def __init__(self, start: float) -> None:
        self._time = start

    def time(self) -> float:
        """Seconds since the epoch, as far as it has been slept."""
        return self._time

    def sleep(self, seconds: float) -> None:
        """Let this much time pass, without waiting."""
        self._time += max(seconds, 0.0)


def now(clock: Clock) -> datetime:
    """The clock's time of day, aware."""
    return datetime.fromtimestamp(clock.time(), UTC)
