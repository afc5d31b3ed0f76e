"""The answers about destinations and configuration sets that cdk.json names."""

import json
from typing import Any

from tests.functions.doctor.aws import (
    BEFORE,
    HEALTHY,
    NAME,
    NOW,
    RESOURCES,
    archive,
    destination,
    summaries,
    to_bus,
)

ACCOUNT = "123456789012"
TOPIC = f"arn:aws:sns:eu-west-1:{ACCOUNT}:ops"
STREAM = f"arn:aws:firehose:eu-west-1:{ACCOUNT}:deliverystream/warehouse"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service/warehouse"
DIMENSION = {"name": "campaign", "source": "messageTag", "default": "none"}

OWN: list[dict[str, Any]] = [
    {"name": "tags", "kind": "cloudwatch", "dimensions": [DIMENSION]},
    {"name": "own", "kind": "firehose", "stream": STREAM, "role": ROLE},
    {"name": "ops", "kind": "sns", "topic": TOPIC, "events": ["bounce", "renderingFailure"]},
    {"name": "bus", "kind": "eventbridge", "enabled": False},
]
NEWS: dict[str, Any] = {
    "name": "news",
    "identity": "news.example",
    "tls": "require",
    "suppression": ["BOUNCE"],
    "redirect_domain": "click.news.example",
    "destinations": [{"name": "copies", "kind": "firehose", "stream": "archive"}],
}

Shown = dict[str, Any]

TYPES = [
    *("SEND", "REJECT", "BOUNCE", "COMPLAINT", "DELIVERY"),
    *("RENDERING_FAILURE", "DELIVERY_DELAY", "SUBSCRIPTION"),
]


def described(name: str, member: str, target: Shown, **changes: Any) -> Shown:
    return {"Name": name, "Enabled": True, "MatchingEventTypes": TYPES, member: target, **changes}


def tags(**changes: Any) -> Shown:
    shown = {
        "DimensionName": "campaign",
        "DimensionValueSource": "MESSAGE_TAG",
        "DefaultDimensionValue": "none",
        **changes,
    }
    return described("tags", "CloudWatchDestination", {"DimensionConfigurations": [shown]})


def own(**changes: Any) -> Shown:
    target = {"DeliveryStreamArn": STREAM, "IamRoleArn": ROLE, **changes}
    return described("own", "KinesisFirehoseDestination", target)


def ops(topic: str = TOPIC, **changes: Any) -> Shown:
    types = ["BOUNCE", "RENDERING_FAILURE"]
    changes = {"MatchingEventTypes": types, **changes}
    return described("ops", "SnsDestination", {"TopicArn": topic}, **changes)


def bus(**changes: Any) -> Shown:
    target = {"EventBusArn": f"arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/default"}
    return described("bus", "EventBridgeDestination", target, Enabled=False, **changes)


def copies(stream: str = "events-stream") -> Shown:
    arn = f"arn:aws:firehose:eu-west-1:{ACCOUNT}:deliverystream/{stream}"
    target = {"DeliveryStreamArn": arn, "IamRoleArn": "any"}
    return described("copies", "KinesisFirehoseDestination", target)


BUILT_IN = (destination(), archive(), to_bus())
ALLOWED = {"Effect": "Allow", "Principal": {"Service": "ses.amazonaws.com"}}


def of_sets(
    *ours: Shown, news: tuple[Shown, ...] = (copies(),), built_in: tuple[Shown, ...] = BUILT_IN
) -> dict[str, Any]:
    """The destinations of our set, and of the other one."""

    def answer(asked: str) -> Shown:
        return {"EventDestinations": list(news if "/news/" in asked else (*built_in, *ours))}

    return {"sesv2.GetConfigurationSetEventDestinations": answer}


def policy(*others: Shown, **changes: Any) -> dict[str, Any]:
    statement = {**ALLOWED, "Action": "SNS:Publish", "Resource": TOPIC, **changes}
    text = json.dumps({"Statement": [statement, *others]})
    return {"sns.GetTopicAttributes": {"Attributes": {"Policy": text}}}


