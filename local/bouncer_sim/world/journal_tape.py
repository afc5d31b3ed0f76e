"""The journal lines of all environments, in the order of writing."""

import json
from dataclasses import dataclass
from typing import IO, Any, cast

from bouncer_sim.world.execution_environment import ExecutionEnvironment
from bouncer_sim.world.timeline import Timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLine:
    """One line, the time at which it was written and the environment that wrote it."""

    at: float
    environment: str
    event: str
    members: dict[str, Any]


class JournalTape:
    """All lines that were written; `stream` is what a function's journal writes to."""

    def __init__(self, timeline: Timeline) -> None:
        self.lines: list[JournalLine] = []
        self._timeline = timeline

    def stream(self, environment: ExecutionEnvironment) -> IO[str]:
        """Return a stream for one environment."""
        return cast("IO[str]", _Stream(self, environment))

    def write(self, environment: ExecutionEnvironment, text: str) -> None:
        """Keep one line; a dead environment writes nothing."""
        environment.caller.require_life()
        members = json.loads(text)
        line = JournalLine(
            at=self._timeline.now,
            environment=environment.name,
            event=members["message"],
            members=members,
        )
        self.lines.append(line)


class _Stream:
    """As much of a text file as a journal needs."""

    def __init__(self, tape: JournalTape, environment: ExecutionEnvironment) -> None:
        self._tape = tape
        self._environment = environment

    def write(self, text: str) -> int:
        self._tape.write(self._environment, text)
        return len(text)

    def flush(self) -> None:
        """Do nothing: every line is kept as it is written."""
