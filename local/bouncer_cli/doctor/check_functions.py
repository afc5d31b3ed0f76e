"""Checks the functions of the stack: they exist, can run, and none is missing."""

from collections.abc import Mapping
from typing import Any

from bouncer_cli.doctor.account import NotFoundError
from bouncer_cli.doctor.check_context import CheckContext
from bouncer_cli.doctor.finding import REPAIR, Finding, Findings, ok, problem, warning

FUNCTIONS = "AWS::Lambda::Function"
NEEDED = ("intake", "worker", "publisher", "feedback")

_FUNCTION = "function"
_INTAKE = "bouncer.intake.handler"


def functions(context: CheckContext) -> Findings:
    """Check that every function of the stack exists and can run."""
    if not context.stack.deployed:
        return
    seen: set[str] = set()
    for name in context.stack.names(FUNCTIONS):
        try:
            answer = context.account.ask("lambda", "get_function", FunctionName=name)
        except NotFoundError:
            yield problem(_FUNCTION, f"{name} does not exist", REPAIR)
            continue
        handler = answer["Configuration"].get("Handler", "")
        seen.add(handler.removeprefix("bouncer.").removesuffix(".handler"))
        yield _function(name, answer["Configuration"], answer.get("Concurrency", {}))
        if handler == _INTAKE:
            yield from _reserved(context, name, answer.get("Concurrency", {}))
    wanted = context.deployment
    further = {"replier": wanted.reply_senders, "reporter": wanted.report}
    for word in (*NEEDED, *(word for word, setting in further.items() if setting)):
        if word not in seen:
            yield problem(_FUNCTION, f"the stack has no {word}", "run cdk deploy")


def _function(name: str, function: Mapping[str, Any], concurrency: Mapping[str, Any]) -> Finding:
    state, update = function.get("State", "Active"), function.get("LastUpdateStatus", "Successful")
    if "Failed" in (state, update):
        reason = function.get("StateReason") or function.get("LastUpdateStatusReason")
        found = f"{name} failed: {reason or 'Lambda gives no reason'}"
        return problem(_FUNCTION, found, "remove the cause, then run cdk deploy")
    if concurrency.get("ReservedConcurrentExecutions") == 0:
        remedy = f"lift that: aws lambda delete-function-concurrency --function-name {name}"
        return problem(_FUNCTION, f"{name} never runs: its reserved concurrency is 0", remedy)
    if state == "Pending" or update == "InProgress":
        remedy = "wait a minute, then run bouncer doctor again"
        return warning(_FUNCTION, f"{name} is being updated", remedy)
    changed = str(function.get("LastModified", ""))[:19]
    runtime = function.get("Runtime", "no runtime")
    return ok(_FUNCTION, f"{name}: {runtime}, changed {changed}")


def _reserved(context: CheckContext, name: str, concurrency: Mapping[str, Any]) -> Findings:
    """Compare the intake's reserved concurrency with the settings; 0 is reported for every one."""
    found, wanted = (
        concurrency.get("ReservedConcurrentExecutions"),
        context.deployment.intake_concurrency,
    )
    if found not in (0, wanted):
        said = f"{name} has {found or 'no'} executions reserved, cdk.json says {wanted or 'none'}"
        yield warning(_FUNCTION, said, "run cdk deploy, or change intake_concurrency in cdk.json")
