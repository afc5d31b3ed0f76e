"""A client with boto3's interface, whose calls go over the wire to a simulated service."""

from collections.abc import Callable, Mapping
from typing import Any

from bouncer_sim.world.caller import Caller, Patience
from bouncer_sim.world.dynamodb_service import cancelled
from bouncer_sim.world.incident import Trouble
from bouncer_sim.world.service_error import (
    FORBIDDEN,
    SERVER_ERROR,
    UNAVAILABLE,
    ErrorClasses,
    service_error,
)
from bouncer_sim.world.sqs_service import failure
from bouncer_sim.world.wire import Wire

Answer = dict[str, Any]
Operation = Callable[[Mapping[str, Any]], Answer]

_REFUSALS = {
    Trouble.THROTTLED: ("ThrottlingException", 400),
    Trouble.FORBIDDEN: ("AccessDeniedException", FORBIDDEN),
    Trouble.UNAVAILABLE: ("ServiceUnavailable", UNAVAILABLE),
    Trouble.BROKEN_BEFORE: ("InternalFailure", SERVER_ERROR),
}
_MISSING = {
    "dynamodb": "ResourceNotFoundException",
    "sqs": "AWS.SimpleQueueService.NonExistentQueue",
}


class ServiceClient:
    """A client of one service; `name` is the service's name in a run's record.

    Each queue has a name of its own: a trouble of the dead-letter queue is not one of the queue.
    """

    exceptions = ErrorClasses()

    def __init__(
        self, wire: Wire, caller: Caller, patience: Patience, *, name: str, service: Any
    ) -> None:
        self._wire = wire
        self._caller = caller
        self._patience = patience
        self._name = name
        self._service = service

    def __getattr__(self, operation: str) -> Callable[..., Answer]:
        act: Operation = getattr(self._service, operation)

        def call(**arguments: Any) -> Answer:
            place = arguments["QueueUrl"].rpartition("/")[2] if self._name == "sqs" else self._name
            return self._wire.ask(
                self._caller, self._patience, f"{place}.{operation}", self._meet(act), arguments
            )

        return call

    def _meet(self, act: Operation) -> Callable[[Mapping[str, Any], Trouble | None], Answer]:
        """Return the operation as it goes when its request meets a trouble at the service."""
        arrive = getattr(self._service, "arrive", None)

        def answer(arguments: Mapping[str, Any], trouble: Trouble | None) -> Answer:
            if arrive:
                arrive()
            if trouble in _REFUSALS:
                code, status = _REFUSALS[trouble]
                raise service_error(code, status=status)
            if trouble is Trouble.MISSING:
                raise service_error(_MISSING[self._name])
            if trouble is Trouble.CONFLICT:
                raise _conflict(arguments)
            if trouble is Trouble.PARTIAL:
                return _in_part(act, arguments)
            answer = act(arguments)
            if trouble is Trouble.BROKEN_AFTER:
                raise service_error("InternalFailure", status=SERVER_ERROR)
            return answer

        return answer

    def close(self) -> None:
        """Close the connection: the next call opens another."""
        self._caller.connected.discard(self._name)


def _conflict(arguments: Mapping[str, Any]) -> Exception:
    if "TransactItems" not in arguments:
        return service_error("TransactionConflictException")
    others = [{"Code": "None"}] * (len(arguments["TransactItems"]) - 1)
    return cancelled([{"Code": "TransactionConflict"}, *others])


def _in_part(act: Operation, arguments: Mapping[str, Any]) -> Answer:
    """Do the first half of a batch, and report the rest as services do."""
    if "Entries" in arguments:
        return _half_of_entries(act, arguments)
    if "RequestItems" in arguments:
        return _half_of_keys(act, arguments)
    return act(arguments)


def _half_of_entries(act: Operation, arguments: Mapping[str, Any]) -> Answer:
    entries = arguments["Entries"]
    half = len(entries) // 2
    answer = act({**arguments, "Entries": entries[:half]})
    rest = [failure(each, "InternalError", "try again", ours=False) for each in entries[half:]]
    return {**answer, "Failed": [*answer.get("Failed", []), *rest]}


def _half_of_keys(act: Operation, arguments: Mapping[str, Any]) -> Answer:
    ((table, request),) = arguments["RequestItems"].items()
    keys = request["Keys"]
    half = max(len(keys) // 2, 1)
    answer = act({"RequestItems": {table: {**request, "Keys": keys[:half]}}})
    rest = {table: {**request, "Keys": keys[half:]}} if keys[half:] else {}
    return {**answer, "UnprocessedKeys": rest}
