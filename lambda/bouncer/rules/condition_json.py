"""A condition as plain values for JSON: a list that begins with the word of its kind.

    ["all", ["text", "sender", "equals", "eve@example.com"], ["not", ["present", "list-id"]]]

What is written here was read from a document before, so nothing is checked again. Equal conditions
have equal values on any machine.
"""

from collections.abc import Callable, Mapping
from datetime import time
from ipaddress import ip_network
from typing import Any as AnyValue
from typing import assert_never

from bouncer.rules.condition import (
    All,
    Any,
    Condition,
    Leaf,
    Matcher,
    Member,
    Network,
    Not,
    Number,
    Present,
    Text,
    Window,
    Word,
)

Values = list[AnyValue]

_CLOCK = "%H:%M"


def condition_values(condition: Condition) -> Values:
    """Return a condition as values; `condition_of` reads them again."""
    match condition:
        case All(parts):
            return ["all", *map(condition_values, parts)]
        case Any(parts):
            return ["any", *map(condition_values, parts)]
        case Not(part):
            return ["not", condition_values(part)]
        case _:
            return _leaf_values(condition)


def _leaf_values(leaf: Leaf) -> Values:
    match leaf:
        case Text(field, matcher, pattern):
            return ["text", field, str(matcher), pattern]
        case Member(field, name, columns):
            return ["member", field, name, *columns]
        case Word(field, word):
            return ["word", field, word]
        case Network(field, network):
            return ["network", field, str(network)]
        case Number(field, over, under):
            return ["number", field, over, under]
        case Present(name):
            return ["present", name]
        case Window(field, days, start, end, zone):
            return ["window", field, list(days), f"{start:{_CLOCK}}", f"{end:{_CLOCK}}", zone.key]
        case _:
            assert_never(leaf)


def condition_of(values: Values) -> Condition:
    """Return the condition that has these values; raises `KeyError` for an unknown kind.

    A condition with more values than its kind has raises `TypeError` or `ValueError`.
    """
    return _READERS[values[0]](values)


def _window(values: Values) -> Window:
    from zoneinfo import ZoneInfo  # noqa: PLC0415  # few rules name a zone

    _, field, days, start, end, zone = values
    clocks = time.fromisoformat(start), time.fromisoformat(end)
    return Window(field, tuple(days), *clocks, ZoneInfo(zone))


def _parts(values: Values) -> tuple[Condition, ...]:
    return tuple(_READERS[part[0]](part) for part in values[1:])


_MATCHERS = {str(matcher): matcher for matcher in Matcher}

_READERS: Mapping[str, Callable[[Values], Condition]] = {
    "text": lambda values: Text(values[1], _MATCHERS[values[2]], *values[3:]),
    "member": lambda values: Member(values[1], values[2], tuple(values[3:])),
    "word": lambda values: Word(*values[1:]),
    "network": lambda values: Network(values[1], *map(ip_network, values[2:])),
    "number": lambda values: Number(*values[1:]),
    "present": lambda values: Present(*values[1:]),
    "window": _window,
    "all": lambda values: All(_parts(values)),
    "any": lambda values: Any(_parts(values)),
    "not": lambda values: Not(*map(condition_of, values[1:])),
}
