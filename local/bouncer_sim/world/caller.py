"""The parties that call services: execution environments, and AWS's own machinery."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from bouncer_sim.world.timeline import EndOfTask


def _for_ever() -> float:
    return math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """The settings of a client: its time-outs in seconds and its attempts of a call.

    Of several failed attempts the SDK raises the last error. With `raises_lost` it is the first
    whose call may have had its effect, as with the intake's own client.
    """

    connect_s: float
    read_s: float
    attempts: int
    raises_lost: bool = False


@dataclass(slots=True, kw_only=True)
class Caller:
    """A party by its name; `left_s` is the time for which it can still wait for an answer.

    `connected` has the services to which a connection is open.
    """

    name: str
    left_s: Callable[[], float] = _for_ever
    connected: set[str] = field(default_factory=set)
    dead: bool = False

    def die(self) -> None:
        """End the caller, at its own turn: nothing of it runs on."""
        self.dead = True
        raise EndOfTask

    def require_life(self) -> None:
        """Stop code that goes on after its process ended, such as a `finally`."""
        if self.dead:
            raise EndOfTask
