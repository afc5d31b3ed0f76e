"""botocore's errors, which are loaded when the first one is raised or caught.

To load them takes some 3 ms, and hardly any cold start of the intake sees one. An `except` clause
looks a class up here only if there is an error.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectionClosedError,
        EndpointConnectionError,
        ReadTimeoutError,
    )
else:

    def __getattr__(name: str) -> Any:
        """Return botocore's class of that name."""
        from botocore import exceptions  # noqa: PLC0415  # see above

        return getattr(exceptions, name)


__all__ = [
    "BotoCoreError",
    "ClientError",
    "ConnectionClosedError",
    "EndpointConnectionError",
    "ReadTimeoutError",
]
