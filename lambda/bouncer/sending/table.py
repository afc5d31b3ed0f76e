"""The ledger's DynamoDB table: reads and conditional writes, with DynamoDB's errors as ours.

One call of a method is one request: the SDK's own retries are off. `Ledger` repeats, as only it
can tell whether a request whose answer was lost took effect.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from bouncer.function_limits import LEDGER_KEY_NAME
from bouncer.sending.ledger_errors import ConditionError, LedgerError, LedgerRefusedError
from bouncer.sending.write import Item, Write, text, text_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

CONFIG = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1})

_CONDITION = "ConditionalCheckFailed"
# Of the reasons for which DynamoDB cancels a transaction, those that do not pass by themselves.
_FINAL_REASONS = {"ValidationError", "ItemCollectionSizeLimitExceeded"}
_FINAL_CODES = {
    "AccessDeniedException",
    "IdempotentParameterMismatchException",
    "ResourceNotFoundException",
    "ValidationException",
}


class Table:
    """The items of one table, by their key; every method raises `LedgerError`."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    def read(self, keys: Sequence[str]) -> tuple[dict[str, Item], list[str]]:
        """Read items consistently: those found, by key, and the keys to ask for again.

        At most 100 keys, none of them twice (API reference, BatchGetItem).
        """
        asked: dict[str, Any] = {
            "Keys": [{LEDGER_KEY_NAME: text(key)} for key in keys],
            "ConsistentRead": True,
        }
        with _asking():
            answer = self._client.batch_get_item(RequestItems={self._name: cast("Any", asked)})
        items = cast("list[Item]", answer["Responses"].get(self._name, []))
        left = cast("Any", answer.get("UnprocessedKeys") or {}).get(self._name, {}).get("Keys", [])
        found = {text_of(item, LEDGER_KEY_NAME): item for item in items}
        return found, [text_of(key, LEDGER_KEY_NAME) for key in left]

    def write(self, write: Write) -> Item:
        """Write one item and return all of it; raises `ConditionError` with the item as it is."""
        with _asking():
            answer = self._client.update_item(
                **write.parameters(self._name),
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        return cast("Item", answer.get("Attributes", {}))

    def write_together(self, writes: Sequence[Write], *, token: str) -> None:
        """Make all writes or none; raises `ConditionError`.

        `token` makes a repeat the same request for ten minutes (API reference,
        TransactWriteItems): it changes nothing a second time, and is answered with success.
        """
        updates = [{"Update": write.parameters(self._name)} for write in writes]
        with _asking():
            self._client.transact_write_items(
                TransactItems=cast("Any", updates), ClientRequestToken=token
            )


@contextmanager
def _asking() -> Iterator[None]:
    """Turn the SDK's errors into those of `ledger_errors`."""
    try:
        yield
    except ClientError as error:
        raise _meaning(error) from error
    except BotoCoreError as error:
        raise LedgerError(f"the ledger can't be reached ({type(error).__name__})") from error


def _meaning(error: ClientError) -> Exception:
    answer = cast("dict[str, Any]", error.response)
    code = str(answer.get("Error", {}).get("Code", ""))
    reasons = {str(each.get("Code")) for each in answer.get("CancellationReasons", ())}
    if code == f"{_CONDITION}Exception":
        return ConditionError(answer.get("Item"))
    if _CONDITION in reasons:
        return ConditionError()
    names = " ".join(sorted(reasons - {"None"})) or code
    if code in _FINAL_CODES or reasons & _FINAL_REASONS:
        return LedgerRefusedError(f"the ledger refused: {names}")
    return LedgerError(f"the ledger can't serve now: {names}")
