"""What the stack runs: functions, queue mapping, queues, ledger, alarms; empty before deploying."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bouncer_cli.doctor.account import NotFoundError, UnavailableError
from bouncer_cli.doctor.check_context import Case
from bouncer_cli.doctor.check_functions import FUNCTIONS
from bouncer_cli.doctor.finding import REPAIR, Finding, Findings, ok, problem, warning

_MAPPING = "queue mapping"
_QUEUE = "queue"
_DEAD = "dead letters"

# A job may wait 24 hours and one a second is sent: the limits of the alarms.
_LONG_S = 12 * 3600
_TOO_LONG_S = 20 * 3600

MAPPINGS = "AWS::Lambda::EventSourceMapping"
QUEUES = "AWS::SQS::Queue"


def queue_mapping(case: Case) -> Findings:
    """What takes jobs from the queue to the worker."""
    if not case.stack.deployed:
        return
    mappings = case.stack.names(MAPPINGS)
    if not mappings:
        found = "the stack has none, so no bounce is sent"
        yield problem(_MAPPING, found, "run cdk deploy")
    for uuid in mappings:
        try:
            answer = case.account.ask("lambda", "get_event_source_mapping", UUID=uuid)
        except NotFoundError:
            yield problem(_MAPPING, f"no {uuid}, so no bounce is sent", REPAIR)
            continue
        yield from _mapping(case, uuid, answer)


def _mapping(case: Case, uuid: str, answer: Mapping[str, Any]) -> Findings:
    state = answer.get("State", "unknown")
    queue = answer.get("EventSourceArn", "").rpartition(":")[2]
    function = answer.get("FunctionArn", "").rpartition(":function:")[2].partition(":")[0]
    found = f"{queue} to {function} is {state.lower()}"
    if state == "Enabled":
        yield ok(_MAPPING, found)
    elif state == "Deleting":
        yield problem(_MAPPING, f"{found}, so no bounce is sent", REPAIR)
    elif state in ("Disabled", "Disabling"):
        remedy = f"enable it: aws lambda update-event-source-mapping --uuid {uuid} --enabled"
        yield problem(_MAPPING, f"{found}, so no bounce is sent", remedy)
    else:
        yield warning(_MAPPING, found, "wait a minute and look again")
    queues = [url.rpartition("/")[2] for url in case.stack.names(QUEUES)]
    if function not in case.stack.names(FUNCTIONS) or queue not in queues:
        foreign = f"{queue} to {function} joins what is not the stack's"
        yield problem(_MAPPING, foreign, REPAIR)
    if "ReportBatchItemFailures" not in answer.get("FunctionResponseTypes", []):
        yield problem(_MAPPING, "one failed job fails all ten of its batch", REPAIR)
    result = str(answer.get("LastProcessingResult", ""))
    if result.startswith("PROBLEM"):
        yield problem(_MAPPING, f"last result: {result}", "read the worker's log")


def queues(case: Case) -> Findings:
    """How many jobs wait and for how long; dead letters."""
    if not case.stack.deployed:
        return
    found: dict[str, dict[str, str]] = {}
    for url in case.stack.names(QUEUES):
        try:
            answer = case.account.ask(
                "sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["All"]
            )
        except NotFoundError:
            yield problem(_QUEUE, f"no {url.rpartition('/')[2]}", REPAIR)
            continue
        found[url] = answer.get("Attributes", {})
    dead = {_dead_letters(attributes) for attributes in found.values()} - {""}
    for url, attributes in found.items():
        name = url.rpartition("/")[2]
        if attributes.get("QueueArn") in dead:
            yield _dead(name, _count(attributes))
        else:
            yield from _waiting(case, name, attributes)


def _dead_letters(attributes: Mapping[str, str]) -> str:
    return str(json.loads(attributes.get("RedrivePolicy") or "{}").get("deadLetterTargetArn", ""))


def _count(attributes: Mapping[str, str]) -> int:
    """Waiting, being worked on and delayed."""
    kinds = ("", "NotVisible", "Delayed")
    return sum(int(attributes.get(f"ApproximateNumberOfMessages{kind}", 0)) for kind in kinds)


def _dead(name: str, count: int) -> Finding:
    if not count:
        return ok(_DEAD, f"none in {name}")
    return problem(
        _DEAD, f"{count} in {name}", "read docs/operations.md, then redrive or purge them"
    )


def _waiting(case: Case, name: str, attributes: Mapping[str, str]) -> Findings:
    jobs = _count(attributes)
    age_s, unknown = _oldest_s(case, name)
    old = f", the oldest for {age_s / 3600:.1f} h" if age_s else ""
    found = f"{jobs} jobs wait in {name}, {timedelta(seconds=jobs)} of sending{old}"
    remedy = "see that the worker runs and SES accepts; after 24 hours a mail can't be bounced"
    # One job is one SendBounce, and one a second is sent.
    worst_s = max(age_s or 0, jobs)
    if worst_s >= _TOO_LONG_S:
        yield problem(_QUEUE, found, remedy)
    elif worst_s >= _LONG_S:
        yield warning(_QUEUE, found, remedy)
    else:
        yield ok(_QUEUE, found)
    if unknown:
        yield warning(
            _QUEUE, f"age of the oldest job: could not be checked: {unknown}", unknown.next_step
        )
    if not _dead_letters(attributes):
        yield problem(_QUEUE, f"{name} has no dead-letter queue", REPAIR)


def _oldest_s(case: Case, name: str) -> tuple[float | None, UnavailableError | None]:
    """The age SQS told CloudWatch last; a queue nobody uses tells nothing."""
    try:
        answer = case.account.ask(
            "cloudwatch",
            "get_metric_statistics",
            Namespace="AWS/SQS",
            MetricName="ApproximateAgeOfOldestMessage",
            Dimensions=[{"Name": "QueueName", "Value": name}],
            StartTime=case.now - timedelta(minutes=15),
            EndTime=case.now,
            Period=300,
            Statistics=["Maximum"],
        )
    except UnavailableError as error:
        return None, error
    points = sorted(answer.get("Datapoints", []), key=lambda point: point["Timestamp"])
    return (float(points[-1]["Maximum"]) if points else None), None
