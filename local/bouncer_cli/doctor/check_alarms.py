"""Checks the alarms of the stack, and that somebody is notified by them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bouncer_cli.doctor.account import NotFoundError
from bouncer_cli.doctor.check_context import CheckContext
from bouncer_cli.doctor.finding import REPAIR, Finding, Findings, ok, problem, warning
from bouncer_cli.doctor.policy_statements import allows

_ALARM = "alarm"

_ALARMS = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
_TOPIC = "AWS::SNS::Topic"
_CLOUDWATCH = "cloudwatch.amazonaws.com"
_MOST_ALARMS = 100  # CloudWatch API reference, DescribeAlarms


def alarms(context: CheckContext) -> Findings:
    """Report every alarm that is in ALARM, can notify nobody or does not exist."""
    names = context.stack.names(*_ALARMS)
    if not names:
        if context.stack.deployed:
            remedy = "run cdk deploy with this version of the bouncer"
            yield warning(_ALARM, "the stack has no alarms", remedy)
        return
    fine = 0
    missing = set(names)
    for alarm in _described(context, names):
        missing.discard(alarm["AlarmName"])
        finding = _alarm(context, alarm)
        fine += finding is None
        if finding:
            yield finding
    for name in sorted(missing):
        yield problem(_ALARM, f"{name} does not exist", REPAIR)
    if fine:
        yield ok(_ALARM, f"{fine} of {len(names)} alarms are as they should be")


def _described(context: CheckContext, names: list[str]) -> Iterator[dict[str, Any]]:
    for start in range(0, len(names), _MOST_ALARMS):
        answer = context.account.ask(
            "cloudwatch",
            "describe_alarms",
            AlarmNames=names[start : start + _MOST_ALARMS],
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            MaxRecords=_MOST_ALARMS,
        )
        yield from answer.get("MetricAlarms", [])
        yield from answer.get("CompositeAlarms", [])


def _alarm(context: CheckContext, alarm: Mapping[str, Any]) -> Finding | None:
    name = alarm["AlarmName"]
    if alarm.get("StateValue") == "ALARM":
        reason = alarm.get("AlarmDescription") or alarm.get("StateReason") or "no description"
        remedy = "follow the section of this alarm in docs/operations.md#alarms"
        return problem(_ALARM, f"{name} is in ALARM: {reason}", remedy)
    if not alarm.get("ActionsEnabled", True):
        found = f"{name} has its actions disabled, so nobody is notified"
        remedy = f"enable them: aws cloudwatch enable-alarm-actions --alarm-names {name}"
        return warning(_ALARM, found, remedy)
    notifies = context.deployment.alarm_topic or context.stack.names(_TOPIC)
    if notifies and not alarm.get("AlarmActions"):
        return warning(_ALARM, f"{name} has no actions, so nobody is notified", REPAIR)
    return None


def alarm_subscriptions(context: CheckContext) -> Findings:
    """Check that those who are to be notified of alarms have confirmed their subscription."""
    topics = context.stack.names(_TOPIC)
    if context.stack.deployed and context.deployment.alarm_email and not topics:
        found = "nobody is notified: the stack was deployed without alarm_email"
        yield warning(_ALARM, found, "run cdk deploy")
    for topic in topics:
        try:
            subscriptions = context.account.pages(
                "sns", "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic
            )
        except NotFoundError:
            yield problem(_ALARM, "the SNS topic does not exist, so nobody is notified", REPAIR)
            continue
        if not subscriptions:
            found = "the SNS topic has no subscription, so nobody is notified"
            yield problem(_ALARM, found, REPAIR)
        for subscription in subscriptions:
            yield _subscription(subscription)


def alarm_topic(context: CheckContext) -> Findings:
    """Check that CloudWatch may publish to the topic that the deployment names."""
    topic = context.deployment.alarm_topic
    if not topic:
        return
    try:
        answer = context.account.ask("sns", "get_topic_attributes", TopicArn=topic)
    except NotFoundError:
        remedy = "correct alarm_topic in cdk.json, then run cdk deploy"
        yield problem(_ALARM, f"{topic} does not exist, so nobody is notified by it", remedy)
        return
    attributes = answer.get("Attributes", {})
    if not allows(json.loads(attributes.get("Policy", "{}")), {_CLOUDWATCH}, ["sns:Publish"]):
        remedy = f"allow sns:Publish to {_CLOUDWATCH} in its policy"
        yield problem(_ALARM, f"{topic} does not let CloudWatch publish", remedy)
        return
    if attributes.get("KmsMasterKeyId", "").endswith("alias/aws/sns"):
        remedy = "encrypt it with a key of your own, as docs/deploy.md#alarm_topic says"
        yield problem(_ALARM, f"{topic} has AWS's key, by which no alarm can publish", remedy)
        return
    yield ok(_ALARM, f"{topic} is notified, as far as its policy says")


def _subscription(subscription: Mapping[str, Any]) -> Finding:
    whom = subscription.get("Endpoint", "somebody")
    state = subscription.get("SubscriptionArn", "")
    if state.startswith("arn:"):
        return ok(_ALARM, f"{whom} is notified")
    if state == "PendingConfirmation":
        found = f"{whom} is not notified: the subscription is unconfirmed"
        return problem(_ALARM, found, "follow the link in the mail that SNS sent there")
    found = f"{whom} is not notified: the subscription is {state or 'unknown'}"
    return problem(_ALARM, found, "subscribe that address again in the SNS console")
