"""Parameter Store as its service sees it: parameters with their versions."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from bouncer_sim.world.service_error import service_error

_PAGE = 10


class _Version(NamedTuple):
    at: float
    text: str
    by: str


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
        self._versions: dict[str, list[_Version]] = {}
        self.changes: list[ParameterChange] = []
        self.changed: Callable[[], object] = list

    def put(self, name: str, text: str, by: str = "somebody") -> None:
        """Put a new version of a parameter."""
        self._versions.setdefault(name, []).append(_Version(self._now(), text, by))
        self.changes.append(ParameterChange(self._now(), name, text))
        self.changed()

    def delete(self, name: str) -> None:
        """Delete a parameter with its history."""
        self._versions.pop(name, None)
        self.changes.append(ParameterChange(self._now(), name, None))
        self.changed()

    def put_parameter(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Put a parameter, which must not exist unless it may be overwritten."""
        name = arguments["Name"]
        if name in self._versions and not arguments.get("Overwrite"):
            raise service_error("ParameterAlreadyExists")
        if name not in self._versions and "Type" not in arguments:
            raise service_error("ValidationException")
        self.put(name, arguments["Value"], "caller")
        return {"Version": len(self._versions[name])}

    def delete_parameters(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Delete parameters; those that do not exist are named."""
        names = arguments["Names"]
        missing = [name for name in names if name not in self._versions]
        for name in sorted(set(names) - set(missing)):
            self.delete(name)
        return {"InvalidParameters": missing}

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

    def get_parameter_history(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return all versions of one parameter, the oldest first."""
        name = arguments["Name"]
        if name not in self._versions:
            raise service_error("ParameterNotFound")
        count = len(self._versions[name])
        return {"Parameters": [self._version(name, number) for number in range(1, count + 1)]}

    def _newest(self, name: str) -> dict[str, Any]:
        return self._version(name, len(self._versions[name]))

    def _version(self, name: str, number: int) -> dict[str, Any]:
        at, text, by = self._versions[name][number - 1]
        return {
            "Name": name,
            "Value": text,
            "Version": number,
            "Type": "String",
            "LastModifiedDate": datetime.fromtimestamp(at, UTC),
            "LastModifiedUser": by,
        }
