"""`bouncer doctor` finds each thing that is wrong, says what to do, and changes nothing."""

import json
import os
import re
import shlex
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import boto3
import dns.message
import dns.rrset
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import EndpointConnectionError, ProfileNotFound
from botocore.parsers import ResponseParserError
from botocore.validate import ParamValidator
from moto import mock_aws
from rich.console import Console

from bouncer.errors import BouncerError
from bouncer_local import cli
from bouncer_local.doctor.account import Account
from bouncer_local.doctor.deployment import Deployment, read_deployment
from bouncer_local.doctor.examine import examine
from bouncer_local.doctor.finding import Finding, Level, ok, problem
from bouncer_local.doctor.mx import LookUpError, Mx, look_up_mx
from bouncer_local.doctor.report import TableReport
from infra.settings import read_settings

REGION = "eu-west-1"
NAME = "ses-auto-bouncer-main"
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:"
QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs.fifo"
DEAD = "https://sqs.eu-west-1.amazonaws.com/123456789012/dead.fifo"
QUEUE_ARN = "arn:aws:sqs:eu-west-1:123456789012:jobs.fifo"
DEAD_ARN = "arn:aws:sqs:eu-west-1:123456789012:dead.fifo"
UUID = "1a2b3c4d-0000-1111-2222-333344445555"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
INBOUND = Mx(preference=10, host="inbound-smtp.eu-west-1.amazonaws.com")

MINIMAL = {"recipients": ["example.com"], "bounce_sender": "mailer-daemon@example.com"}
EVENTS = [
    *("SEND", "REJECT", "BOUNCE", "COMPLAINT", "DELIVERY", "OPEN", "CLICK"),
    *("RENDERING_FAILURE", "DELIVERY_DELAY", "SUBSCRIPTION"),
]
RESOURCES = {
    "AWS::Lambda::Function": ["intake", "worker"],
    "AWS::Lambda::EventSourceMapping": [UUID],
    "AWS::SQS::Queue": [QUEUE, DEAD],
    "AWS::DynamoDB::GlobalTable": ["ledger"],
    "AWS::CloudWatch::Alarm": ["dead-letters"],
    "Custom::DefaultConfigurationSet": ["DefaultConfigurationSet"],
}
ALLOWED = re.compile(r"(Describe|Get|List)[A-Z]")


def deployment(**settings: Any) -> Deployment:
    wanted: dict[str, Any] = {**MINIMAL, **settings}
    for key in {"recipients", "further_senders", "events"} & set(wanted):
        wanted[key] = tuple(wanted[key])
    return Deployment(**wanted)


