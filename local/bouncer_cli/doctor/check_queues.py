"""What the stack runs: functions, queue mapping, queues, ledger, alarms; empty before deploying."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bouncer_cli.doctor.account import NotFoundError, UnavailableError
from bouncer_cli.doctor.check_context import Case
from bouncer_cli.doctor.finding import REPAIR, Finding, Findings, ok, problem, warning

_FUNCTION = "function"
_MAPPING = "queue mapping"
_QUEUE = "queue"
_DEAD = "dead letters"
_LEDGER = "ledger"
_ALARM = "alarm"

NEEDED = ("intake", "worker")

# A job may wait 24 hours and one a second is sent: the limits of the alarms.
_LONG_S = 12 * 3600
_TOO_LONG_S = 20 * 3600

# The types of what the stack is made of, and the ledger's attribute; a test of infra/ holds them.
FUNCTIONS = "AWS::Lambda::Function"
MAPPINGS = "AWS::Lambda::EventSourceMapping"
QUEUES = "AWS::SQS::Queue"
TABLES = ("AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table")
EXPIRES = "expires"
_ALARMS = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
_TOPIC = "AWS::SNS::Topic"
_MOST_ALARMS = 100  # CloudWatch API reference, DescribeAlarms


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


def ledger(case: Case) -> Findings:
    """The table, without which nothing is sent."""
    for table in case.stack.names(*TABLES):
        try:
            answer = case.account.ask("dynamodb", "describe_table", TableName=table)["Table"]
        except NotFoundError:
            yield problem(_LEDGER, f"no {table}, so no bounce is sent", REPAIR)
            continue
        status = answer.get("TableStatus", "unknown")
        if status == "ACTIVE":
            yield ok(_LEDGER, f"{table} is active")
        elif status == "UPDATING":
            yield warning(_LEDGER, f"{table} is being updated", "wait a minute and look again")
        else:
            yield problem(_LEDGER, f"{table} is {status}", "look into the DynamoDB console")


def ledger_expiry(case: Case) -> Findings:
    """Whether old entries go by themselves."""
    for table in case.stack.names(*TABLES):
        try:
            answer = case.account.ask("dynamodb", "describe_time_to_live", TableName=table)
        except NotFoundError:
            return  # told already
        described = answer.get("TimeToLiveDescription", {})
        status, by = described.get("TimeToLiveStatus", "DISABLED"), described.get("AttributeName")
        if status in ("ENABLED", "ENABLING") and by == EXPIRES:
            yield ok(_LEDGER, f"old entries of {table} expire")
        else:
            state = f"{status} on {by}" if by else status
            found = f"old entries of {table} stay forever (time to live is {state})"
            yield warning(_LEDGER, found, f"enable its time to live for {EXPIRES}")


def alarms(case: Case) -> Findings:
    """Every alarm of the stack that rings or can't ring."""
    names = case.stack.names(*_ALARMS)
    if not names:
        if case.stack.deployed:
            yield warning(_ALARM, "the stack has none", "run cdk deploy with the present version")
        return
    quiet = 0
    missing = set(names)
    for start in range(0, len(names), _MOST_ALARMS):
        answer = case.account.ask(
            "cloudwatch",
            "describe_alarms",
            AlarmNames=names[start : start + _MOST_ALARMS],
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            MaxRecords=_MOST_ALARMS,
        )
        for alarm in (*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])):
            missing.discard(alarm["AlarmName"])
            finding = _alarm(case, alarm)
            quiet += finding is None
            if finding:
                yield finding
    for name in sorted(missing):
        yield problem(_ALARM, f"no {name}", REPAIR)
    if quiet:
        yield ok(_ALARM, f"{quiet} of {len(names)} are quiet")


def _alarm(case: Case, alarm: Mapping[str, Any]) -> Finding | None:
    name = alarm["AlarmName"]
    if alarm.get("StateValue") == "ALARM":
        said = alarm.get("AlarmDescription") or alarm.get("StateReason") or "no description"
        return problem(_ALARM, f"{name} rings: {said}", "do what docs/operations.md says of it")
    if not alarm.get("ActionsEnabled", True):
        remedy = f"aws cloudwatch enable-alarm-actions --alarm-names {name}"
        return warning(
            _ALARM, f"{name} tells nobody, its actions are off", f"switch them on: {remedy}"
        )
    if case.stack.names(_TOPIC) and not alarm.get("AlarmActions"):
        return warning(_ALARM, f"{name} tells nobody, it has no actions", REPAIR)
    return None


def alarm_subscriptions(case: Case) -> Findings:
    """Whether the one who is to be told of alarms has said yes to SNS."""
    topics = case.stack.names(_TOPIC)
    if case.stack.deployed and case.deployment.alarm_email and not topics:
        yield warning(_ALARM, "the stack tells nobody, alarm_email is new", "run cdk deploy")
    for topic in topics:
        try:
            subscriptions = case.account.pages(
                "sns", "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic
            )
        except NotFoundError:
            yield problem(_ALARM, "no topic, so nobody is told", REPAIR)
            continue
        if not subscriptions:
            yield problem(_ALARM, "nobody is told, the topic has no subscription", REPAIR)
        for subscription in subscriptions:
            yield _subscription(subscription)


def _subscription(subscription: Mapping[str, Any]) -> Finding:
    whom = subscription.get("Endpoint", "somebody")
    state = subscription.get("SubscriptionArn", "")
    if state.startswith("arn:"):  # else PendingConfirmation or Deleted
        return ok(_ALARM, f"{whom} is told")
    remedy = "let them follow the link in SNS's mail, or subscribe them again"
    return problem(_ALARM, f"{whom} is told nothing ({state})", remedy)
