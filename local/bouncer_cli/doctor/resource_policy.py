"""Looks in the policy of a key or topic for what a service must be allowed.

Conditions are not judged: a statement that has some may still refuse.
"""

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

Statement = Mapping[str, Any]


def allows(
    policy: str, principals: set[str], actions: list[str], *, conditions: bool = True
) -> bool:
    """Tell whether a policy's JSON allows each action to a principal of these, or to everybody.

    With `conditions=False` statements with a condition do not count.
    """
    statements = [
        each
        for each in _statements(policy)
        if each.get("Effect") == "Allow"
        and _principals(each) & (principals | {"*"})
        and (conditions or not each.get("Condition"))
    ]
    patterns = [str(each).lower() for found in statements for each in _listed(found.get("Action"))]
    return all(
        any(fnmatchcase(action.removesuffix("*").lower(), pattern) for pattern in patterns)
        for action in actions
    )


def _statements(policy: str) -> Iterator[Statement]:
    document = json.loads(policy)
    yield from _listed(document.get("Statement"))


def _principals(statement: Statement) -> set[str]:
    principal = statement.get("Principal")
    named = principal.values() if isinstance(principal, dict) else [principal]
    return {str(each) for value in named for each in _listed(value)}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
