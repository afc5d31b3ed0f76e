"""One DynamoDB table as its service sees it: each call happens at once and whole.

The methods have boto3's arguments and answers. Expressions are evaluated from their text. Limits:
keys of 2,048 bytes, items of 400 KB, 100 items in a transaction. A transaction's client token is
kept for ten minutes, as DynamoDB does: the same request again changes nothing and succeeds.
Sources: DynamoDB API reference, TransactWriteItems; Developer Guide, "Constraints".
"""

from collections.abc import Callable, Mapping
from itertools import takewhile
from typing import Any, NamedTuple, TypeVar

from bouncer.function_limits import LEDGER_KEY_NAME
from bouncer_sim.world.attribute_value import Item, size
from bouncer_sim.world.condition_expression import Scope, condition
from bouncer_sim.world.expression_tokens import ExpressionError
from bouncer_sim.world.service_error import service_error
from bouncer_sim.world.update_expression import update

_LONGEST_KEY = 2_048
_LARGEST_ITEM = 400 * 1024
_MOST_IN_TRANSACTION = 100
_MOST_IN_BATCH = 100
_TOKEN_KEPT_S = 600

Arguments = Mapping[str, Any]
Answer = dict[str, Any]
T = TypeVar("T")


class ItemVersion(NamedTuple):
    """An item as one write left it; None if it was deleted."""

    at: float
    key: str
    item: Item | None


