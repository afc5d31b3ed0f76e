"""What the stack runs: functions, queue mapping, queues, ledger, alarms; empty before deploying."""

from collections.abc import Mapping
from typing import Any

from bouncer_cli.doctor.account import NotFoundError
from bouncer_cli.doctor.check_context import Case
from bouncer_cli.doctor.finding import REPAIR, Finding, Findings, ok, problem, warning

_ALARM = "alarm"

_ALARMS = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
_TOPIC = "AWS::SNS::Topic"
_MOST_ALARMS = 100  # CloudWatch API reference, DescribeAlarms


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
