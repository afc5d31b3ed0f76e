"""A fake account that answers real clients, and the doctor's findings there."""

import json
import os
import re
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any, ClassVar

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.validate import ParamValidator

from bouncer_cli.doctor.examination import examine
from bouncer_cli.doctor.finding import Finding, Level
from bouncer_cli.doctor.mx_lookup import Mx
from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.deployment_values import FurtherSender

REGION = "eu-west-1"
NAME = "ses-auto-bouncer-main"
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:"
QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs.fifo"
DEAD = "https://sqs.eu-west-1.amazonaws.com/123456789012/dead.fifo"
QUEUE_ARN = "arn:aws:sqs:eu-west-1:123456789012:jobs.fifo"
DEAD_ARN = "arn:aws:sqs:eu-west-1:123456789012:dead.fifo"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
UUID = "1a2b3c4d-0000-1111-2222-333344445555"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
INBOUND = Mx(preference=10, host="inbound-smtp.eu-west-1.amazonaws.com")

MINIMAL = {"recipients": ["example.com"], "bounce_sender": "mailer-daemon@example.com"}
EVENTS = [
    *("SEND", "REJECT", "BOUNCE", "COMPLAINT", "DELIVERY", "OPEN", "CLICK"),
    *("RENDERING_FAILURE", "DELIVERY_DELAY", "SUBSCRIPTION"),
]
RESOURCES = {
    "AWS::Lambda::Function": ["intake", "worker", "feedback", "publisher"],
    "AWS::Lambda::EventSourceMapping": [UUID],
    "AWS::SQS::Queue": [QUEUE, DEAD],
    "AWS::DynamoDB::GlobalTable": ["ledger"],
    "AWS::S3::Bucket": ["revisions", "mails"],
    "AWS::CloudWatch::Alarm": ["dead-letters"],
    "AWS::SNS::Topic": [TOPIC],
    "Custom::DefaultConfigurationSet": ["DefaultConfigurationSet"],
}
LOGICAL = {  # physical id -> logical id, where a check asks for it
    "events-stream": "ArchiveEventsStreamDE56F30F",
    "journal-stream": "ArchiveJournalStreamDDADC963",
    "DefaultConfigurationSet": "AccountSettingsDefaultConfigurationSet7B2A7B0D",
    "of-news": "AccountSettingsDefaultConfigurationSetnewsexample0A1B2C3D",
    f"{NAME}|Metrics": "SendingConfigurationSetMetricsBBB1C662",
    f"{NAME}|Feedback": "SendingConfigurationSetFeedback0A1B2C3D",
    f"{NAME}|Archive": "SendingConfigurationSetEvents847D02AC",
}
ALLOWED = re.compile(r"(Describe|Get|List|Simulate)[A-Z]")


def deployment(**settings: Any) -> DeploymentSettings:
    wanted: dict[str, Any] = {**MINIMAL, **settings}
    for key in {"recipients", "further_senders", "events"} & set(wanted):
        wanted[key] = tuple(wanted[key])
    for key in ("further_senders", "reply_senders"):
        wanted[key] = tuple(map(further_sender, wanted.get(key, ())))
    return DeploymentSettings(**wanted)


def further_sender(value: str | dict[str, str]) -> FurtherSender:
    """As the reader makes one of an address, or of a mapping with address and arn."""
    if isinstance(value, str):
        return FurtherSender(mailbox=value)
    return FurtherSender(mailbox=value["address"], arn=value["arn"])


def summaries(resources: dict[str, list[str]]) -> list[dict[str, Any]]:
    return [
        {
            "LogicalResourceId": LOGICAL.get(name, "Any"),
            "PhysicalResourceId": name,
            "ResourceType": kind,
            "ResourceStatus": "CREATE_COMPLETE",
            "LastUpdatedTimestamp": NOW,
        }
        for kind, names in resources.items()
        for name in names
    ]


def receipt_rule(name: str = NAME, **changes: Any) -> dict[str, Any]:
    call = {"FunctionArn": f"{ARN}intake", "InvocationType": "RequestResponse"}
    return {
        "Name": name,
        "Enabled": True,
        "TlsPolicy": "Optional",
        "Recipients": ["example.com"],
        "Actions": [store(), {"LambdaAction": call}],
        "ScanEnabled": True,
        **changes,
    }


def store(**changes: Any) -> dict[str, Any]:
    """The action that stores mail."""
    return {"S3Action": {"BucketName": "mails", "ObjectKeyPrefix": "mail/", **changes}}