def encrypted(key: str) -> dict[str, Any]:
    """The topic, with the key that SNS encrypts it with."""
    attributes = {**policy()["sns.GetTopicAttributes"]["Attributes"], "KmsMasterKeyId": key}
    return {"sns.GetTopicAttributes": {"Attributes": attributes}}


def trust(**changes: Any) -> dict[str, Any]:
    statement = {**ALLOWED, "Action": ["sts:AssumeRole"], **changes}
    role = {
        "Path": "/service/",
        "RoleName": "warehouse",
        "RoleId": "AROAEXAMPLEEXAMPLE",
        "Arn": ROLE,
        "CreateDate": NOW,
        "AssumeRolePolicyDocument": json.dumps({"Statement": statement}),
    }
    return {"iam.GetRole": {"Role": role}}


def only_from(account: str, operator: str = "StringEquals") -> Shown:
    """The condition that the request is made for an account."""
    return {"Condition": {operator: {"AWS:SourceAccount": account}}}


def may_write(decision: str) -> dict[str, Any]:
    result = {
        "EvalActionName": "firehose:PutRecordBatch",
        "EvalResourceName": STREAM,
        "EvalDecision": decision,
    }
    return {"iam.SimulatePrincipalPolicy": {"EvaluationResults": [result]}}


def stream_is(status: str, kind: str = "DirectPut") -> dict[str, Any]:
    described = {
        "DeliveryStreamName": "warehouse",
        "DeliveryStreamARN": STREAM,
        "DeliveryStreamStatus": status,
        "DeliveryStreamType": kind,
        "VersionId": "1",
        "Destinations": [],
        "HasMoreDestinations": False,
    }
    return {"firehose.DescribeDeliveryStream": {"DeliveryStreamDescription": described}}


def news_is(**changes: Any) -> dict[str, Any]:
    shown = {
        "ConfigurationSetName": "news",
        "DeliveryOptions": {"TlsPolicy": "REQUIRE"},
        "ReputationOptions": {"ReputationMetricsEnabled": True},
        "SendingOptions": {"SendingEnabled": True},
        "SuppressionOptions": {"SuppressedReasons": ["BOUNCE"]},
        "TrackingOptions": {"CustomRedirectDomain": "click.news.example"},
        **changes,
    }
    return {"sesv2.GetConfigurationSet": shown}


def identities(of_news: str | None = "news", *, verified: bool = True) -> dict[str, Any]:
    """Our identity as it should be, and the other one's with its default set."""

    def answer(asked: str) -> Shown | str:
        if "click." in asked:
            return "NotFoundException"
        if "news.example" not in asked:
            return dict(HEALTHY["sesv2.GetEmailIdentity"])
        shown: Shown = {"VerifiedForSendingStatus": verified}
        return {**shown, "ConfigurationSetName": of_news} if of_news else shown

    return {"sesv2.GetEmailIdentity": answer}


def stack_with(*sets: str) -> dict[str, Any]:
    resources = {
        **RESOURCES,
        "AWS::SES::ConfigurationSet": [NAME, *sets],
        "AWS::SES::ConfigurationSetEventDestination": [
            f"{NAME}|{name}" for name in ("Metrics", "Feedback", "Archive")
        ],
        "AWS::KinesisFirehose::DeliveryStream": ["events-stream", "journal-stream"],
    }
    return {"cloudformation.ListStackResources": {"StackResourceSummaries": summaries(resources)}}


AS_CONFIGURED: dict[str, Any] = {
    **stack_with("news"),
    **of_sets(tags(), own(), ops(), bus()),
    **policy(),
    **trust(),
    **may_write("allowed"),
    **stream_is("ACTIVE"),
    **news_is(),
    **identities(),
}
NOT_YET: dict[str, Any] = {
    **BEFORE,
    "ses.DescribeConfigurationSet": "ConfigurationSetDoesNotExist",
    "sesv2.GetConfigurationSetEventDestinations": "NotFoundException",
    "sesv2.GetConfigurationSet": "NotFoundException",
    **identities(None),
}
