"""Reads what a rule compares a field with: a value, a matcher, a negation, or a list of these.

A reader returns None after a problem, which is then noted in the document's report.
"""

import re
from collections.abc import Callable

from bouncer.rules.condition import All, Any, Condition, Member, Not
from bouncer.rules.document import Node

LIST_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
IN = "in"


def joined(kind: type[All] | type[Any], parts: list[Condition | None]) -> Condition | None:
    """Return the parts as one condition; None if a part is missing because it was refused."""
    kept = tuple(part for part in parts if part is not None)
    if not kept or len(kept) != len(parts):
        return None
    return kept[0] if len(kept) == 1 else kind(kept)


def any_of(node: Node, one: Callable[[Node], Condition | None]) -> Condition | None:
    """Read a value or a list of values, of which one must match."""
    return joined(Any, [one(item) for item in node.items()])


def read_matchers(
    node: Node,
    plain: Callable[[Node], Condition | None],
    keys: tuple[str, ...] = (),
    keyed: Callable[[str, Node], Condition | None] | None = None,
) -> Condition | None:
    """Read plain values, mappings with `not` or one of `keys`, or a list of these."""

    def one(item: Node) -> Condition | None:
        if not isinstance(item.value, dict):
            return plain(item)
        found = only_key(item, (*keys, "not"))
        if found is None:
            return None
        key, value = found
        if key == "not":
            return negated(read_matchers(value, plain, keys, keyed))
        return keyed(key, value) if keyed else None

    return any_of(node, one)


def in_lists(label: str, node: Node) -> Condition | None:
    """Read the name of a list, or several names, one of whose lists must have a value."""

    def one(item: Node) -> Condition | None:
        name = item.value if isinstance(item.value, str) else ""
        if LIST_NAME.fullmatch(name):
            return Member(label, name)
        item.fault("the name of a list: letters, digits, dash and underscore, at most 100")
        return None

    return any_of(node, one)


def negated(condition: Condition | None) -> Condition | None:
    """Return the negation of a condition; None for one that was refused."""
    return Not(condition) if condition else None


def only_key(node: Node, known: tuple[str, ...]) -> tuple[str, Node] | None:
    """Return the single member of a mapping whose key must be one of `known`."""
    entries = node.members(known, "a matcher")
    if len(entries) > 1:
        node.fault("one matcher (use all: to ask for several)", found=" and ".join(entries))
    elif not entries and node.value == {}:
        node.fault(f"one of {', '.join(known)}")
    return next(iter(entries.items())) if len(entries) == 1 else None