def summaries(resources: dict[str, list[str]]) -> list[dict[str, Any]]:
    return [
        {
            "LogicalResourceId": "Any",
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
        "Actions": [{"LambdaAction": call}],
        "ScanEnabled": True,
        **changes,
    }


def parameter(name: str, value: str) -> dict[str, Any]:
    return {"Name": f"/ses-auto-bouncer/main/{name}", "Value": value, "Version": 1}


def destination(name: str = "Metrics", **changes: Any) -> dict[str, Any]:
    kind: dict[str, Any] = {"CloudWatchDestination": {"DimensionConfigurations": []}}
    return {"Name": name, "Enabled": True, "MatchingEventTypes": EVENTS, **kind, **changes}


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
            "Handler": f"bouncer.{'intake' if 'intake' in asked else 'worker'}.handler",
            "Runtime": "python3.13",
            "LastModified": "2026-11-20T10:00:00.000+0000",
            "State": "Active",
            "LastUpdateStatus": "Successful",
        }
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
            {"AlarmName": "dead-letters", "StateValue": "OK", "ActionsEnabled": True},
        ]
    },
    "dynamodb.DescribeTable": {"Table": {"TableStatus": "ACTIVE"}},
    "dynamodb.DescribeTimeToLive": {
        "TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    },
    "ssm.GetParametersByPath": {"Parameters": [parameter("rules/a", "drop: {}")]},
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
    "sesv2.GetConfigurationSetEventDestinations": {"EventDestinations": [destination()]},
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
    """Makes one client of a service and region for all tests: each takes a while to make."""

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
    """An account whose answers are set by operation, under real clients: their requests reach it.

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
    """Marks an operation that moto answers."""


def found(
    answers: dict[str, Any] | None = None,
    *,
    aws: Aws | None = None,
    region: str | None = REGION,
    mx: Callable[[str], tuple[Mx, ...]] = lambda _: (INBOUND,),
    **settings: Any,
) -> list[Finding]:
    """What the doctor finds; every finding with something to do says what, and nothing changes."""
    aws = aws or Aws(answers or {})
    findings = list(
        examine(deployment(**settings), region=region, now=NOW, session=aws.session, look_up=mx)
    )
    assert all(bool(finding.next_step) == (finding.level is not Level.OK) for finding in findings)
    assert all(ALLOWED.match(operation.partition(".")[2]) for operation in aws.asked)
    return findings


def lines(findings: list[Finding], level: Level) -> list[str]:
    return [f"{line.check}: {line.found}" for line in findings if line.level is level]


def test_a_healthy_deployment_is_all_ok() -> None:
    """Nothing to do: every check says so, in the order of a mail's journey."""
    findings = found()
    assert not lines(findings, Level.PROBLEM) + lines(findings, Level.WARNING)
    checks = list(dict.fromkeys(finding.check for finding in findings))
    assert checks == [
        *("credentials", "stack", "mx", "active rule set", "receipt rule", "function", "rules"),
        *("settings", "queue mapping", "queue", "dead letters", "ledger", "ses account"),
        *("identity", "configuration sets", "configuration set", "event destination", "alarm"),
    ]
    text = "\n".join(lines(findings, Level.OK))
    assert "account 123456789012 as arn:aws:iam::123:user/ann in eu-west-1" in text
    assert "intake: python3.13, changed 2026-11-20T10:00:00" in text
    assert "3 jobs wait in jobs.fifo, 0:00:03 of sending, the oldest for 2.0 h" in text
    assert f"configuration set: {NAME} sends, with event destinations Metrics" in text
    assert f"configuration sets: 2 in this region: {NAME}, news" in text
    assert "Metrics (CloudWatch) is enabled for send, reject" in text


def test_before_deploying_it_says_what_is_ready_and_what_comes_next() -> None:
    """Without a stack nothing of it is missed; the one thing to do is to deploy."""
    findings = found(FRESH, attach_configuration_set=True)
    assert not lines(findings, Level.PROBLEM)
    (next_step,) = [finding for finding in findings if finding.level is Level.WARNING]
    assert next_step.check == "stack"
    assert "cdk deploy" in next_step.next_step
    assert {finding.check for finding in findings}.isdisjoint(
        {"function", "queue", "queue mapping", "dead letters", "ledger", "alarm"}
    )
    text = "\n".join(lines(findings, Level.OK))
    assert "none yet; the deployment puts it in front in default-rule-set" in text
    assert f"no {NAME} yet; the deployment makes it" in text
    assert "no default configuration set; the deployment attaches ours" in text


def test_what_the_deployment_will_make_is_not_missed() -> None:
    """A rule set, its activation and an identity that the settings ask for are announced."""
    findings = found(
        {
            **FRESH,
            "ses.DescribeActiveReceiptRuleSet": {},
            "ses.DescribeReceiptRuleSet": "RuleSetDoesNotExist",
            "sesv2.GetEmailIdentity": "NotFoundException",
        },
        rule_set="ours",
        create_rule_set=True,
        activate_rule_set=True,
        create_identity=True,
    )
    assert lines(findings, Level.PROBLEM) == []
    text = "\n".join(lines(findings, Level.OK))
    assert "active rule set: none; the deployment will activate ours" in text
    assert "no rule set ours yet; the deployment makes it" in text
    assert "no example.com yet; the deployment makes it" in text


def stack_status(status: str) -> dict[str, Any]:
    stack = {"StackName": NAME, "CreationTime": NOW, "StackStatus": status}
    return {"cloudformation.DescribeStacks": {"Stacks": [stack]}}


def without(kind: str) -> dict[str, Any]:
    kept = {other: names for other, names in RESOURCES.items() if other != kind}
    return {"cloudformation.ListStackResources": {"StackResourceSummaries": summaries(kept)}}


def rules(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"ses.DescribeReceiptRuleSet": {"Rules": list(rules)}}


def our_rule(**changes: Any) -> dict[str, Any]:
    return rules(receipt_rule(**changes))


def call(**changes: Any) -> dict[str, Any]:
    action = {"FunctionArn": f"{ARN}intake", "InvocationType": "RequestResponse", **changes}
    return our_rule(Actions=[{"LambdaAction": action}])


def active(name: str | None) -> dict[str, Any]:
    return {"ses.DescribeActiveReceiptRuleSet": {"Metadata": {"Name": name}} if name else {}}


def stops(*recipients: str) -> dict[str, Any]:
    stop = {"StopAction": {"Scope": "RuleSet"}}
    return rules(receipt_rule("first", Recipients=list(recipients), Actions=[stop]), receipt_rule())


def function(**changes: Any) -> dict[str, Any]:
    def answer(asked: str) -> dict[str, Any]:
        healthy = HEALTHY["lambda.GetFunction"](asked)
        return {"Configuration": {**healthy["Configuration"], **changes}}

    return {"lambda.GetFunction": answer}


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


def destinations(*shown: dict[str, Any]) -> dict[str, Any]:
    return {"sesv2.GetConfigurationSetEventDestinations": {"EventDestinations": list(shown)}}


BEFORE_MADE = {"rule_set": "ours", "create_rule_set": True}

FAULTS: list[tuple[Level, str, dict[str, Any], dict[str, Any]]] = [
    # The stack
    (Level.WARNING, f"stack: {NAME} is not deployed", BEFORE, {}),
    (Level.WARNING, "stack: .* is not deployed", stack_status("REVIEW_IN_PROGRESS"), {}),
    (Level.WARNING, "rolled back", stack_status("UPDATE_ROLLBACK_COMPLETE"), {}),
    (Level.WARNING, "is UPDATE_IN_PROGRESS", stack_status("UPDATE_IN_PROGRESS"), {}),
    (Level.PROBLEM, "is ROLLBACK_COMPLETE", stack_status("ROLLBACK_COMPLETE"), {}),
    (Level.PROBLEM, "is DELETE_FAILED", stack_status("DELETE_FAILED"), {}),
    # The active rule set
    (Level.PROBLEM, "active rule set: none", active(None), {}),
    (Level.WARNING, "active rule set: none", {**FRESH, **active(None)}, {}),
    (Level.PROBLEM, "theirs, so no rule of default-rule-set", active("theirs"), {}),
    (Level.WARNING, "theirs, so no rule of", {**FRESH, **active("theirs")}, {}),
    (
        Level.PROBLEM,
        "never takes away",
        {**FRESH, **active("theirs")},
        {**BEFORE_MADE, "activate_rule_set": True},
    ),
    # The rule set and the rule
    (Level.PROBLEM, "no rule set", {"ses.DescribeReceiptRuleSet": "RuleSetDoesNotExist"}, {}),
    (Level.PROBLEM, "ours exists", {**FRESH, **active("ours")}, BEFORE_MADE),
    (Level.PROBLEM, f"no rule {NAME} in", rules(receipt_rule("store")), {}),
    (Level.PROBLEM, "no rule archive in .* to stand after", FRESH, {"after": "archive"}),
    (Level.OK, "puts it after store", FRESH, {"after": "store"}),
    (Level.PROBLEM, f"a rule {NAME} exists, and no stack", BEFORE, {}),
    (Level.OK, "number 2 of 2", stops("other.example"), {}),
    (Level.PROBLEM, "first stands before ours and stops mail for everybody", stops(), {}),
    (Level.WARNING, "stops mail for ann@example.com", stops("ann@example.com"), {}),
    (Level.WARNING, "stops mail for Example.com", stops("Example.com"), {}),
    (
        Level.WARNING,
        "bounces, too",
        rules(
            receipt_rule(
                "first",
                Actions=[
                    {
                        "BounceAction": {
                            "SmtpReplyCode": "550",
                            "Message": "no",
                            "Sender": "a@example.com",
                        }
                    }
                ],
            ),
            receipt_rule(),
        ),
        {},
    ),
    (Level.PROBLEM, "it is disabled", our_rule(Enabled=False), {}),
    (
        Level.PROBLEM,
        "it is for elsewhere.example, configured are example.com",
        our_rule(Recipients=["elsewhere.example"]),
        {},
    ),
    (Level.PROBLEM, "it is for everybody", our_rule(Recipients=[]), {}),
    (Level.PROBLEM, "scanning is off", our_rule(ScanEnabled=False), {}),
    (Level.PROBLEM, "scanning is on", {}, {"scan": False}),
    (Level.PROBLEM, "its TLS policy is Optional", {}, {"require_tls": True}),
    (Level.PROBLEM, "by Event, configured is RequestResponse", call(InvocationType="Event"), {}),
    (Level.PROBLEM, "by RequestResponse, configured is Event", {}, {"invocation": "event"}),
    (Level.OK, "it calls intake by Event", call(InvocationType="Event"), {"invocation": "event"}),
    (Level.PROBLEM, "it calls other, not our intake", call(FunctionArn=f"{ARN}other:live"), {}),
    (Level.PROBLEM, "it calls no function", our_rule(Actions=[]), {}),
    # Functions
    (Level.PROBLEM, "no intake", {"lambda.GetFunction": "ResourceNotFoundException"}, {}),
    (Level.PROBLEM, "the stack has no worker", without("AWS::Lambda::Function"), {}),
    (Level.PROBLEM, "failed: broken", function(State="Failed", StateReason="broken"), {}),
    (Level.PROBLEM, "failed: no reason", function(LastUpdateStatus="Failed"), {}),
    (Level.WARNING, "is being updated", function(LastUpdateStatus="InProgress"), {}),
    (
        Level.PROBLEM,
        "worker is throttled to nothing",
        {
            "lambda.GetFunction": lambda asked: {
                **HEALTHY["lambda.GetFunction"](asked),
                "Concurrency": {"ReservedConcurrentExecutions": 0},
            }
        },
        {},
    ),
    # Queue mapping
    (Level.PROBLEM, "the stack has none", without("AWS::Lambda::EventSourceMapping"), {}),
    (
        Level.PROBLEM,
        f"no {UUID}",
        {"lambda.GetEventSourceMapping": "ResourceNotFoundException"},
        {},
    ),
    (Level.PROBLEM, "jobs.fifo to worker is disabled", mapping(State="Disabled"), {}),
    (Level.WARNING, "to worker is enabling", mapping(State="Enabling"), {}),
    (Level.PROBLEM, "not the stack's", mapping(FunctionArn=f"{ARN}other"), {}),
    (Level.PROBLEM, "not the stack's", mapping(EventSourceArn=f"{QUEUE_ARN}2"), {}),
    (Level.PROBLEM, "fails all ten", mapping(FunctionResponseTypes=[]), {}),
    (
        Level.PROBLEM,
        "PROBLEM: Function call failed",
        mapping(LastProcessingResult="PROBLEM: Function call failed"),
        {},
    ),
    # Queues
    (Level.PROBLEM, "queue: no jobs.fifo", {"sqs.GetQueueAttributes": "QueueDoesNotExist"}, {}),
    (
        Level.PROBLEM,
        "queue: no dead.fifo",
        {"sqs.GetQueueAttributes": "AWS.SimpleQueueService.NonExistentQueue"},
        {},
    ),
    (Level.WARNING, "the oldest for 12.0 h", age(12), {}),
    (Level.PROBLEM, "the oldest for 20.5 h", age(20.5), {}),
    (Level.WARNING, "43200 jobs wait in jobs.fifo, 12:00:00 of sending", attributes(43200), {}),
    (Level.PROBLEM, "72000 jobs wait", attributes(72000), {}),
    (
        Level.OK,
        "0 jobs wait in jobs.fifo, 0:00:00 of sending$",
        {**attributes(0), "cloudwatch.GetMetricStatistics": {"Datapoints": []}},
        {},
    ),
    (Level.PROBLEM, "dead letters: 2 in dead.fifo", attributes(0, dead=2), {}),
    (Level.PROBLEM, "has no dead-letter queue", attributes(0, RedrivePolicy=""), {}),
    # Ledger
    (Level.PROBLEM, "no ledger", {"dynamodb.DescribeTable": "ResourceNotFoundException"}, {}),
    (
        Level.WARNING,
        "updated",
        {"dynamodb.DescribeTable": {"Table": {"TableStatus": "UPDATING"}}},
        {},
    ),
    (
        Level.PROBLEM,
        "ledger is ARCHIVED",
        {"dynamodb.DescribeTable": {"Table": {"TableStatus": "ARCHIVED"}}},
        {},
    ),
    (Level.WARNING, r"stay forever \(time to live is DISABLED\)", expiry("DISABLED"), {}),
    (
        Level.WARNING,
        r"stay forever \(time to live is ENABLED on until",
        expiry("ENABLED", "until"),
        {},
    ),
    (
        Level.OK,
        "ledger: ledger is active",
        {"dynamodb.DescribeTimeToLive": "ResourceNotFoundException"},
        {},
    ),
    # Rules and settings
    (Level.WARNING, "rules: none below /ses-auto-bouncer/main/rules/", parameters(), {}),
    (
        Level.PROBLEM,
        "rules: /ses-auto-bouncer/main/rules/a:1: .*unknown key",
        parameters(rules__a="dorp: {}", rules__b="drop: {}"),
        {},
    ),
    (
        Level.OK,
        r"2 below .*, all valid \(1 shadow\)",
        parameters(rules__a="drop: {}", rules__b="mode: shadow\ndrop: {}"),
        {},
    ),
    (
        Level.PROBLEM,
        "a bounces from ann@example.com, which the worker may not send from",
        parameters(rules__a="reject: {type: Undefined, sender: ann@example.com}"),
        {},
    ),
    (
        Level.OK,
        "settings is valid",
        parameters(settings="bounce_sender: B <mailer-daemon@example.com>"),
        {},
    ),
    (Level.OK, "settings is valid", parameters(settings="mode: enforce"), {}),
    (Level.PROBLEM, "settings: .*settings:1: mode: found", parameters(settings="mode: no"), {}),
    (Level.WARNING, "mode is shadow, so nothing", parameters(settings="mode: shadow"), {}),
    (Level.WARNING, "sending is paused", parameters(settings="sending: paused"), {}),
    (
        Level.PROBLEM,
        "bounces come from ann@example.com",
        parameters(settings="bounce_sender: Ann <ann@example.com>"),
        {},
    ),
    # The account's sending
    (Level.PROBLEM, "in the sandbox", account(ProductionAccessEnabled=False), {}),
    (Level.PROBLEM, "sending is paused", account(SendingEnabled=False), {}),
    (Level.WARNING, "status PROBATION", account(EnforcementStatus="PROBATION"), {}),
    (Level.PROBLEM, "status SHUTDOWN", account(EnforcementStatus="SHUTDOWN"), {}),
    (Level.WARNING, "sent 900 of 1000 in 24 hours", quota(1000, 900), {}),
    (Level.OK, "sending is enabled", quota(0, 0), {}),
    (Level.OK, "sent 900 in 24 hours, no quota", quota(-1, 900), {}),
    # The identity
    (Level.PROBLEM, "no example.com, so", {"sesv2.GetEmailIdentity": "NotFoundException"}, {}),
    (
        Level.PROBLEM,
        "no mx.example.com; SES verifies a@mx.example.com by example.com$",
        {
            "sesv2.GetEmailIdentity": lambda request: (
                HEALTHY["sesv2.GetEmailIdentity"]
                if "identities/example.com" in request
                else "NotFoundException"
            )
        },
        {"bounce_sender": "a@mx.example.com"},
    ),
    (Level.PROBLEM, "example.com exists", BEFORE, {"create_identity": True}),
    (
        Level.PROBLEM,
        r"not verified for sending \(PENDING\)",
        identity(VerifiedForSendingStatus=False, VerificationStatus="PENDING"),
        {},
    ),
    (
        Level.WARNING,
        r"DKIM \(PENDING\)",
        identity(DkimAttributes={"SigningEnabled": True, "Status": "PENDING"}),
        {},
    ),
    (Level.WARNING, "signing is off", identity(DkimAttributes={"SigningEnabled": False}), {}),
    (Level.PROBLEM, "it has no default configuration", identity(ConfigurationSetName=None), {}),
    (
        Level.PROBLEM,
        "its default configuration set is news",
        identity(ConfigurationSetName="news"),
        {},
    ),
    (
        Level.WARNING,
        "as the stack does not attach ours",
        {**identity(ConfigurationSetName=None), **without("Custom::DefaultConfigurationSet")},
        {},
    ),
    (
        Level.OK,
        "its default configuration set is news, and attach_configuration_set: false leaves it so",
        identity(ConfigurationSetName="news"),
        {"attach_configuration_set": False},
    ),
    (
        Level.OK,
        "no default configuration set, and attach_configuration_set: false leaves it so",
        {**identity(ConfigurationSetName=None), **without("Custom::DefaultConfigurationSet")},
        {"attach_configuration_set": False},
    ),
    (
        Level.WARNING,
        "SES then refuses mail from roles that may use example.com only",
        FRESH,
        {},
    ),
    (
        Level.OK,
        "the deployment attaches ours$",
        FRESH,
        {"identity": "mailer-daemon@example.com"},
    ),
    (Level.OK, "b@example.com .* is verified", {}, {"further_senders": ["b@example.com"]}),
    # Configuration set and event destinations
    (
        Level.PROBLEM,
        f"configuration set: no {NAME}",
        {"ses.DescribeConfigurationSet": "ConfigurationSetDoesNotExist"},
        {},
    ),
    (Level.PROBLEM, f"configuration set: {NAME} exists", BEFORE, {}),
    (Level.PROBLEM, "does not send", reputation(SendingEnabled=False), {}),
    (Level.WARNING, "no reputation metrics", reputation(ReputationMetricsEnabled=False), {}),
    (Level.PROBLEM, "event destination: none", destinations(), {}),
    (Level.PROBLEM, "Metrics .* is disabled", destinations(destination(Enabled=False)), {}),
    (
        Level.WARNING,
        "gets no reject, send events",
        destinations(destination(MatchingEventTypes=EVENTS[2:])),
        {},
    ),
    (
        Level.OK,
        r"X \(unknown kind\) is enabled for send",
        destinations({"Name": "X", "Enabled": True, "MatchingEventTypes": ["SEND"]}),
        {"events": ["send"]},
    ),
    # Alarms
    (Level.WARNING, "the stack has none", without("AWS::CloudWatch::Alarm"), {}),
    (
        Level.PROBLEM,
        "dead-letters rings: look",
        alarm(StateValue="ALARM", AlarmDescription="look"),
        {},
    ),
    (Level.WARNING, "its actions are off", alarm(ActionsEnabled=False), {}),
]


@pytest.mark.parametrize(
    ("level", "expected", "answers", "settings"),
    FAULTS,
    ids=[f"{level}-{expected}" for level, expected, _, _ in FAULTS],
)
def test_each_fault_is_found(
    level: Level, expected: str, answers: dict[str, Any], settings: dict[str, Any]
) -> None:
    """Every kind of trouble has its line, its level and its next step."""
    settled = found(answers, **settings)
    assert [line for line in lines(settled, level) if re.search(expected, line)]
    assert not [line for line in lines(settled, Level.WARNING) if "could not be checked" in line]


def test_only_rules_that_mails_for_us_meet_count_as_before() -> None:
    """A rule stops our mail if it is enabled and their recipients may be ours."""
    stop = [{"StopAction": {"Scope": "RuleSet"}}]

    def warned(recipients: list[str], ours: str, *, enabled: bool = True) -> bool:
        first = receipt_rule("first", Recipients=recipients, Actions=stop, Enabled=enabled)
        answers = rules(first, receipt_rule(Recipients=[ours]))
        findings = lines(found(answers, recipients=[ours]), Level.WARNING)
        return any("first stands before" in line for line in findings)

    assert warned(["example.com"], "ann@example.com")
    assert warned([".example.com"], "sub.example.com")
    assert warned([".example.com"], ".sub.example.com")
    assert warned(["ann@sub.example.com"], ".example.com")
    assert not warned(["example.com"], ".example.com")
    assert not warned(["bob@example.com"], "ann@example.com")
    assert not warned(["example.com"], "example.com", enabled=False)


@pytest.mark.parametrize("operation", sorted(HEALTHY))
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("AccessDeniedException", "AccessDenied"),
        ("InvalidAction", "InvalidAction"),
        ("Throttled", "Throttled by"),
        (EndpointConnectionError(endpoint_url="x"), "can't be reached"),
        (ResponseParserError("<html>"), "<html>"),
    ],
)
def test_a_call_that_fails_is_one_line_and_stops_no_other_check(
    operation: str, answer: Any, expected: str
) -> None:
    """Whatever one call answers, the findings that need it become a warning, the others stay."""
    findings = found({operation: answer})
    assert not lines(findings, Level.PROBLEM)
    missed = [line for line in findings if "could not be checked" in line.found]
    assert missed
    assert all(expected in line.found for line in missed)
    if answer == "AccessDeniedException":
        service, _, name = operation.partition(".")
        action = f"{'ses' if service == 'sesv2' else service}:{name}"
        assert all(f"allow {action} to" in line.next_step for line in missed)
    checks = {line.check for line in findings if line.level is Level.OK}
    assert len(checks) >= 10


