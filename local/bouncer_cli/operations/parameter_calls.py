"""Calls of SSM by a command that writes many parameters: paced, and repeated when SSM throttles.

SSM takes 3 PutParameter a second from an account, 10 with the paid higher throughput (AWS Support,
in issue 2944 of github-aws-runners/terraform-aws-github-runner; the page of quotas does not say).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from bouncer_cli.doctor.account import NotFoundError, UnavailableError
from bouncer_cli.operations.operated_account import OperatedAccount
from bouncer_sim.clock import Clock

WRITES_A_SECOND = 3
NAMES_A_CALL = 10  # GetParameters and DeleteParameters (SSM API reference)
_THROTTLED = frozenset({"ThrottlingException", "Throttling", "TooManyUpdates"})
_EXISTS = "ParameterAlreadyExists"
# A parameter stays advanced, and becomes so if its text needs it (SSM User Guide, "Managing
# parameter tiers"): a call without a tier could fail on an advanced one.
_TIER = "Intelligent-Tiering"
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0
_PATIENCE_S = 300.0  # that one call may be throttled; nobody has to wait longer to be told


class Stored(NamedTuple):
    """The newest version of a parameter."""

    text: str
    version: int


class Version(NamedTuple):
    """An earlier version of a parameter, and who wrote it."""

    text: str
    number: int
    by: str


class ParameterCalls:
    """The calls of one command; it is a client for `ParameterSource`, too.

    Every method raises `UnavailableError` if SSM refuses, or throttles for minutes.
    """

    def __init__(self, account: OperatedAccount, clock: Clock) -> None:
        self._account = account
        self._clock = clock
        self._next_write = 0.0

    def get_parameters_by_path(self, **arguments: Any) -> Mapping[str, Any]:
        """Return one page of the parameters below a path."""
        return self._call("get_parameters_by_path", arguments)

    def get_parameter_history(self, **arguments: Any) -> Mapping[str, Any]:
        """Return one page of a parameter's versions."""
        return self._call("get_parameter_history", arguments)

    def read(self, names: Iterable[str]) -> dict[str, Stored]:
        """Return those of at most ten parameters that exist, by their names."""
        answer = self._call("get_parameters", {"Names": list(names)})
        return {
            each["Name"]: Stored(each["Value"], int(each["Version"]))
            for each in answer["Parameters"]
        }

    def create(self, name: str, text: str) -> int:
        """Write a parameter that does not exist and return its version, 0 if another text is there.

        A write whose answer was lost is repeated by the SDK, and then finds its own.
        """
        try:
            return self._put(Name=name, Value=text, Type="String", Overwrite=False)
        except ClientError as error:
            if _code(error) != _EXISTS:
                raise self._account.meaning("ssm", "put_parameter", error) from error
        found = self.read([name]).get(name)
        return found.version if found and found.text == text else 0

    def overwrite(self, name: str, text: str) -> int:
        """Write a new version of a parameter and return its number.

        Type, description and tags stay, as the call does not name them (SSM API reference).
        """
        try:
            return self._put(Name=name, Value=text, Overwrite=True)
        except ClientError as error:
            raise self._account.meaning("ssm", "put_parameter", error) from error

    def delete(self, names: Iterable[str]) -> None:
        """Delete at most ten parameters; one that is gone already makes no difference."""
        self._wait_for_a_write()
        self._call("delete_parameters", {"Names": list(names)})

    def others(self, name: str, between: tuple[int, int], text: str) -> list[Version]:
        """Return the versions with another text, of those between two of a parameter.

        Without the permission to read the history nobody knows whose they are: then one stands for
        all of them.
        """
        first, last = between
        if last == first + 1:
            return []
        try:
            found = list(self._versions(name))
        except (NotFoundError, UnavailableError):
            return [Version("", first + 1, "")]
        return [each for each in found if first < each.number < last and each.text != text]

    def last_writer(self, name: str) -> str:
        """Return who wrote the newest version of a parameter, "" if it can't be read."""
        try:
            return max(self._versions(name), key=lambda each: each.number).by
        except (NotFoundError, UnavailableError):
            return ""

    def _versions(self, name: str) -> Iterator[Version]:
        page = self.get_parameter_history(Name=name)
        yield from map(_version, page["Parameters"])
        while page.get("NextToken"):
            page = self.get_parameter_history(Name=name, NextToken=page["NextToken"])
            yield from map(_version, page["Parameters"])

    def _put(self, **arguments: Any) -> int:
        """Write one parameter; a text of more than 4 KB makes it an advanced one."""
        self._wait_for_a_write()
        return int(self._patiently("put_parameter", {**arguments, "Tier": _TIER})["Version"])

    def _wait_for_a_write(self) -> None:
        self._clock.sleep(max(0.0, self._next_write - self._clock.time()))
        self._next_write = self._clock.time() + 1 / WRITES_A_SECOND

    def _call(self, operation: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return self._patiently(operation, arguments)
        except ClientError as error:
            raise self._account.meaning("ssm", operation, error) from error

    def _patiently(self, operation: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Call SSM, again after longer and longer pauses while it throttles."""
        call: Callable[..., Mapping[str, Any]] = getattr(self._account.client("ssm"), operation)
        ends, pause = self._clock.time() + _PATIENCE_S, _FIRST_PAUSE_S
        while True:
            try:
                return call(**arguments)
            except (BotoCoreError, ResponseParserError) as error:
                raise self._account.meaning("ssm", operation, error) from error
            except ClientError as error:
                if _code(error) not in _THROTTLED or self._clock.time() + pause > ends:
                    raise
            self._clock.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)


def _version(found: Mapping[str, Any]) -> Version:
    return Version(found["Value"], int(found["Version"]), str(found.get("LastModifiedUser", "")))


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
