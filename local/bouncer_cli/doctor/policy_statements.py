"""Finds in a policy of a resource or a role whether it names a service; conditions are not judged.

Only AWS evaluates a policy. One that names the service in no statement can't let it in.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
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


def _allowing(policy: object, action: str) -> Iterator[Mapping[str, Any]]:
    """Yield the statements that allow an action, by itself or with a wildcard."""
    statements = policy.get("Statement", []) if isinstance(policy, Mapping) else []
    wanted = {action.lower(), f"{action.partition(':')[0].lower()}:*", "*"}
    for each in _listed(statements):
        actions = {str(word).lower() for word in _listed(each.get("Action", []))}
        if each.get("Effect") == "Allow" and wanted & actions:
            yield each


def _way(statement: Mapping[str, Any], service: str) -> Named:
    principal = statement.get("Principal")
    if isinstance(principal, Mapping):
        if service in _listed(principal.get("Service", [])):
            return Named.SERVICE
        principal = principal.get("AWS")
    return Named.EVERYBODY if "*" in _listed(principal) else Named.NOT


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]
