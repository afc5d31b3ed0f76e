"""DynamoDB's update expressions: SET, REMOVE, ADD and DELETE, parsed once, applied to items."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from bouncer_sim.world.attribute_value import (
    Item,
    Value,
    is_set,
    kind_of_both,
    made_number,
    made_set,
    members,
    number,
)
from bouncer_sim.world.condition_expression import Operand, Scope, operand
from bouncer_sim.world.expression_tokens import ExpressionError, Tokens


class Action(NamedTuple):
    """A change of one attribute: `act` reads the item as it was and changes the new one."""

    name: str
    act: Callable[[Scope, Item], None]


class Update(NamedTuple):
    """All changes of an expression."""

    actions: tuple[Action, ...]

    def apply(self, scope: Scope) -> Item:
        """Return the new item that is made of the old one."""
        changed = dict(scope.item)
        for action in self.actions:
            action.act(scope, changed)
        return changed

    def attributes(self, scope: Scope) -> set[str]:
        """Return the names of the attributes that the expression names to be changed."""
        return {scope.attribute(action.name) for action in self.actions}


@lru_cache(maxsize=1_000)  # writes of a log name its jobs: each is another text
def update(text: str) -> Update:
    """Return an update; raises `ExpressionError`."""
    tokens = Tokens(text)
    actions: list[Action] = []
    while tokens.next:
        actions += _clause(tokens)
    return Update(tuple(actions))


def _clause(tokens: Tokens) -> list[Action]:
    word = tokens.take().upper()
    if word not in _CLAUSES:
        raise ExpressionError(f"found {word}, expected SET, REMOVE, ADD or DELETE")
    reader = _CLAUSES[word]
    actions = [reader(tokens)]
    while tokens.pass_over(","):
        actions.append(reader(tokens))
    return actions


def _set(tokens: Tokens) -> Action:
    name = tokens.take()
    tokens.expect("=")
    value = _sum(tokens)

    def act(scope: Scope, changed: Item) -> None:
        changed[scope.attribute(name)] = _required(value(scope), name)

    return Action(name, act)


def _sum(tokens: Tokens) -> Operand:
    left = _term(tokens)
    if not (sign := tokens.next) or sign not in "+-":
        return left
    tokens.take()
    right = _term(tokens)

    def total(scope: Scope) -> Value:
        first, second = (number(_required(term(scope), "operand")) for term in (left, right))
        return made_number(first + second if sign == "+" else first - second)

    return total


def _term(tokens: Tokens) -> Operand:
    if tokens.next != "if_not_exists":
        return operand(tokens)
    tokens.take()
    tokens.expect("(")
    first = operand(tokens)
    tokens.expect(",")
    otherwise = operand(tokens)
    tokens.expect(")")
    return lambda scope: first(scope) or otherwise(scope)


def _remove(tokens: Tokens) -> Action:
    name = tokens.take()

    def act(scope: Scope, changed: Item) -> None:
        changed.pop(scope.attribute(name), None)

    return Action(name, act)


def _add(tokens: Tokens) -> Action:
    name, value = tokens.take(), operand(tokens)

    def act(scope: Scope, changed: Item) -> None:
        added = _required(value(scope), name)
        before = changed.get(scope.attribute(name))
        changed[scope.attribute(name)] = added if before is None else _together(before, added)

    return Action(name, act)


def _together(before: Value, added: Value) -> Value:
    kind = kind_of_both(before, added)
    if is_set(added):
        return made_set(kind, members(before) | members(added))
    return made_number(number(before) + number(added))


def _delete(tokens: Tokens) -> Action:
    name, value = tokens.take(), operand(tokens)

    def act(scope: Scope, changed: Item) -> None:
        attribute, gone = scope.attribute(name), _required(value(scope), name)
        before = changed.pop(attribute, gone)
        if left := members(before) - members(gone):  # an empty set does not exist
            changed[attribute] = made_set(kind_of_both(before, gone), left)

    return Action(name, act)


def _required(value: Value | None, name: str) -> Value:
    if value is None:
        raise ExpressionError(f"{name}: found no value, expected one")
    return value


_CLAUSES: Mapping[str, Callable[[Tokens], Action]] = {
    "SET": _set,
    "REMOVE": _remove,
    "ADD": _add,
    "DELETE": _delete,
}
