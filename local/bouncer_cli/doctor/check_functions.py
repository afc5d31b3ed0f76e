"""What the stack runs: functions, queue mapping, queues, ledger, alarms; empty before deploying."""

from collections.abc import Mapping
from typing import Any

from bouncer_cli.doctor.account import NotFoundError
from bouncer_cli.doctor.check_context import Case
from bouncer_cli.doctor.finding import REPAIR, Finding, Findings, ok, problem, warning

_FUNCTION = "function"

NEEDED = ("intake", "worker")

# The types of what the stack is made of, and the ledger's attribute; a test of infra/ holds them.
FUNCTIONS = "AWS::Lambda::Function"


def functions(case: Case) -> Findings:
    """Every function of the stack: there, working, with what runtime, changed when."""
    if not case.stack.deployed:
        return
    seen: set[str] = set()
    for name in case.stack.names(FUNCTIONS):
        try:
            answer = case.account.ask("lambda", "get_function", FunctionName=name)
        except NotFoundError:
            yield problem(_FUNCTION, f"no {name}", REPAIR)
            continue
        handler = answer["Configuration"].get("Handler", "")
        seen.add(handler.removeprefix("bouncer.").removesuffix(".handler"))
        yield _function(name, answer["Configuration"], answer.get("Concurrency", {}))
    for word in NEEDED:
        if word not in seen:
            yield problem(_FUNCTION, f"the stack has no {word}", "run cdk deploy")


def _function(name: str, function: Mapping[str, Any], concurrency: Mapping[str, Any]) -> Finding:
    state, update = function.get("State", "Active"), function.get("LastUpdateStatus", "Successful")
    if state == "Failed" or update == "Failed":
        reason = (
            function.get("StateReason") or function.get("LastUpdateStatusReason") or "no reason"
        )
        return problem(_FUNCTION, f"{name} failed: {reason}", "mend that, then run cdk deploy")
    if concurrency.get("ReservedConcurrentExecutions") == 0:
        remedy = f"let it: aws lambda delete-function-concurrency --function-name {name}"
        return problem(_FUNCTION, f"{name} is throttled to nothing", remedy)
    if state == "Pending" or update == "InProgress":
        return warning(_FUNCTION, f"{name} is being updated", "wait a minute and look again")
    changed = str(function.get("LastModified", ""))[:19]
    return ok(_FUNCTION, f"{name}: {function.get('Runtime', 'no runtime')}, changed {changed}")
