"""A conditional write of one item of the ledger, as a value: nothing here calls DynamoDB.

Every attribute is named by an alias such as `#state`, because DynamoDB reserves some 570 words
(Developer Guide, "Reserved words in DynamoDB").
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bouncer.function_limits import LEDGER_EXPIRES, LEDGER_KEY_NAME

Value = Mapping[str, Any]  # an attribute's value as DynamoDB writes it, such as {"S": "text"}
Item = Mapping[str, Value]

KEPT = timedelta(days=14)  # longer than any job or dead letter can live


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """An update of the item `key`, made only if `condition` holds; an empty one always does."""

    key: str
    update: str
    condition: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)

    def parameters(self, table: str) -> dict[str, Any]:
        """Return the parameters of UpdateItem, or of an Update within TransactWriteItems."""
        aliases = re.findall(r"#\w+", f"{self.update} {self.condition}")
        found = {
            "TableName": table,
            "Key": {LEDGER_KEY_NAME: text(self.key)},
            "UpdateExpression": self.update,
            "ExpressionAttributeNames": {alias: alias[1:] for alias in dict.fromkeys(aliases)},
            "ExpressionAttributeValues": dict(self.values),
        }
        return found | ({"ConditionExpression": self.condition} if self.condition else {})


def text(value: str) -> Value:
    """Return a text as an attribute's value."""
    return {"S": value}


def number(value: int) -> Value:
    """Return a whole number as an attribute's value."""
    return {"N": str(value)}


def texts(values: Iterable[str]) -> Value:
    """Return a set of texts, which must not be empty, as an attribute's value."""
    return {"SS": sorted(values)}


def expires(now: datetime, kept: timedelta = KEPT) -> dict[str, Value]:
    """Return the value `:expires` of an item that is written now."""
    return {":expires": number(int((now + kept).timestamp()))}


SET_EXPIRES = f"#{LEDGER_EXPIRES} = :expires"


def text_of(item: Item, name: str) -> str:
    """Return a text attribute, or an empty text where the item has none."""
    return str(item.get(name, {}).get("S", ""))


def number_of(item: Item, name: str) -> int:
    """Return a number attribute, or 0 where the item has none."""
    return int(item.get(name, {}).get("N", 0))
