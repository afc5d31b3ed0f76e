"""An execution environment of a function: a process with its own clocks, frozen between events."""

from collections.abc import Callable
from datetime import UTC, datetime

from bouncer_sim.world.caller import Caller
from bouncer_sim.world.timeline import Timeline


class ExecutionEnvironment:
    """One environment; its time of day is off by `skew_s()` seconds, its ticks are true."""

    def __init__(self, timeline: Timeline, name: str, *, skew_s: Callable[[], float]) -> None:
        self.name = name
        self.caller = Caller(name=name)
        self.used_at = timeline.now
        self.deadline = 0.0
        self._timeline = timeline
        self._skew_s = skew_s
        self._booted_at = timeline.now
        self._names = 0

    def now(self) -> datetime:
        """Return the time of day as this environment sees it."""
        return datetime.fromtimestamp(self._timeline.now + self._skew_s(), UTC)

    def ticks(self) -> float:
        """Return seconds that only grow, from an origin of this environment's own."""
        return self._timeline.now - self._booted_at

    def sleep(self, seconds: float) -> None:
        """Let time pass for this environment."""
        self.caller.require_life()
        self._timeline.sleep(seconds)

    def remaining_s(self) -> float:
        """Return the seconds until the invocation times out, as Lambda's runtime works them out.

        Lambda says when; how long that is, is read from this environment's time of day. It is 0
        when the time is over by that clock.
        """
        return max(self.deadline - self._timeline.now - self._skew_s(), 0.0)

    def new_name(self) -> str:
        """Return a name that was never used before in this world."""
        self._names += 1
        return f"{self.name}-{self._names}"
