"""Finds in a policy of a resource or a role whether it names a service; conditions are not judged.

Only AWS evaluates a policy. One that names the service in no statement can't let it in.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any


class Named(StrEnum):
    """The way in which a policy lets a service do something."""

    SERVICE = "service"
    EVERYBODY = "everybody"
    NOT = "not"


def named(policy: object, service: str, action: str) -> Named:
    """Return how a policy document allows an action such as `sns:Publish` to a service."""
    ways = {_way(each, service) for each in _allowing(policy, action)}
    return next((way for way in (Named.SERVICE, Named.EVERYBODY) if way in ways), Named.NOT)


def allows(
    policy: object, principals: set[str], actions: Iterable[str], *, conditions: bool = True
) -> bool:
    """Tell whether a policy allows each action to one of these principals, or to everybody.

    With `conditions=False` a statement with a condition does not count.
    """
    return all(
        any(
            _principals(each) & (principals | {"*"}) and (conditions or not each.get("Condition"))
            for each in _allowing(policy, action)
        )
        for action in actions
    )


def _allowing(policy: object, action: str) -> Iterator[Mapping[str, Any]]:
    """Yield the statements that allow an action, by itself or with a wildcard."""
    statements = policy.get("Statement", []) if isinstance(policy, Mapping) else []
    wanted = action.lower()
    for each in _listed(statements):
        actions = {str(word).lower() for word in _listed(each.get("Action", []))}
        if each.get("Effect") == "Allow" and any(fnmatchcase(wanted, word) for word in actions):
            yield each


def _way(statement: Mapping[str, Any], service: str) -> Named:
    principal = statement.get("Principal")
    if isinstance(principal, Mapping):
        if service in _listed(principal.get("Service", [])):
            return Named.SERVICE
        principal = principal.get("AWS")
    return Named.EVERYBODY if "*" in _listed(principal) else Named.NOT


def _principals(statement: Mapping[str, Any]) -> set[str]:
    principal = statement.get("Principal")
    named = principal.values() if isinstance(principal, Mapping) else [principal]
    return {str(each) for value in named for each in _listed(value)}


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]