def test_an_answer_that_is_not_understood_is_one_line() -> None:
    """An emulator may leave out what AWS always sends."""
    findings = found({"lambda.GetFunction": {}, "dynamodb.DescribeTable": {}})
    odd = [line.found for line in findings if "could not be checked" in line.found]
    assert odd == [
        "could not be checked: KeyError: 'Configuration'",
        "could not be checked: KeyError: 'Table'",
    ]
    assert {"stack", "credentials"} <= {
        line.check
        for line in found({"sts.GetCallerIdentity": {}, "cloudformation.DescribeStacks": {}})
    }


def test_a_service_that_is_silent_is_asked_once() -> None:
    """Several checks that need it say so without waiting for it again."""
    silent = EndpointConnectionError(endpoint_url="x")
    aws = Aws({"ses.ListConfigurationSets": silent, "ses.DescribeActiveReceiptRuleSet": silent})
    findings = found(aws=aws)
    ses = [line.check for line in findings if "ses can't be reached" in line.found]
    assert ses == ["active rule set", "receipt rule", "configuration sets", "configuration set"]
    assert "ses.ListConfigurationSets" not in aws.asked


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId"])
def test_credentials_that_are_refused_end_the_examination(code: str) -> None:
    """One problem instead of many; what needs no credentials is still looked at."""
    aws = Aws({"sts.GetCallerIdentity": code})
    findings = found(aws=aws)
    assert [line.check for line in findings] == ["credentials", "mx"]
    assert findings[0].level is Level.PROBLEM
    assert "AWS_PROFILE" in findings[0].next_step
    assert aws.asked == ["sts.GetCallerIdentity"]


