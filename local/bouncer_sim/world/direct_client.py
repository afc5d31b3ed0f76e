"""A client with boto3's interface, whose calls reach a simulated service at once."""

from collections.abc import Callable
from typing import Any

from bouncer_sim.world.service_error import ErrorClasses


class DirectClient:
    """A client of one service, without a network: no call takes time or gets lost."""

    exceptions = ErrorClasses()

    def __init__(self, service: Any) -> None:
        self._service = service

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        act: Callable[..., dict[str, Any]] = getattr(self._service, operation)
        arrive = getattr(self._service, "arrive", None)

        def call(**arguments: Any) -> dict[str, Any]:
            if arrive:
                arrive()
            return act(arguments)

        return call

    def close(self) -> None:
        """Close nothing, as no connection is open."""
