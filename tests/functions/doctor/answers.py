"""The answers of an account in which one thing is wrong."""

from typing import Any

from tests.functions.doctor.aws import (
    ARN,
    EVERYBODY,
    HEALTHY,
    NAME,
    NOW,
    QUEUE,
    QUEUE_ARN,
    RESOURCES,
    TOPIC,
    parameter,
    receipt_rule,
    store,
    summaries,
)


def stack_status(status: str) -> dict[str, Any]:
    stack = {"StackName": NAME, "CreationTime": NOW, "StackStatus": status}
    return {"cloudformation.DescribeStacks": {"Stacks": [stack]}}


def without(kind: str) -> dict[str, Any]:
    return having(kind)


def having(kind: str, *names: str) -> dict[str, Any]:
    """The stack's resources, of one type only these."""
    kept = summaries({**RESOURCES, kind: list(names)})
    return {"cloudformation.ListStackResources": {"StackResourceSummaries": kept}}


def rules(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"ses.DescribeReceiptRuleSet": {"Rules": list(rules)}}


def our_rule(**changes: Any) -> dict[str, Any]:
    return rules(receipt_rule(**changes))


def call(**changes: Any) -> dict[str, Any]:
    action = {"FunctionArn": f"{ARN}intake", "InvocationType": "RequestResponse", **changes}
    return our_rule(Actions=[store(), {"LambdaAction": action}])


def active(name: str | None) -> dict[str, Any]:
    return {"ses.DescribeActiveReceiptRuleSet": {"Metadata": {"Name": name}} if name else {}}


def activated(name: str) -> dict[str, Any]:
    """The active rule set, which the stack made and activated."""
    made = {"AWS::SES::ReceiptRuleSet": [name], "Custom::ActiveRuleSet": ["ActiveRuleSet"]}
    kept = summaries({**RESOURCES, **made})
    return {**active(name), "cloudformation.ListStackResources": {"StackResourceSummaries": kept}}


def stops(*recipients: str) -> dict[str, Any]:
    stop = {"StopAction": {"Scope": "RuleSet"}}
    return rules(receipt_rule("first", Recipients=list(recipients), Actions=[stop]), receipt_rule())


def function(**changes: Any) -> dict[str, Any]:
    def answer(asked: str) -> dict[str, Any]:
        healthy = HEALTHY["lambda.GetFunction"](asked)
        return {"Configuration": {**healthy["Configuration"], **changes}}

    return {"lambda.GetFunction": answer}


def scheduled(state: str) -> dict[str, Any]:
    """Return the answers about a stack with the schedule of a report."""
    known = {**RESOURCES, "AWS::Scheduler::Schedule": ["daily"]}
    schedule = {
        "State": state,
        "ScheduleExpression": "cron(0 7 * * ? *)",
        "ScheduleExpressionTimezone": "Europe/Berlin",
    }
    return {
        "cloudformation.ListStackResources": {"StackResourceSummaries": summaries(known)},
        "scheduler.GetSchedule": schedule,
    }


def mapping(**changes: Any) -> dict[str, Any]:
    return {"lambda.GetEventSourceMapping": {**HEALTHY["lambda.GetEventSourceMapping"], **changes}}


def attributes(count: int, dead: int = 0, **changes: str) -> dict[str, Any]:
    def answer(asked: str) -> dict[str, Any]:
        healthy = HEALTHY["sqs.GetQueueAttributes"](asked)["Attributes"]
        number = str(dead if "dead" in asked else count)
        return {"Attributes": {**healthy, "ApproximateNumberOfMessages": number, **changes}}

    return {"sqs.GetQueueAttributes": answer}


def age(hours: float) -> dict[str, Any]:
    points = [{"Timestamp": NOW, "Maximum": hours * 3600}]
    return {"cloudwatch.GetMetricStatistics": {"Datapoints": points}}


