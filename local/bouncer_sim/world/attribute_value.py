"""Attribute values of DynamoDB as its API writes them: {"S": "text"}, {"N": "1"}, {"SS": [...]}.

Sets are equal whatever their order. Numbers are compared as numbers.
"""

from decimal import Decimal
from typing import Any

from bouncer_sim.world.expression_tokens import ExpressionError

Value = dict[str, Any]
Item = dict[str, Value]

_SETS = ("SS", "NS")


def comparable(value: Value) -> tuple[str, Any]:
    """Return the type of a value and something that can be compared within the type."""
    ((kind, content),) = value.items()
    if kind == "N":
        return kind, Decimal(content)
    return kind, members(value) if kind in _SETS else content


def members(value: Value) -> frozenset[Any]:
    """Return the members of a set."""
    ((kind, content),) = value.items()
    if kind not in _SETS:
        raise ExpressionError(f"found the type {kind}, expected a set")
    return frozenset(map(Decimal, content) if kind == "NS" else content)


def kind_of_both(first: Value, second: Value) -> str:
    """Return the type that two values share; raises `ExpressionError` if they do not."""
    (kind,), (other,) = first, second
    if kind != other:
        raise ExpressionError(f"found the types {kind} and {other}, expected one")
    return kind


def made_set(kind: str, content: frozenset[Any]) -> Value:
    """Return a set as a value, its members in their order."""
    return {kind: [str(member) for member in sorted(content)]}


def is_set(value: Value) -> bool:
    """Tell whether a value is a set."""
    return next(iter(value)) in _SETS


def number(value: Value) -> Decimal:
    """Return the number a value is."""
    kind, content = comparable(value)
    if kind != "N":
        raise ExpressionError(f"found the type {kind}, expected a number")
    return Decimal(content)


def made_number(content: Decimal) -> Value:
    """Return a number as a value."""
    return {"N": format(content, "f")}


def size(item: Item) -> int:
    """Return about the bytes of an item, as DynamoDB counts them: names and contents."""
    return sum(len(name.encode()) + _content_size(value) for name, value in item.items())


def _content_size(value: Value) -> int:
    ((kind, content),) = value.items()
    if kind in _SETS:
        return sum(len(str(member).encode()) for member in content)
    return len(str(content).encode())