def test_no_credentials_and_no_profile_are_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither is a traceback."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    def first() -> Finding:
        return next(iter(examine(deployment(), region=REGION, now=NOW)))

    assert (first().level, first().check) == (Level.PROBLEM, "credentials")
    assert "no credentials" in first().found
    monkeypatch.setenv("AWS_PROFILE", "missing")
    assert "missing" in first().found


def test_a_region_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one nothing can be asked; one that is no name is said to be the trouble."""
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    (finding,) = found(region=None)
    assert (finding.level, finding.check) == (Level.PROBLEM, "region")
    findings = found(region="not a region")
    assert [line.check for line in findings] == ["credentials", "mx"]
    assert findings[0].level is Level.PROBLEM
    assert "check the region" in findings[0].next_step


def test_an_examination_of_nothing_is_no_success() -> None:
    """Where nobody answers, say in a region that does not exist, that is the problem."""
    findings = found(dict.fromkeys(HEALTHY, EndpointConnectionError(endpoint_url="x")))
    assert {line.check for line in findings if line.level is Level.OK} == {"mx"}
    assert lines(findings, Level.PROBLEM) == [
        "account: AWS answered nothing, so nothing was checked"
    ]


def test_a_request_that_cannot_be_made_is_one_line() -> None:
    """What botocore itself refuses to send is said with its words."""
    shown = {**RESOURCES, "AWS::Lambda::EventSourceMapping": ["x"]}
    findings = found(
        {"cloudformation.ListStackResources": {"StackResourceSummaries": summaries(shown)}}
    )
    (line,) = lines(findings, Level.WARNING)
    assert line.startswith("queue mapping: could not be checked: GetEventSourceMapping could not")


def test_a_profile_that_is_missing_is_a_problem() -> None:
    """The session itself may refuse."""

    def session() -> boto3.Session:
        raise ProfileNotFound(profile="missing")

    (finding,) = examine(deployment(), region=None, now=NOW, session=session)
    assert (finding.level, finding.check) == (Level.PROBLEM, "credentials")


def test_an_emulator_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks at an emulator by mistake is told so."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4599")
    assert found()[0].found.endswith("in eu-west-1, at http://127.0.0.1:4599")


def test_many_resources_come_in_pages() -> None:
    """All pages of a listing are read."""
    pages = [
        {"StackResourceSummaries": summaries({"AWS::SNS::Topic": ["t"] * 100}), "NextToken": "2"},
        HEALTHY["cloudformation.ListStackResources"],
    ]
    findings = found({"cloudformation.ListStackResources": lambda _: pages.pop(0)})
    assert any("108 resources" in line for line in lines(findings, Level.OK))
    assert not lines(findings, Level.PROBLEM)


def test_a_further_sender_may_be_verified_by_a_domain_above_it() -> None:
    """Identities are tried from the address upwards; none verified is a problem."""
    known = {"example.org": True, "ann@sub.example.org": False}

    def answer(asked: str) -> dict[str, Any] | str:
        name = asked.rpartition("/identities/")[2].split("b'")[0].replace("%40", "@")
        if name in ("example.com", *known):
            return {
                **HEALTHY["sesv2.GetEmailIdentity"],
                "VerifiedForSendingStatus": known.get(name, True),
            }
        return "NotFoundException"

    def sender(address: str) -> Finding:
        (finding,) = [
            line
            for line in found({"sesv2.GetEmailIdentity": answer}, further_senders=[address])
            if line.check == "further sender"
        ]
        return finding

    assert sender("ann@sub.example.org").found == "ann@sub.example.org (by example.org) is verified"
    known["example.org"] = False
    assert sender("ann@sub.example.org").level is Level.PROBLEM
    assert sender("ann@elsewhere.example").found == "no identity for ann@elsewhere.example"


def judged(*exchangers: Mx, recipients: tuple[str, ...] = ("example.com",)) -> tuple[Level, str]:
    findings = found(mx=lambda _: exchangers, recipients=list(recipients))
    (finding,) = [line for line in findings if line.check == "mx"]
    return finding.level, finding.found


def test_the_mail_exchanger_is_ses_in_this_region() -> None:
    """Elsewhere is a warning, as mail may come by another way; another region alone a problem."""
    other = Mx(preference=5, host="mx.example.net")
    west = Mx(preference=5, host="inbound-smtp.us-west-2.amazonaws.com")
    assert judged(INBOUND)[0] is Level.OK
    assert judged(Mx(preference=10, host=INBOUND.host.upper()))[0] is Level.OK
    assert judged(other, INBOUND) == (
        Level.WARNING,
        "example.com: mail goes to mx.example.net before SES",
    )
    assert judged(other) == (Level.WARNING, "example.com: mail goes to mx.example.net")
    assert judged(west)[0] is Level.PROBLEM
    assert judged(west, INBOUND)[0] is Level.WARNING
    assert judged()[0] is Level.WARNING
    assert "refuses mail" in judged(Mx(preference=0, host=""))[1]
    assert judged(INBOUND, recipients=("ann@example.com", "example.com"))[0] is Level.OK
    assert "many domains" in judged(INBOUND, recipients=(".example.com",))[1]


def test_no_dns_is_one_warning_and_one_bad_domain_another() -> None:
    """Nobody waits for each of a hundred domains when the first one could not be asked for."""
    asked: list[str] = []

    def no_dns(domain: str) -> tuple[Mx, ...]:
        asked.append(domain)
        raise LookUpError("no answer", everywhere=domain != "a.example")

    names = [f"{letter}.example" for letter in "abcdefghi"]
    mx = [line.found for line in found(mx=no_dns, recipients=names) if line.check == "mx"]
    assert asked == ["a.example", "b.example"]
    assert len(mx) == 2
    assert mx[0] == "a.example: could not be looked up (no answer)"
    assert mx[1].startswith("b.example, c.example, d.example, e.example, f.example and 3 more: ")


@contextmanager
def dns_server(*records: str, rcode: int | None = 0) -> Iterator[tuple[str, int]]:
    """A name server on loopback that gives one answer; `rcode` None is silence."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)

        def answer() -> None:
            question, client = server.recvfrom(4096)
            if rcode is None:
                return
            response = dns.message.make_response(dns.message.from_wire(question))
            response.set_rcode(dns.rcode.Rcode(rcode))
            if records:
                name = response.question[0].name
                response.answer.append(dns.rrset.from_text(name, 300, "IN", "MX", *records))
            server.sendto(response.to_wire(), client)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield server.getsockname()
        thread.join()


