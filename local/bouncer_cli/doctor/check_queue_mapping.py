"""Checks the event source mappings: from queues to worker, feedback function and publisher."""

from collections.abc import Mapping
from typing import Any

from bouncer_cli.doctor.account import NotFoundError
from bouncer_cli.doctor.check_context import CheckContext
from bouncer_cli.doctor.check_functions import FUNCTIONS
from bouncer_cli.doctor.check_queues import FIFO, QUEUES
from bouncer_cli.doctor.finding import REPAIR, Finding, Findings, ok, problem, warning

MAPPINGS = "AWS::Lambda::EventSourceMapping"

_MAPPING = "queue mapping"


def queue_mapping(context: CheckContext) -> Findings:
    """Check that the mappings exist, are enabled, and join queues and functions of the stack."""
    if not context.stack.deployed:
        return
    mappings = context.stack.names(MAPPINGS)
    if not mappings:
        found = "the stack has no event source mapping, so no bounce is sent"
        yield problem(_MAPPING, found, "run cdk deploy")
    for uuid in mappings:
        try:
            answer = context.account.ask("lambda", "get_event_source_mapping", UUID=uuid)
        except NotFoundError:
            found = f"{uuid} does not exist, so no bounce is sent, or nobody is suppressed"
            yield problem(_MAPPING, found, REPAIR)
            continue
        yield from _mapping(context, uuid, answer)


def _mapping(context: CheckContext, uuid: str, answer: Mapping[str, Any]) -> Findings:
    queue = answer.get("EventSourceArn", "").rpartition(":")[2]
    function = answer.get("FunctionArn", "").rpartition(":function:")[2].partition(":")[0]
    yield _state(uuid, answer.get("State", "unknown"), queue, function)
    queues = [url.rpartition("/")[2] for url in context.stack.names(QUEUES)]
    if function not in context.stack.names(FUNCTIONS) or queue not in queues:
        found = f"{queue} and {function} are not both the stack's"
        yield problem(_MAPPING, found, REPAIR)
    in_part = "ReportBatchItemFailures" in answer.get("FunctionResponseTypes", [])
    if not in_part and not _is_publisher(function):  # which takes a batch as a whole
        found = "ReportBatchItemFailures is off, so one failed job fails its whole batch"
        yield problem(_MAPPING, found, REPAIR)
    result = str(answer.get("LastProcessingResult", ""))
    if result.startswith("PROBLEM"):
        query = _consequence(queue, function)[1]
        remedy = f"read the function's journal: query {query} of docs/operations.md"
        yield problem(_MAPPING, f"the last result is {result}", remedy)


def _is_publisher(function: str) -> bool:
    """Tell by the name of a function, which has its place in the stack."""
    return "publisher" in function.lower()


def _consequence(queue: str, function: str) -> tuple[str, str]:
    """Return what does not happen while a mapping does not work, and the query that tells why."""
    if queue.endswith(FIFO):
        return "no bounce is sent", "worker-errors"
    if "replier" in function.lower():
        return "no reply is sent", "replies"
    if _is_publisher(function):
        return "changed rules are in force up to 15 minutes late", "publishing"
    return "nobody is suppressed", "feedback"


def _state(uuid: str, state: str, queue: str, function: str) -> Finding:
    found = f"{queue} to {function} is {state.lower()}"
    lost = _consequence(queue, function)[0]
    if state == "Enabled":
        return ok(_MAPPING, found)
    if state == "Deleting":
        return problem(_MAPPING, f"{found}, so {lost}", REPAIR)
    if state in ("Disabled", "Disabling"):
        remedy = f"enable it: aws lambda update-event-source-mapping --uuid {uuid} --enabled"
        return problem(_MAPPING, f"{found}, so {lost}", remedy)
    return warning(_MAPPING, found, "wait a minute, then run bouncer doctor again")
