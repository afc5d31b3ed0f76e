"""DynamoDB's condition expressions: parsed once, evaluated on items.

Grammar: OR of ANDs of NOTs of comparisons, functions and parentheses. A comparison with an
attribute that is not there is false, `<>` is true, as in DynamoDB.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

from bouncer_sim.world.attribute_value import Item, Value, comparable, is_set, members
from bouncer_sim.world.expression_tokens import ExpressionError, Tokens


class Scope(NamedTuple):
    """An item, the values of `:placeholders` and the names of `#placeholders`."""

    item: Item
    values: Mapping[str, Value]
    names: Mapping[str, str]

    def attribute(self, name: str) -> str:
        """Return the name of an attribute that an expression means."""
        return self.names[name] if name.startswith("#") else name


Operand = Callable[[Scope], Value | None]
Condition = Callable[[Scope], bool]

_ORDERS: Mapping[str, Callable[[object, object], bool]] = {
    "<": lambda a, b: a < b,  # type: ignore[operator]  # both are of one type
    "<=": lambda a, b: a <= b,  # type: ignore[operator]  # both are of one type
    ">": lambda a, b: a > b,  # type: ignore[operator]  # both are of one type
    ">=": lambda a, b: a >= b,  # type: ignore[operator]  # both are of one type
}


@cache
def condition(text: str) -> Condition:
    """Return a condition; raises `ExpressionError`."""
    tokens = Tokens(text)
    found = _any(tokens)
    if tokens.next:
        raise ExpressionError(f"found {tokens.next}, expected the end of the condition")
    return found


def _any(tokens: Tokens) -> Condition:
    parts = [_all(tokens)]
    while tokens.pass_over("OR"):
        parts.append(_all(tokens))
    return parts[0] if len(parts) == 1 else lambda scope: any(part(scope) for part in parts)


def _all(tokens: Tokens) -> Condition:
    parts = [_negated(tokens)]
    while tokens.pass_over("AND"):
        parts.append(_negated(tokens))
    return parts[0] if len(parts) == 1 else lambda scope: all(part(scope) for part in parts)


def _negated(tokens: Tokens) -> Condition:
    if tokens.pass_over("NOT"):
        inner = _negated(tokens)
        return lambda scope: not inner(scope)
    if tokens.pass_over("("):
        inner = _any(tokens)
        tokens.expect(")")
        return inner
    return _FUNCTIONS.get(tokens.next, _comparison)(tokens)


def _comparison(tokens: Tokens) -> Condition:
    left, sign, right = operand(tokens), tokens.take(), operand(tokens)
    if sign == "=":
        return lambda scope: _equal(left(scope), right(scope))
    if sign == "<>":
        return lambda scope: not _equal(left(scope), right(scope))
    if sign not in _ORDERS:
        raise ExpressionError(f"found {sign}, expected a comparison")
    return lambda scope: _ordered(sign, left(scope), right(scope))


def operand(tokens: Tokens) -> Operand:
    """Read an attribute or the placeholder of a value."""
    token = tokens.take()
    if token.startswith(":"):
        return lambda scope: scope.values[token]
    return lambda scope: scope.item.get(scope.attribute(token))


def _equal(left: Value | None, right: Value | None) -> bool:
    return left is not None and right is not None and comparable(left) == comparable(right)


def _ordered(sign: str, left: Value | None, right: Value | None) -> bool:
    if left is None or right is None:
        return False
    (kind, first), (other, second) = comparable(left), comparable(right)
    return kind == other and _ORDERS[sign](first, second)


def _exists(tokens: Tokens) -> Condition:
    (name,) = _arguments(tokens, 1)
    return lambda scope: name(scope) is not None


def _not_exists(tokens: Tokens) -> Condition:
    exists = _exists(tokens)
    return lambda scope: not exists(scope)


def _contains(tokens: Tokens) -> Condition:
    whole, part = _arguments(tokens, 2)
    return lambda scope: _has(whole(scope), part(scope))


def _has(whole: Value | None, part: Value | None) -> bool:
    if whole is None or part is None:
        return False
    ((kind, content),) = part.items()
    if is_set(whole):
        return next(iter(whole)) == f"{kind}S" and comparable(part)[1] in members(whole)
    return next(iter(whole)) == kind == "S" and content in whole["S"]


def _begins_with(tokens: Tokens) -> Condition:
    whole, part = _arguments(tokens, 2)

    def begins(scope: Scope) -> bool:
        text, start = whole(scope) or {}, part(scope) or {}
        return "S" in text and text["S"].startswith(start["S"])

    return begins


def _arguments(tokens: Tokens, count: int) -> list[Operand]:
    tokens.take()  # the name of the function
    tokens.expect("(")
    found = [operand(tokens)]
    while tokens.pass_over(","):
        found.append(operand(tokens))
    tokens.expect(")")
    if len(found) != count:
        raise ExpressionError(f"found {len(found)} arguments, expected {count}")
    return found


_FUNCTIONS: Mapping[str, Callable[[Tokens], Condition]] = {
    "attribute_exists": _exists,
    "attribute_not_exists": _not_exists,
    "contains": _contains,
    "begins_with": _begins_with,
}