class DynamoDbService:
    """A table with one text key; `now` is the time, in seconds.

    `versions` are all items that any write left, in the order of time.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.items: dict[str, Item] = {}
        self.versions: list[ItemVersion] = []
        self._tokens: dict[str, tuple[float, object]] = {}  # in the order of time

    def get_item(self, arguments: Arguments) -> Answer:
        """Return one item; every read here is consistent and must ask for that."""
        _require_consistent(arguments)
        item = self.items.get(_key(arguments["Key"]))
        return {} if item is None else {"Item": _projected(item, arguments)}

    def batch_get_item(self, arguments: Arguments) -> Answer:
        """Return the items of several keys, in no order; none is left unprocessed here."""
        found: dict[str, list[Item]] = {}
        for table, request in arguments["RequestItems"].items():
            _require_consistent(request)
            keys = [_key(key) for key in request["Keys"]]
            if not 1 <= len(keys) <= _MOST_IN_BATCH:
                raise _invalid(f"found {len(keys)} keys, expected 1 to {_MOST_IN_BATCH}")
            if len(set(keys)) < len(keys):
                raise _invalid("Provided list of item keys contains duplicates")
            here = (self.items[key] for key in keys if key in self.items)
            found[table] = [_projected(item, request) for item in here]
        return {"Responses": found, "UnprocessedKeys": {}}

    def put_item(self, arguments: Arguments) -> Answer:
        """Put one item, on a condition."""
        return self._write("Put", arguments)

    def update_item(self, arguments: Arguments) -> Answer:
        """Change one item or make it, on a condition."""
        return self._write("Update", arguments)

    def delete_item(self, arguments: Arguments) -> Answer:
        """Delete one item, on a condition."""
        return self._write("Delete", arguments)

    def _write(self, kind: str, arguments: Arguments) -> Answer:
        key = _key_of(kind, arguments)
        before = self.items.get(key)
        if not _holds(before, arguments):
            raise _condition_failed(before, arguments)
        after = _written(kind, before, arguments)
        self._keep(key, after)
        return _returned(before, after, arguments)

    def transact_write_items(self, arguments: Arguments) -> Answer:
        """Do all writes or none; the first failing condition of each write is reported."""
        token = arguments.get("ClientRequestToken")
        if self._is_repeated(token, arguments):
            return {}
        writes = [next(iter(each.items())) for each in arguments["TransactItems"]]
        keys = [_key_of(kind, write) for kind, write in writes]
        if not 1 <= len(keys) <= _MOST_IN_TRANSACTION:
            raise _invalid(f"found {len(keys)} writes, expected 1 to {_MOST_IN_TRANSACTION}")
        if len(set(keys)) < len(keys):
            raise _invalid("Transaction request cannot include multiple operations on one item")
        reasons = [
            _reason(self.items.get(key), write)
            for key, (_, write) in zip(keys, writes, strict=True)
        ]
        if any(reason["Code"] != "None" for reason in reasons):
            raise cancelled(reasons)
        for key, (kind, write) in zip(keys, writes, strict=True):
            if kind != "ConditionCheck":
                self._keep(key, _written(kind, self.items.get(key), write))
        if token is not None:
            self._tokens[token] = (self._now(), _request(arguments))
        return {}

    def _forget_tokens(self) -> None:
        until = self._now() - _TOKEN_KEPT_S
        old = takewhile(lambda item: item[1][0] < until, self._tokens.items())
        for token, _ in list(old):
            del self._tokens[token]

    def _is_repeated(self, token: str | None, arguments: Arguments) -> bool:
        self._forget_tokens()
        if token not in self._tokens:
            return False
        _, request = self._tokens[token]
        if request != _request(arguments):
            raise service_error("IdempotentParameterMismatchException")
        return True

    def _keep(self, key: str, item: Item | None) -> None:
        if item is not None and size(item) > _LARGEST_ITEM:
            raise _invalid("Item size has exceeded the maximum allowed size")
        self.versions.append(ItemVersion(self._now(), key, item))
        if item is None:
            self.items.pop(key, None)
        else:
            self.items[key] = item


def cancelled(reasons: list[dict[str, Any]]) -> Exception:
    """Return the error of a transaction that was not done, with a reason for each write."""
    codes = ", ".join(reason["Code"] for reason in reasons)
    text = (
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    )
    return service_error("TransactionCanceledException", text, CancellationReasons=reasons)


def _request(arguments: Arguments) -> str:
    return repr(sorted((name, value) for name, value in arguments.items()))


def _key_of(kind: str, arguments: Arguments) -> str:
    return _key(arguments["Item"] if kind == "Put" else arguments["Key"])


def _key(key: Item) -> str:
    text = key[LEDGER_KEY_NAME].get("S", "")
    if not 1 <= len(text.encode()) <= _LONGEST_KEY:
        raise _invalid(
            "One or more parameter values were invalid: Size of hashkey has exceeded the maximum"
            " size limit of 2048 bytes"
        )
    return str(text)


def _scope(item: Item | None, arguments: Arguments) -> Scope:
    values = arguments.get("ExpressionAttributeValues", {})
    return Scope(item or {}, values, arguments.get("ExpressionAttributeNames", {}))


def _holds(item: Item | None, arguments: Arguments) -> bool:
    text = arguments.get("ConditionExpression")
    return text is None or _evaluated(lambda: condition(text)(_scope(item, arguments)))


def _written(kind: str, before: Item | None, arguments: Arguments) -> Item | None:
    if kind == "Delete":
        return None
    if kind == "Put":
        return dict(arguments["Item"])
    text = arguments.get("UpdateExpression", "")
    scope = _scope(before or dict(arguments["Key"]), arguments)
    return _evaluated(lambda: update(text).apply(scope))


def _evaluated(evaluate: Callable[[], T]) -> T:
    try:
        return evaluate()
    except (ExpressionError, KeyError) as error:
        raise _invalid(f"Invalid expression: {error}") from error


def _projected(item: Item, request: Arguments) -> Item:
    text = request.get("ProjectionExpression")
    if text is None:
        return dict(item)
    names = request.get("ExpressionAttributeNames", {})
    wanted = (names.get(name.strip(), name.strip()) for name in text.split(","))
    return {name: item[name] for name in wanted if name in item}


def _returned(before: Item | None, after: Item | None, arguments: Arguments) -> Answer:
    wanted = arguments.get("ReturnValues", "NONE")
    attributes = (after if wanted.endswith("NEW") else before) or {}
    if wanted.startswith("UPDATED"):
        named = update(arguments["UpdateExpression"]).attributes(_scope(before, arguments))
        attributes = {name: value for name, value in attributes.items() if name in named}
    return {} if wanted == "NONE" or not attributes else {"Attributes": dict(attributes)}


def _condition_failed(item: Item | None, arguments: Arguments) -> Exception:
    shown = arguments.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and item
    members: dict[str, Any] = {"Item": dict(item)} if shown and item else {}
    return service_error(
        "ConditionalCheckFailedException", "The conditional request failed", **members
    )


def _reason(item: Item | None, write: Arguments) -> dict[str, Any]:
    if _holds(item, write):
        return {"Code": "None"}
    reason: dict[str, Any] = {"Code": "ConditionalCheckFailed"}
    if item and write.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
        reason["Item"] = dict(item)
    return reason


def _require_consistent(arguments: Arguments) -> None:
    if not arguments.get("ConsistentRead"):
        raise _invalid("found a read without ConsistentRead, which this world does not know")


def _invalid(text: str) -> Exception:
    return service_error("ValidationException", text)
