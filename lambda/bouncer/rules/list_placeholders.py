"""Placeholders such as `{departed.successor}`: a column of the row that made a rule match.

A text can have one only if `when` requires that a value is in the list, so that there is a row. The
condition then asks for a list that has this column; a list without it counts as missing.
"""

from collections.abc import Mapping

from bouncer.rules.condition import All, Condition, Member
from bouncer.rules.document import Node, show
from bouncer.rules.rejection import Template


def with_columns(
    condition: Condition | None, texts: Mapping[str, Template], node: Node
) -> Condition | None:
    """Return a condition that asks for the columns of all texts, which stand below `node`."""
    wanted: dict[str, dict[str, None]] = {}
    for key, template in texts.items():
        for name, column in template.columns:
            if name in required(condition):
                wanted.setdefault(name, {})[column] = None
            else:
                found = f"the placeholder {show(f'{{{name}.{column}}}')}"
                expected = f"when to require its list, such as recipient: {{in: {name}}}"
                node.child(key, template.text).fault(expected, found=found)
    for name, columns in wanted.items():
        condition = _replaced(condition, required(condition)[name], tuple(columns))
    return condition


def required(condition: Condition | None) -> dict[str, Member]:
    """Return the first question to each list that a value must be in for a condition to hold."""
    match condition:
        case Member():
            return {condition.name: condition}
        case All(parts):
            found: dict[str, Member] = {}
            for part in parts:
                found = required(part) | found
            return found
        case _:
            return {}


def _replaced(
    condition: Condition | None, leaf: Member, columns: tuple[str, ...]
) -> Condition | None:
    match condition:
        case Member() if condition == leaf:
            return Member(leaf.field, leaf.name, columns)
        case All(parts):
            changed = (_replaced(part, leaf, columns) for part in parts)
            return All(tuple(part for part in changed if part))
        case _:
            return condition
