"""Asks the publisher of a deployment to put a changed parameter in force at once."""

import json
from collections.abc import Iterator

from bouncer.publishing.occasion import PUBLISH, Scope
from bouncer_cli.doctor.account import NotFoundError, UnavailableError
from bouncer_cli.operations.operated_deployment import OperatedDeployment

_ANYWAY = "it is in force within a minute, when the publisher runs by itself"


def publish_now(deployment: OperatedDeployment, scope: Scope) -> Iterator[str]:
    """Invoke the publisher and wait for it; yield a sentence if the change is not in force yet.

    A deployment of a version without a publisher reads its parameters itself.
    """
    if not deployment.publisher:
        return
    payload = json.dumps({PUBLISH: str(scope)})
    try:
        answer = deployment.account.do(
            "lambda", "invoke", FunctionName=deployment.publisher, Payload=payload
        )
    except (NotFoundError, UnavailableError) as error:
        yield f"the publisher can't be invoked ({error}): {_ANYWAY}"
        return
    if "FunctionError" in answer:
        yield f"the publisher failed: {_ANYWAY}; run bouncer doctor if it fails again"
