"""Finds in a policy of a resource or a role whether it lets a service in.

Only AWS evaluates a policy. A statement about another account's requests, or another resource, does
not count; other conditions are not judged.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

_OURS = ("stringequals", "aws:sourceaccount")  # a condition that our account can meet


class Named(StrEnum):
    """The way in which a policy lets a service do something; `CONDITIONAL` if AWS may refuse it."""

    SERVICE = "service"
    CONDITIONAL = "conditional"
    EVERYBODY = "everybody"
    NOT = "not"


def named(
    policy: object, service: str, action: str, *, account: str | None, resource: str = "*"
) -> Named:
    """Return how a policy allows an action such as `sns:Publish` to a service, for `account`."""
    denying = [
        each
        for each in _about(policy, "Deny", action, resource)
        if _way(each, service) is not Named.NOT and not _of_others(each, account)
    ]
    if any(not _conditions(each, account) for each in denying):
        return Named.NOT
    allowing = [
        each for each in _about(policy, "Allow", action, resource) if not _of_others(each, account)
    ]
    by_name = [each for each in allowing if _way(each, service) is Named.SERVICE]
    if by_name:
        certain = not denying and any(not _conditions(each, account) for each in by_name)
        return Named.SERVICE if certain else Named.CONDITIONAL
    everybody = any(_way(each, service) is Named.EVERYBODY for each in allowing)
    return Named.EVERYBODY if everybody else Named.NOT


def allows(
    policy: object,
    principals: set[str],
    actions: Iterable[str],
    *,
    conditions: bool = True,
    account: str | None = None,
    resource: str = "*",
) -> bool:
    """Tell whether a policy allows each action to one of these principals, or to everybody.

    With `conditions=False` a statement with a condition does not count.
    """
    return all(
        any(
            _principals(each) & (principals | {"*"})
            and (conditions or not each.get("Condition"))
            and not _of_others(each, account)
            for each in _about(policy, "Allow", action, resource)
        )
        for action in actions
    )


def may_deny(
    policy: object, principals: set[str], actions: Iterable[str], *, account: str | None = None
) -> list[str]:
    """Return the names of statements that may deny one of these actions to a principal."""
    statements = policy.get("Statement", []) if isinstance(policy, Mapping) else []
    about = [each for action in actions for each in _about(policy, "Deny", action)]
    return [
        str(each.get("Sid", "a statement without Sid"))
        for each in _listed(statements)
        if each.get("Effect") == "Deny"
        and ("NotAction" in each or each in about)
        and ("NotPrincipal" in each or _principals(each) & (principals | {"*"}))
        and not _of_others(each, account)
    ]


def _about(
    policy: object, effect: str, action: str, resource: str = "*"
) -> Iterator[Mapping[str, Any]]:
    """Yield the statements of an effect about an action and a resource, also by wildcards."""
    statements = policy.get("Statement", []) if isinstance(policy, Mapping) else []
    wanted = action.lower()
    for each in _listed(statements):
        actions = (str(word).lower() for word in _listed(each.get("Action", [])))
        resources = map(str, _listed(each.get("Resource", "*")))
        if (
            each.get("Effect") == effect
            and any(fnmatchcase(wanted, word) for word in actions)
            and (resource == "*" or any(fnmatchcase(resource, word) for word in resources))
        ):
            yield each


def _tests(statement: Mapping[str, Any]) -> Iterator[tuple[str, str, list[Any]]]:
    """Yield operator, key and values of each test of a condition, all but values in lower case."""
    for operator, keys in (statement.get("Condition") or {}).items():
        for key, value in keys.items():
            yield operator.lower(), key.lower(), _listed(value)


def _of_others(statement: Mapping[str, Any], account: str | None) -> bool:
    """Tell whether a statement is about requests of other accounts alone."""
    return account is not None and any(
        (operator, key) == _OURS and account not in values
        for operator, key, values in _tests(statement)
    )


def _conditions(statement: Mapping[str, Any], account: str | None) -> bool:
    """Tell whether a statement has conditions beside that it is about our account."""
    return any(account is None or test[:2] != _OURS for test in _tests(statement))


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
