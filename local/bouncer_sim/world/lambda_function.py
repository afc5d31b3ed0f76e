"""A function in the simulated Lambda: environments, time-outs, crashes, repeated invocations.

An environment serves one invocation at a time and is frozen in between. It is gone after a crash,
after a time-out, and when it was idle for long.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from bouncer_sim.event_source_mapping import InvocationError
from bouncer_sim.world.execution_environment import ExecutionEnvironment
from bouncer_sim.world.incident import ClockJump, Incident, InvocationIncident, Mishap
from bouncer_sim.world.timeline import EndOfTask, Task, Timeline

_IDLE_FOR_LONG_S = 900
_COLD_START_S = 0.4

# Handles an event with a request id, in the environment it was built for.
Handler = Callable[[Any, str], object]
Build = Callable[[ExecutionEnvironment], Handler]


@dataclass(slots=True, kw_only=True)
class Invocation:
    """One invocation as the world saw it; `end` is `answered`, `failed`, `crashed`, `timed out`.

    `error` is the one that a failed invocation raised.
    """

    number: int
    environment: str
    request_id: str
    started_at: float
    event: Any
    ended_at: float | None = None
    end: str = ""
    error: Exception | None = None
    answer: Any = None


@dataclass(slots=True)
class _Running:
    environment: ExecutionEnvironment
    handler: Handler


class LambdaFunction:
    """A function by its `name`; `build` makes its handler in a new environment."""

    def __init__(
        self,
        timeline: Timeline,
        name: str,
        *,
        timeout_s: float,
        build: Build,
        incidents: Iterable[Incident],
        skews: tuple[float, ...],
    ) -> None:
        self.invocations: list[Invocation] = []
        self._timeline = timeline
        self._name = name
        self._timeout_s = timeout_s
        self._build = build
        self._skews = skews or (0.0,)
        self._idle: list[_Running] = []
        self._built = 0
        self._asked = 0
        self._start = timeline.now
        self._planned: dict[int, InvocationIncident] = {}
        self._jumps: list[ClockJump] = []
        for each in incidents:
            if isinstance(each, InvocationIncident) and each.function == name:
                self._planned[each.nth] = each
            elif isinstance(each, ClockJump) and each.function == name:
                self._jumps.append(each)

    def invoke(self, event: object) -> object:
        """Return the function's answer; raises `InvocationError` if there was none."""
        self._asked += 1
        request_id = f"{self._name}-{self._asked}"
        planned = self._planned.get(self._asked)
        match planned.mishap if planned else None:
            case Mishap.DELAYED:
                self._timeline.sleep(planned.seconds if planned else 0)
            case Mishap.TWICE if planned:
                second = request_id if planned.same_id else f"{request_id}-again"
                again = partial(self._repeat, event, second)
                self._timeline.at(
                    self._timeline.now + planned.seconds, partial(self._timeline.spawn, again)
                )
        answer = self._run(event, request_id, planned)
        if planned and planned.mishap is Mishap.ANSWER_LOST:
            raise InvocationError("the answer did not arrive")
        return answer

    def _repeat(self, event: object, request_id: str) -> None:
        try:
            self._run(event, request_id, None)
        except InvocationError:
            return  # nobody waits for it

    def _run(self, event: object, request_id: str, planned: InvocationIncident | None) -> object:
        running = self._running(cold=planned is not None and planned.mishap is Mishap.COLD)
        environment = running.environment
        invocation = Invocation(
            number=len(self.invocations) + 1,
            environment=environment.name,
            request_id=request_id,
            started_at=self._timeline.now,
            event=event,
        )
        self.invocations.append(invocation)
        environment.deadline = self._timeline.now + self._timeout_s
        waiting = self._timeline.current
        task = self._timeline.spawn(partial(self._handle, running, invocation, waiting))
        self._limit(environment, invocation, task, planned)
        while invocation.ended_at is None:
            self._timeline.park()
        if invocation.end != "answered":
            raise InvocationError(f"the function {invocation.end}")
        return invocation.answer

    def _limit(
        self,
        environment: ExecutionEnvironment,
        invocation: Invocation,
        task: Task,
        planned: InvocationIncident | None,
    ) -> None:
        """Have the invocation ended at its time-out, or when it is to be killed."""

        def end(word: str) -> None:
            if invocation.ended_at is None:
                invocation.end = word
                environment.caller.dead = True
                task.end()

        self._timeline.at(environment.deadline, partial(end, "timed out"))
        if planned and planned.mishap is Mishap.KILLED:
            self._timeline.at(self._timeline.now + planned.seconds, partial(end, "crashed"))

    def _handle(self, running: _Running, invocation: Invocation, waiting: Task) -> None:
        try:
            invocation.answer = running.handler(invocation.event, invocation.request_id)
            invocation.end = "answered"
        except EndOfTask:
            running.environment.caller.dead = True
            invocation.end = invocation.end or "crashed"
        except Exception as error:  # noqa: BLE001  # as Lambda: whatever it was, it failed
            invocation.end, invocation.error = "failed", error
        finally:
            invocation.ended_at = running.environment.used_at = self._timeline.now
            if not running.environment.caller.dead:
                self._idle.append(running)
            self._timeline.wake(waiting)

    def _running(self, *, cold: bool) -> _Running:
        """Return the environment used last, or a new one."""
        now = self._timeline.now
        self._idle = [
            each for each in self._idle if now - each.environment.used_at < _IDLE_FOR_LONG_S
        ]
        if self._idle and not cold:
            return self._idle.pop()
        at_first_s = self._skews[self._built % len(self._skews)]
        self._built += 1
        skew_s = partial(self._skew_s, self._built, at_first_s)
        name = f"{self._name}{self._built}"
        environment = ExecutionEnvironment(self._timeline, name, skew_s=skew_s)
        self._timeline.sleep(_COLD_START_S)
        return _Running(environment, self._build(environment))

    def _skew_s(self, nth: int, at_first_s: float) -> float:
        """Return by how much the clock of an environment is off now."""
        since = self._timeline.now - self._start
        mine = (each for each in self._jumps if each.nth == nth and each.start <= since)
        return at_first_s + sum(jump.seconds for jump in mine)