def test_mail_exchangers_are_looked_up_in_order_of_preference() -> None:
    """Real DNS messages, on loopback: answers, no record, no domain."""
    with dns_server("20 b.example.", "10 a.example.") as server:
        assert look_up_mx("example.com", server=server) == (
            Mx(preference=10, host="a.example"),
            Mx(preference=20, host="b.example"),
        )
    with dns_server("0 .") as server:
        assert look_up_mx("example.com", server=server) == (Mx(preference=0, host=""),)
    with dns_server(rcode=3) as server:
        assert look_up_mx("example.com", server=server) == ()
    with dns_server() as server:
        assert look_up_mx("example.com", server=server) == ()


def test_a_name_server_that_fails_or_is_silent_is_an_error_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The doctor waits for seconds at most; a silent server is not asked again."""
    monkeypatch.setattr("bouncer_local.doctor.mx.PATIENCE_S", 0.3)
    with (
        dns_server(rcode=2) as server,
        pytest.raises(LookUpError, match="no nameservers") as failed,
    ):
        look_up_mx("example.com", server=server)
    assert not failed.value.everywhere
    with dns_server(rcode=None) as server, pytest.raises(LookUpError, match="timeout") as silent:
        look_up_mx("example.com", server=server)
    assert silent.value.everywhere


def test_only_reading_calls_are_possible() -> None:
    """A check that would change something can't be written by mistake."""
    with pytest.raises(ValueError, match="delete_queue"):
        Account(boto3.Session(), REGION).ask("sqs", "delete_queue", QueueUrl="x")


