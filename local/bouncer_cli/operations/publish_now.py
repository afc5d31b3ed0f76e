"""Asks the publisher of a deployment to put a changed parameter in force at once."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bouncer.publishing.occasion import PUBLISH, Scope
from bouncer_cli.doctor.account import NotFoundError, UnavailableError
from bouncer_cli.operations.operated_account import OperatedAccount, OperationError
from bouncer_cli.operations.operated_deployment import OperatedDeployment

_ANYWAY = "it is in force within a minute, when the publisher runs by itself"


class Published(NamedTuple):
    """The answer of the publisher: the revision in force, and the problems of refused documents."""

    revision: str
    problems: Mapping[str, list[str]]


def published(account: OperatedAccount, publisher: str) -> Published:
    """Have all documents published, and wait for it.

    Raises `OperationError` if the publisher fails, and what `OperatedAccount.do` raises.
    """
    answer = _invoked(account, publisher, Scope.EVERYTHING)
    if "FunctionError" in answer:
        raise OperationError(
            "the publisher failed: run this command again in a minute; if it fails again, run "
            "bouncer doctor and look at docs/operations.md#publisher-errors"
        )
    found = json.loads(answer["Payload"].read())
    return Published(found["revision"], found["problems"])


def _invoked(account: OperatedAccount, publisher: str, scope: Scope) -> dict[str, Any]:
    payload = json.dumps({PUBLISH: str(scope)})
    return account.do("lambda", "invoke", FunctionName=publisher, Payload=payload)


def publish_now(deployment: OperatedDeployment, scope: Scope) -> Iterator[str]:
    """Invoke the publisher and wait for it; yield a sentence if the change is not in force yet.

    A deployment of a version without a publisher reads its parameters itself.
    """
    if not deployment.publisher:
        return
    try:
        answer = _invoked(deployment.account, deployment.publisher, scope)
    except (NotFoundError, UnavailableError) as error:
        yield f"the publisher can't be invoked ({error}): {_ANYWAY}"
        return
    if "FunctionError" in answer:
        yield f"the publisher failed: {_ANYWAY}; run bouncer doctor if it fails again"
