"""Parameter Store as its service sees it: parameters with their versions."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from bouncer_sim.world.service_error import service_error

_PAGE = 10


class ParameterChange(NamedTuple):
    """A parameter as it was put; None if it was deleted."""

    at: float
    name: str
    text: str | None


class SsmService:
    """Parameters by name, and all `changes` of them; `now` is the time in seconds.

    A call lists as many parameters as `page` says, in the `order` of their names or of a key.
    `changed` is called after each change, as EventBridge calls the publisher.
    """

    def __init__(
        self,
        now: Callable[[], float],
        *,
        page: int = _PAGE,
        order: Callable[[str], str] | None = None,
    ) -> None:
        self._now = now
        self._page = page
        self._order = order
        self._versions: dict[str, list[tuple[float, str]]] = {}
        self.changes: list[ParameterChange] = []
        self.changed: Callable[[], object] = list

    def put(self, name: str, text: str) -> None:
        """Put a new version of a parameter."""
        self._versions.setdefault(name, []).append((self._now(), text))
        self.changes.append(ParameterChange(self._now(), name, text))
        self.changed()

    def delete(self, name: str) -> None:
        """Delete a parameter with its history."""
        self._versions.pop(name, None)
        self.changes.append(ParameterChange(self._now(), name, None))
        self.changed()

    def put_parameter(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Put a parameter that does not exist; nobody here asks to overwrite one."""
        name = arguments["Name"]
        if name in self._versions:
            raise service_error("ParameterAlreadyExists")
        self.put(name, arguments["Value"])
        return {"Version": 1}

    def get_parameter(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the newest version of one parameter."""
        name = arguments["Name"]
        if name not in self._versions:
            raise service_error("ParameterNotFound")
        return {"Parameter": self._newest(name)}

    def get_parameters(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the newest versions of several parameters, and the names that do not exist."""
        names = arguments["Names"]
        return {
            "Parameters": [self._newest(name) for name in names if name in self._versions],
            "InvalidParameters": [name for name in names if name not in self._versions],
        }

    def get_parameters_by_path(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return a page of the parameters below a path."""
        path = f"{arguments['Path']}/"
        found = [name for name in self._versions if name.startswith(path)]
        names = sorted(found, key=self._order)
        first = int(arguments.get("NextToken", 0))
        page: dict[str, Any] = {
            "Parameters": [self._newest(name) for name in names[first : first + self._page]]
        }
        if first + self._page < len(names):
            page["NextToken"] = str(first + self._page)
        return page

    def _newest(self, name: str) -> dict[str, Any]:
        return self._version(name, len(self._versions[name]))

    def _version(self, name: str, number: int) -> dict[str, Any]:
        at, text = self._versions[name][number - 1]
        return {
            "Name": name,
            "Value": text,
            "Version": number,
            "Type": "String",
            "LastModifiedDate": datetime.fromtimestamp(at, UTC),
        }