def alarm(**changes: Any) -> dict[str, Any]:
    shown = {"AlarmName": "dead-letters", "StateValue": "OK", "ActionsEnabled": True, **changes}
    shown = {"AlarmActions": [TOPIC], **shown}
    return {"cloudwatch.DescribeAlarms": {"MetricAlarms": [shown]}}


def expiry(status: str, by: str | None = None) -> dict[str, Any]:
    described = {"TimeToLiveStatus": status, **({"AttributeName": by} if by else {})}
    return {"dynamodb.DescribeTimeToLive": {"TimeToLiveDescription": described}}


def parameters(**documents: str) -> dict[str, Any]:
    shown = [parameter(name.replace("__", "/"), text) for name, text in documents.items()]
    return {"ssm.GetParametersByPath": {"Parameters": shown}}


def account(**changes: Any) -> dict[str, Any]:
    return {"sesv2.GetAccount": {**HEALTHY["sesv2.GetAccount"], **changes}}


def quota(most: float, sent: float) -> dict[str, Any]:
    return account(SendQuota={"Max24HourSend": most, "SentLast24Hours": sent})


def identity(**changes: Any) -> dict[str, Any]:
    answer = {**HEALTHY["sesv2.GetEmailIdentity"], **changes}
    return {"sesv2.GetEmailIdentity": {k: v for k, v in answer.items() if v is not None}}


def reputation(**options: bool) -> dict[str, Any]:
    return {"ses.DescribeConfigurationSet": {"ReputationOptions": options}}


def subscriptions(*shown: dict[str, Any]) -> dict[str, Any]:
    return {"sns.ListSubscriptionsByTopic": {"Subscriptions": list(shown)}}


def destinations(*shown: dict[str, Any]) -> dict[str, Any]:
    return {"sesv2.GetConfigurationSetEventDestinations": {"EventDestinations": list(shown)}}


def concurrency(most: int, left: int) -> dict[str, Any]:
    limit = {"ConcurrentExecutions": most, "UnreservedConcurrentExecutions": left}
    return {"lambda.GetAccountSettings": {"AccountLimit": limit}}


def failed_events(count: int) -> dict[str, Any]:
    """A stack whose intake SES does not wait for, and its queue of failed events."""
    url = f"{QUEUE.rpartition('/')[0]}/failed"
    queues = {**RESOURCES, "AWS::SQS::Queue": [*RESOURCES["AWS::SQS::Queue"], url]}

    def attributes(asked: str) -> dict[str, Any]:
        if "/failed" in asked:
            arn = QUEUE_ARN.replace("jobs.fifo", "failed")
            return {"Attributes": {"QueueArn": arn, "ApproximateNumberOfMessages": str(count)}}
        answer: dict[str, Any] = HEALTHY["sqs.GetQueueAttributes"](asked)
        return answer

    return {
        "cloudformation.ListStackResources": {"StackResourceSummaries": summaries(queues)},
        "sqs.GetQueueAttributes": attributes,
    }


def further_stacks(*names: str) -> dict[str, Any]:
    """Return the stacks of a region: ours, others of our making, and other people's."""

    def answer(asked: str) -> dict[str, Any]:
        return {"Stacks": [stack(name) for name in ([NAME] if "StackName" in asked else names)]}

    def stack(name: str) -> dict[str, Any]:
        prefix = f"/{name.replace('bouncer-', 'bouncer/')}/rules/"
        output = {"OutputKey": "RulesPrefix", "OutputValue": prefix}
        made = {"CreationTime": NOW, "StackStatus": "CREATE_COMPLETE"}
        ours = name.startswith("ses-auto-bouncer")
        return {"StackName": name, **made, "Outputs": [output] if ours else []}

    return {"cloudformation.DescribeStacks": answer}


def settings_of(first: str, second: str, text: str) -> dict[str, Any]:
    """Return the same settings for two deployments."""
    shown = [
        {"Name": f"/ses-auto-bouncer/{name}/settings", "Value": text, "Version": 1}
        for name in (first, second)
    ]
    rule = parameter("rules/a", EVERYBODY)
    return {"ssm.GetParametersByPath": {"Parameters": [rule, *shown]}}