def expiring(**days: int) -> dict[str, Any]:
    """The answer about a bucket in which mail goes after some days, by its prefix."""
    rules = [
        {"Status": "Enabled", "Filter": {"Prefix": prefix}, "Expiration": {"Days": number}}
        for prefix, number in {"": 14, "mail/": 1, "stopped/": 14, **days}.items()
        if number
    ]
    return {"s3.GetBucketLifecycleConfiguration": {"Rules": rules}}


def parameter(name: str, value: str) -> dict[str, Any]:
    return {"Name": f"/ses-auto-bouncer/main/{name}", "Value": value, "Version": 1}


def destination(name: str = "Metrics", **changes: Any) -> dict[str, Any]:
    kind: dict[str, Any] = {"CloudWatchDestination": {"DimensionConfigurations": []}}
    return {"Name": name, "Enabled": True, "MatchingEventTypes": EVENTS, **kind, **changes}


def archive(**changes: Any) -> dict[str, Any]:
    stream: dict[str, Any] = {"IamRoleArn": "role", "DeliveryStreamArn": "stream"}
    kind = {"Name": "Archive", "Enabled": True, "KinesisFirehoseDestination": stream}
    return {"MatchingEventTypes": EVENTS, **kind, **changes}


def _function(asked: str) -> str:
    return next(name for name in ("intake", "feedback", "publisher", "worker") if name in asked)


def to_bus(**changes: Any) -> dict[str, Any]:
    kind = {"Name": "Feedback", "Enabled": True, "EventBridgeDestination": {"EventBusArn": "bus"}}
    return {"MatchingEventTypes": ["BOUNCE", "COMPLAINT"], **kind, **changes}


