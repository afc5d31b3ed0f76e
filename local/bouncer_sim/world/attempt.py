"""One attempt of a call, as the world saw it: the entries of a run's record."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bouncer_sim.world.incident import Trouble

DONE = "done"


@dataclass(slots=True, kw_only=True)
class Attempt:
    """An attempt of a call such as `dynamodb.put_item`; times are seconds since the epoch.

    A request that never arrived has no `arrived_at`; `ended_at` is the time at which the caller
    went on, or died. `result` is `done` or an error's code, as the service saw it.
    """

    call: str
    caller: str
    arguments: Mapping[str, Any]
    started_at: float
    trouble: Trouble | None
    arrived_at: float | None = None
    ended_at: float | None = None
    result: str = ""
    raised: str = ""

    @property
    def is_late(self) -> bool:
        """Tell whether the request arrived after its caller had gone on."""
        return (
            self.arrived_at is not None
            and self.ended_at is not None
            and self.arrived_at > self.ended_at
        )