def test_the_2016_release_is_used_to_list_and_describe() -> None:
    """Configuration sets are listed and described by the API that came with them."""
    aws = Aws({})
    found(aws=aws)
    assert {"ses.ListConfigurationSets", "ses.DescribeConfigurationSet"} <= set(aws.asked)
    many = [{"Name": f"set{index}"} for index in range(12)]
    findings = found({"ses.ListConfigurationSets": {"ConfigurationSets": many}})
    (listed,) = [line.found for line in findings if line.check == "configuration sets"]
    assert listed.startswith("12 in this region: set0, ")
    assert listed.endswith("set9 and 2 more")


def test_settings_are_those_the_stack_is_made_from(tmp_path: Path) -> None:
    """The doctor reads cdk.json as synth does: same keys, same defaults."""
    contexts: list[dict[str, Any]] = [
        MINIMAL,
        {
            **MINIMAL,
            "name": "second",
            "bounce_sender": "Mail system <bounces@mail.example.org>",
            "further_senders": ["a@example.net"],
            "identity": "example.org",
            "prefix": "/mail/second",
            "rule_set": "ours",
            "create_rule_set": True,
            "activate_rule_set": True,
            "invocation": "event",
            "scan": False,
            "require_tls": True,
            "attach_configuration_set": False,
            "events": ["send", "bounce"],
            "log_days": 7,
        },
        {**MINIMAL, "after": "archive", "create_identity": True},
    ]
    path = tmp_path / "cdk.json"
    for context in contexts:
        path.write_text(json.dumps({"context": {"bouncer": context}}))
        ours, theirs = read_deployment(path), read_settings(context)
        for key in Deployment.__dataclass_fields__:
            assert getattr(ours, key) == getattr(theirs, key), key
        assert ours.full_name == theirs.rule_name
        assert ours.senders == theirs.sender_addresses


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "can't be read"),
        ("{", "found no JSON"),
        ("[]", "found no context.bouncer"),
        ('{"context": {"bouncer": []}}', "context.bouncer: found an empty list"),
        ('{"context": {"bouncer": {"name": 5}}}', "context.bouncer.recipients: found nothing"),
        ('{"context": {"bouncer": {"name": 5}}}', "context.bouncer.name: found 5"),
    ],
)
def test_settings_that_cannot_be_read_are_wrong_usage(
    text: str | None, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence each with what was expected, exit status 2."""
    path = tmp_path / "cdk.json"
    if text is not None:
        path.write_text(text)
    assert cli.main(["doctor", "--settings", str(path)]) == 2
    assert expected in capsys.readouterr().err
    with pytest.raises(BouncerError):
        read_deployment(path)


def mocked_account() -> dict[str, list[str]]:
    """Sets up what a deployment would have; returns the names of its resources."""
    ses = boto3.client("ses", region_name=REGION)
    ses.create_receipt_rule_set(RuleSetName="default-rule-set")
    ses.set_active_receipt_rule_set(RuleSetName="default-rule-set")
    ses.create_receipt_rule(
        RuleSetName="default-rule-set",
        Rule={
            "Name": NAME,
            "Enabled": True,
            "Recipients": ["example.com"],
            "Actions": [{"StopAction": {"Scope": "RuleSet"}}],
        },
    )
    ses.create_configuration_set(ConfigurationSet={"Name": NAME})
    ssm = boto3.client("ssm", region_name=REGION)
    for name, text in (("a", "drop: {}"), ("b", "dorp: {}")):
        ssm.put_parameter(Name=f"/ses-auto-bouncer/main/rules/{name}", Value=text, Type="String")
    sqs = boto3.client("sqs", region_name=REGION)
    dead = sqs.create_queue(QueueName="dead.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    redrive = json.dumps({"deadLetterTargetArn": DEAD_ARN, "maxReceiveCount": 30})
    jobs = sqs.create_queue(
        QueueName="jobs.fifo", Attributes={"FifoQueue": "true", "RedrivePolicy": redrive}
    )["QueueUrl"]
    sqs.send_message(QueueUrl=dead, MessageBody="x", MessageGroupId="g", MessageDeduplicationId="d")
    dynamodb = boto3.client("dynamodb", region_name=REGION)
    dynamodb.create_table(
        TableName="ledger",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.update_time_to_live(
        TableName="ledger", TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"}
    )
    boto3.client("cloudwatch", region_name=REGION).put_metric_alarm(
        AlarmName="dead-letters",
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
    )
    return {
        "AWS::SQS::Queue": [jobs, dead],
        "AWS::DynamoDB::GlobalTable": ["ledger"],
        "AWS::CloudWatch::Alarm": ["dead-letters"],
        "AWS::Lambda::Function": ["lost"],
    }


def test_a_mocked_account_answers_the_same_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto, which somebody else wrote, understands our calls; what it lacks is given."""
    given = ("sesv2", "cloudformation")
    answers = {key: HEALTHY[key] if key.startswith(given) else moto for key in HEALTHY}
    monkeypatch.setattr(Session, "made", {})
    with mock_aws():
        shown = {"StackResourceSummaries": summaries(mocked_account())}
        findings = found({**answers, "cloudformation.ListStackResources": shown})
    everything = [f"{line.level} {line.check}: {line.found}" for line in findings]
    for expected in (
        "ok active rule set: default-rule-set, as configured",
        "ok receipt rule: it is for example.com, as configured",
        "problem receipt rule: it calls no function, not our intake",
        "problem function: no lost",
        "problem dead letters: 1 in dead.fifo",
        "ok queue: 0 jobs wait in jobs.fifo, 0:00:00 of sending",
        "ok ledger: ledger is active",
        "ok ledger: old entries of ledger expire",
        f"ok configuration sets: 1 in this region: {NAME}",
        "ok alarm: 1 of 1 are quiet",
    ):
        assert expected in everything
    assert any("problem rules: /ses-auto-bouncer/main/rules/b:1" in line for line in everything)
    assert not [line for line in everything if "could not be checked" in line]


def run(monkeypatch: pytest.MonkeyPatch, answers: dict[str, Any], *arguments: str) -> int:
    """The command on a folder with a cdk.json, before the account that answers so."""
    aws = Aws(answers)

    def before_account(wanted: Deployment, **options: Any) -> Iterator[Finding]:
        return examine(wanted, **options, session=aws.session, look_up=lambda _: (INBOUND,))

    monkeypatch.setattr("bouncer_local.doctor.examine.examine", before_account)
    Path("cdk.json").write_text(json.dumps({"context": {"bouncer": MINIMAL}}))
    return cli.main(["doctor", "--region", REGION, *arguments])


def test_the_exit_status_tells_problems_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 with warnings, 1 with a problem; the table ends with a count."""
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, FRESH) == 0
    out, err = capsys.readouterr()
    assert err.strip().endswith(" ok, 2 warnings, 0 problems")
    assert f"warning  stack               {NAME} is not deployed -> mend what is below" in out
    assert run(monkeypatch, account(SendingEnabled=False)) == 1
    out, err = capsys.readouterr()
    assert err.strip().endswith(" ok, 0 warnings, 1 problem")
    assert "problem  ses account         sending is paused -> find out why" in out


def test_json_is_one_object_per_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same findings for programs, and nothing else on either stream."""
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, FRESH, "--format", "json") == 0
    out, err = capsys.readouterr()
    objects = [json.loads(line) for line in out.splitlines()]
    assert err == ""
    assert {"level": "warning", "check": "stack"}.items() <= objects[1].items()
    assert all(set(line) == {"check", "level", "found", "next"} for line in objects)
    assert objects[0]["next"] is None


def test_a_terminal_folds_what_is_found_within_its_column() -> None:
    """Long lines stay readable, and nothing from AWS controls the terminal."""
    console = Console(force_terminal=True, width=60, no_color=True, record=True, quiet=False)
    with console.capture() as captured:
        report = TableReport(console)
        report.add(ok("mx", "fine"))
        report.add(problem("rules", "bad \x1b[2J " + "word " * 20, "mend it"))
    shown = re.sub(r"\x1b\[[0-9;]*m", "", captured.get())
    assert "\x1b" not in shown
    assert all(len(line) <= 60 for line in shown.splitlines())
    assert all(line.startswith(" " * 29) for line in shown.splitlines()[2:])


def test_the_example_in_the_help_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The help of the command ends with an example that runs as it stands."""
    with pytest.raises(SystemExit):
        cli.main(["doctor", "--help"])
    example = re.search(r"example: bouncer doctor (.+)", capsys.readouterr().out)
    assert example
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, {}, *shlex.split(example[1])) == 0