EVERYBODY = 'when: {recipient: "*"}\ndrop: {}'
HEALTHY: dict[str, Any] = {
    "sts.GetCallerIdentity": {"Account": "123456789012", "Arn": "arn:aws:iam::123:user/ann"},
    "cloudformation.DescribeStacks": {
        "Stacks": [{"StackName": NAME, "CreationTime": NOW, "StackStatus": "CREATE_COMPLETE"}]
    },
    "cloudformation.ListStackResources": {"StackResourceSummaries": summaries(RESOURCES)},
    "ses.DescribeActiveReceiptRuleSet": {"Metadata": {"Name": "default-rule-set"}, "Rules": []},
    "ses.DescribeReceiptRuleSet": {"Rules": [receipt_rule()]},
    "lambda.GetFunction": lambda asked: {
        "Configuration": {
            "Handler": f"bouncer.{_function(asked)}.handler",
            "Runtime": "python3.13",
            "LastModified": "2026-11-20T10:00:00.000+0000",
            "State": "Active",
            "LastUpdateStatus": "Successful",
        }
    },
    **expiring(),
    "lambda.GetAccountSettings": {
        "AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 900}
    },
    "lambda.GetEventSourceMapping": {
        "State": "Enabled",
        "EventSourceArn": QUEUE_ARN,
        "FunctionArn": f"{ARN}worker",
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "LastProcessingResult": "OK",
    },
    "sqs.GetQueueAttributes": lambda asked: {
        "Attributes": {"QueueArn": DEAD_ARN, "ApproximateNumberOfMessages": "0"}
        if "dead" in asked
        else {
            "QueueArn": QUEUE_ARN,
            "ApproximateNumberOfMessages": "3",
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": DEAD_ARN}),
        }
    },
    "cloudwatch.GetMetricStatistics": {"Datapoints": [{"Timestamp": NOW, "Maximum": 7200.0}]},
    "cloudwatch.DescribeAlarms": {
        "MetricAlarms": [
            {
                "AlarmName": "dead-letters",
                "StateValue": "OK",
                "ActionsEnabled": True,
                "AlarmActions": [TOPIC],
            },
        ]
    },
    "dynamodb.DescribeTable": {"Table": {"TableStatus": "ACTIVE"}},
    "dynamodb.GetItem": {},
    "dynamodb.DescribeTimeToLive": {
        "TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    },
    "ssm.GetParametersByPath": {"Parameters": [parameter("rules/a", EVERYBODY)]},
    "sesv2.GetAccount": {
        "ProductionAccessEnabled": True,
        "SendingEnabled": True,
        "EnforcementStatus": "HEALTHY",
        "SendQuota": {"Max24HourSend": 1000.0, "SentLast24Hours": 10.0},
    },
    "sesv2.GetEmailIdentity": {
        "VerifiedForSendingStatus": True,
        "DkimAttributes": {"SigningEnabled": True, "Status": "SUCCESS"},
        "ConfigurationSetName": NAME,
    },
    "ses.ListConfigurationSets": {"ConfigurationSets": [{"Name": NAME}, {"Name": "news"}]},
    "ses.DescribeConfigurationSet": {
        "EventDestinations": [{"Name": "Metrics", "MatchingEventTypes": ["send"]}],
        "ReputationOptions": {"SendingEnabled": True, "ReputationMetricsEnabled": True},
    },
    "sesv2.GetConfigurationSetEventDestinations": {
        "EventDestinations": [destination(), archive(), to_bus()]
    },
    "sns.ListSubscriptionsByTopic": {
        "Subscriptions": [{"Endpoint": "ops@example.com", "SubscriptionArn": "arn:aws:sns:x:y:z"}]
    },
}

# An account that nothing was deployed into: SES is ready, and somebody receives mail already.
FRESH: dict[str, Any] = {
    "cloudformation.DescribeStacks": ("ValidationError", f"Stack with id {NAME} does not exist"),
    "ses.DescribeReceiptRuleSet": {"Rules": [receipt_rule("store")]},
    "ses.DescribeConfigurationSet": "ConfigurationSetDoesNotExist",
    "sesv2.GetConfigurationSetEventDestinations": "NotFoundException",
    "sesv2.GetEmailIdentity": {
        "VerifiedForSendingStatus": True,
        "DkimAttributes": {"SigningEnabled": True, "Status": "SUCCESS"},
    },
}
BEFORE = {"cloudformation.DescribeStacks": FRESH["cloudformation.DescribeStacks"]}


class Session(boto3.Session):
    """Makes one client per service and region for all tests, as making one takes a while."""

    made: ClassVar[dict[Any, Any]] = {}
    answering: ClassVar[Callable[..., Any]]

    def client(self, *arguments: Any, **options: Any) -> Any:
        key = (*arguments, options["region_name"], os.environ.get("AWS_ENDPOINT_URL"))
        if key not in self.made:
            self.made[key] = super().client(*arguments, **options)
            self.made[key].meta.events.register("before-call", self._answer)
        return self.made[key]

    def _answer(self, **call: Any) -> Any:
        return Session.answering(**call)


class Aws:
    """An account that answers the requests of real clients as set for each operation.

    An answer is a dictionary, a function of the request's text, an error code (or code and text),
    or an exception; requests and answers are checked against botocore's models.
    """

    def __init__(self, answers: dict[str, Any]) -> None:
        self._answers = {**HEALTHY, **answers}
        self.asked: list[str] = []

    def session(self) -> Session:
        Session.answering = self._answer
        return Session("x", "x")

    def _answer(self, model: Any, params: Any, **_: Any) -> tuple[AWSResponse, Any] | None:
        operation = f"{model.service_model.service_name}.{model.name}"
        self.asked.append(operation)
        answer = self._answers[operation]
        if answer is moto:
            return None
        if callable(answer):
            answer = answer(str(params["url_path"]) + str(params["body"]))
        if isinstance(answer, Exception):
            raise answer
        status = 200
        if isinstance(answer, str | tuple):
            code, text = answer if isinstance(answer, tuple) else (answer, "no")
            status, answer = 400, {"Error": {"Code": code, "Message": text}}
        else:
            report = ParamValidator().validate(answer, model.output_shape)
            assert not report.has_errors(), report.generate_report()
        return AWSResponse(params["url"], status, HTTPHeaders(), None), deepcopy(answer)


def moto() -> None:
    """Mark an operation that moto answers."""


def found(
    answers: dict[str, Any] | None = None,
    *,
    aws: Aws | None = None,
    region: str | None = REGION,
    mx: Callable[[str], tuple[Mx, ...]] = lambda _: (INBOUND,),
    **settings: Any,
) -> list[Finding]:
    """Return the doctor's findings; each but ok has a next step, and every call only reads."""
    aws = aws or Aws(answers or {})
    findings = list(
        examine(deployment(**settings), region=region, now=NOW, session=aws.session, look_up=mx)
    )
    assert all(bool(finding.next_step) == (finding.level is not Level.OK) for finding in findings)
    assert all(ALLOWED.match(operation.partition(".")[2]) for operation in aws.asked)
    return findings


def lines(findings: list[Finding], level: Level) -> list[str]:
    return [f"{line.check}: {line.found}" for line in findings if line.level is level]
