"""Simulated time with tasks that take turns: whoever waits lets all others go on.

Everything that happens is an entry of one heap, ordered by time and then by the order of entering;
so a run is the same each time. A task is a coroutine (greenlet) around ordinary blocking code. It
loses its turn only in `sleep` and `park`; the code between two of those takes no simulated time.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

from greenlet import getcurrent, greenlet

# Epoch seconds have a quarter of a microsecond as their smallest step: less would not pass.
_SHORTEST_S = 1e-6


class EndOfTask(BaseException):  # not an error: nothing may catch it as one
    """Ends a task at the point at which it waits; no `except Exception` holds it up."""


class Task:
    """A piece of code with turns of its own; `alive` until it returned, raised or was ended."""

    def __init__(self, timeline: "Timeline", body: Callable[[], None]) -> None:
        self._timeline = timeline
        self._body = body
        self.coroutine: Any = greenlet(self._run, parent=timeline.hub)
        self.turn = 0
        self.alive = True

    def _run(self) -> None:
        try:
            self._body()
        except EndOfTask:
            pass
        finally:
            self.alive = False
            self._timeline.forget(self)

    def resume(self, turn: int) -> None:
        """Give the task its turn, unless it has had that turn already or is over."""
        if self.alive and turn == self.turn:
            self.turn += 1
            self.coroutine.switch()

    def end(self) -> None:
        """Raise `EndOfTask` at the point at which the task waits; no other task may call this."""
        if self.alive:
            self.turn += 1
            self.coroutine.throw(EndOfTask())


class Timeline:
    """The time of a world, in seconds since the epoch, and all that will happen in it."""

    def __init__(self, start: float) -> None:
        self.now = start
        self.hub = getcurrent()
        self._entries: list[tuple[float, int, Callable[[], object]]] = []
        self._entered = 0
        self._until = start
        self._tasks: dict[Any, Task] = {}

    def at(self, when: float, act: Callable[[], object]) -> None:
        """Have `act` called at a time; it must not wait."""
        self._entered += 1
        heappush(self._entries, (max(when, self.now), self._entered, act))

    def spawn(self, body: Callable[[], None]) -> Task:
        """Begin a task, which has its first turn when all that is due now has happened."""
        task = Task(self, body)
        self._tasks[task.coroutine] = task
        self.at(self.now, lambda: task.resume(0))
        return task

    def forget(self, task: Task) -> None:
        """Let go of a task that is over."""
        self._tasks.pop(task.coroutine, None)

    @property
    def current(self) -> Task:
        """The task that has its turn."""
        return self._tasks[getcurrent()]

    def sleep(self, seconds: float) -> None:
        """Let time pass for the current task, as every real sleep does: at least a microsecond."""
        wake_at = self.now + max(seconds, _SHORTEST_S)
        if wake_at <= self._until and (not self._entries or self._entries[0][0] > wake_at):
            self.now = wake_at  # nothing else happens until then: no other task needs a turn
            return
        self.park(wake_at)

    def park(self, wake_at: float | None = None) -> None:
        """Wait until somebody calls `wake` with the current task, at the latest until `wake_at`."""
        task = self.current
        turn = task.turn
        if wake_at is not None:
            self.at(wake_at, lambda: task.resume(turn))
        self.hub.switch()

    def wake(self, task: Task, after_s: float = 0.0) -> None:
        """Give a parked task its turn after some seconds; a task that goes on earlier stays so."""
        turn = task.turn
        self.at(self.now + after_s, lambda: task.resume(turn))

    def run(self, until: float) -> None:
        """Let everything happen that is due until a time, then end all tasks.

        Returns earlier when nothing is left to happen.
        """
        self._until = until
        while self._entries and self._entries[0][0] <= until:
            self.now, _, act = heappop(self._entries)
            act()
        for task in list(self._tasks.values()):
            task.end()
        self._tasks.clear()
        self._entries.clear()
