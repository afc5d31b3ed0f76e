"""Invariants of a deployment: permissions, limits that fit together, closed buckets and queues."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from bouncer.environment import (
    DEFAULTS_KEY,
    KEEPS_KEY,
    REGION_KEY,
    FeedbackEnvironment,
    IntakeEnvironment,
    ReplierEnvironment,
    WorkerEnvironment,
)
from bouncer.feedback import LOOKED_UP_S
from bouncer.publishing.occasion import RESOURCE_TYPE
from bouncer.sending.delays import LONGEST_DELAY_S
from bouncer.sending.gate import LIFETIME
from bouncer.sources.pointer import POINTER_KEY
from bouncer.worker import RESERVE_S

Template = dict[str, Any]
Synth = Callable[..., Template]


def of_type(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    """The properties of all resources of a type, by logical id."""
    return {
        name: resource.get("Properties", {})
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def served(template: Template, handler: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The mapping of a function, and the queue that it takes messages from."""
    name, _ = function(template, handler)
    (mapping,) = [
        each
        for each in of_type(template, "AWS::Lambda::EventSourceMapping").values()
        if each["FunctionName"] == {"Ref": name}
    ]
    queue = mapping["EventSourceArn"]["Fn::GetAtt"][0]
    return mapping, of_type(template, "AWS::SQS::Queue")[queue]


def only(template: Template, kind: str) -> dict[str, Any]:
    (properties,) = of_type(template, kind).values()
    return properties


def function(template: Template, handler: str) -> tuple[str, dict[str, Any]]:
    ((name, properties),) = [
        (name, properties)
        for name, properties in of_type(template, "AWS::Lambda::Function").items()
        if properties["Handler"] == handler
    ]
    return name, properties


def statements(template: Template, handler: str) -> list[dict[str, Any]]:
    """Every statement of the policies of a function's role."""
    _, properties = function(template, handler)
    role = properties["Role"]["Fn::GetAtt"][0]
    return [
        statement
        for policy in of_type(template, "AWS::IAM::Policy").values()
        if {"Ref": role} in policy["Roles"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def actions(template: Template, handler: str) -> set[str]:
    found: set[str] = set()
    for statement in statements(template, handler):
        action = statement["Action"]
        found |= {action} if isinstance(action, str) else set(action)
    return found


def test_the_queue_is_fifo_encrypted_and_has_dead_letters(template: Template) -> None:
    """Both queues are FIFO and encrypted; dead letters are kept for 14 days."""
    _, source = served(template, "bouncer.worker.handler")
    dead = dead_letters(template, source)
    assert all(queue["FifoQueue"] and queue["SqsManagedSseEnabled"] for queue in (source, dead))
    assert dead["MessageRetentionPeriod"] == 14 * 24 * 3600
    deliveries = LIFETIME.total_seconds() / LONGEST_DELAY_S
    assert source["RedrivePolicy"]["maxReceiveCount"] > deliveries
    assert source["MessageRetentionPeriod"] > 24 * 3600


def dead_letters(template: Template, queue: dict[str, Any]) -> dict[str, Any]:
    """The queue of another queue's dead letters."""
    name = queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
    return of_type(template, "AWS::SQS::Queue")[name]


def test_events_of_our_bounces_wait_in_a_queue(template: Template) -> None:
    """One is handed out again through an outage of a day, and looked up for 15 minutes."""
    mapping, queue = served(template, "bouncer.feedback.handler")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    _, consumer = function(template, "bouncer.feedback.handler")
    assert queue["VisibilityTimeout"] == 6 * consumer["Timeout"] <= LOOKED_UP_S / 3
    tries = queue["RedrivePolicy"]["maxReceiveCount"] * queue["VisibilityTimeout"]
    assert 24 * 3600 <= tries < queue["MessageRetentionPeriod"]
    dead = dead_letters(template, queue)
    assert dead["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert all(each["SqsManagedSseEnabled"] for each in (queue, dead))


def test_the_feedback_function_gets_bounces_and_complaints_alone(template: Template) -> None:
    """From the account's default bus, the only one that SES publishes to; by one rule of ours."""
    ((name, rule),) = [
        (name, properties)
        for name, properties in of_type(template, "AWS::Events::Rule").items()
        if properties.get("EventPattern", {}).get("source") == ["aws.ses"]
    ]
    assert rule["EventPattern"]["detail-type"] == ["Email Bounced", "Email Complaint Received"]
    assert set(rule["EventPattern"]) == {"source", "detail-type"}
    (target,) = rule["Targets"]
    queue = target["Arn"]["Fn::GetAtt"][0]
    (allowed,) = [
        statement
        for policy in of_type(template, "AWS::SQS::QueuePolicy").values()
        if policy["Queues"] == [{"Ref": queue}]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    assert allowed["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": [name, "Arn"]}}}
    (to_bus,) = [
        each["EventDestination"]
        for each in of_type(template, "AWS::SES::ConfigurationSetEventDestination").values()
        if "EventBridgeDestination" in each["EventDestination"]
    ]
    assert to_bus["MatchingEventTypes"] == ["bounce", "complaint"]
    assert to_bus["EventBridgeDestination"]["EventBusArn"]["Fn::Join"][1][-1].endswith(
        ":event-bus/default"
    )


def test_the_feedback_function_may_settle_events_and_no_more(template: Template) -> None:
    """It takes them from its queue, updates the ledger, reads the pointer, and writes `held`."""
    assert actions(template, "bouncer.feedback.handler") == {
        "dynamodb:BatchGetItem",
        "dynamodb:UpdateItem",
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ReceiveMessage",
        "s3:GetObject",
        "ssm:GetParameters",
        "ssm:PutParameter",
    }
    (put,) = [
        each
        for each in statements(template, "bouncer.feedback.handler")
        if "ssm:PutParameter" in each["Action"]
    ]
    assert put["Resource"]["Fn::Join"][1][-1].endswith(":parameter/ses-auto-bouncer/main/held")


@pytest.mark.threat
def test_the_worker_may_do_to_queue_and_ledger_what_it_does(template: Template) -> None:
    """It reads and updates items, of this table alone; renews its batch, and buries the dead."""
    worker = "bouncer.worker.handler"
    found = actions(template, worker)
    assert {each for each in found if each.startswith("dynamodb:")} == {
        "dynamodb:BatchGetItem",
        "dynamodb:UpdateItem",
    }
    (ledger,) = [
        each for each in statements(template, worker) if "dynamodb:UpdateItem" in each["Action"]
    ]
    (table,) = of_type(template, "AWS::DynamoDB::GlobalTable")
    assert ledger["Resource"] == {"Fn::GetAtt": [table, "Arn"]}
    assert {"sqs:ChangeMessageVisibility", "sqs:SendMessage"} <= found


def test_timeouts_fit_together(template: Template) -> None:
    """Visibility is six times the worker's timeout, and that leaves room for ten paced calls."""
    _, consumer = function(template, "bouncer.worker.handler")
    _, queue = served(template, "bouncer.worker.handler")
    assert queue["VisibilityTimeout"] == 6 * consumer["Timeout"]
    crashes = queue["RedrivePolicy"]["maxReceiveCount"] * queue["VisibilityTimeout"]
    assert queue["MessageRetentionPeriod"] > crashes, "or SQS drops what should be a dead letter"
    assert consumer["Timeout"] >= RESERVE_S + 2 * 10
    assert function(template, "bouncer.intake.handler")[1]["Timeout"] < 30


def test_the_mapping_reports_partial_failures(template: Template) -> None:
    """A batch is at most ten jobs, and the function answers which of them failed."""
    mapping, _ = served(template, "bouncer.worker.handler")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BatchSize"] == 10


class Asked(dict[str, str]):
    """An environment that notes which keys are asked for."""

    def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]  # less than dict's
        self[key] = "{}" if key == DEFAULTS_KEY else "x"
        return super().get(key, default)


@pytest.mark.parametrize(
    ("handler", "environment"),
    [
        ("intake", IntakeEnvironment),
        ("worker", WorkerEnvironment),
        ("replier", ReplierEnvironment),
        ("feedback", FeedbackEnvironment),
    ],
)
def test_functions_find_the_keys_they_read(
    other: Template,
    handler: str,
    environment: type[IntakeEnvironment]
    | type[WorkerEnvironment]
    | type[ReplierEnvironment]
    | type[FeedbackEnvironment],
) -> None:
    """The stack sets exactly the keys that the function's environment asks for."""
    _, properties = function(other, f"bouncer.{handler}.handler")
    asked = Asked()
    environment.from_env(asked)
    found = set(properties["Environment"]["Variables"])
    assert found == set(asked) - {REGION_KEY, KEEPS_KEY if handler == "intake" else ""}


@pytest.mark.threat
def test_intake_can_send_no_mail(template: Template) -> None:
    """It reads what is in force, writes to the queue and copies mail, and that is all."""
    assert actions(template, "bouncer.intake.handler") == {
        "s3:PutObject",
        "sqs:SendMessage",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "s3:GetObject",
    }


@pytest.mark.threat
def test_worker_bounces_only_as_the_configured_sender(template: Template) -> None:
    """Of SES it may do SendBounce alone, from the one address, by its identities."""
    ses = [s for s in statements(template, "bouncer.worker.handler") if "ses" in str(s["Action"])]
    (statement,) = ses
    assert statement["Action"] == "ses:SendBounce"
    assert statement["Condition"] == {
        "StringEqualsIgnoreCase": {"ses:FromAddress": ["mailer-daemon@example.com"]}
    }
    arns = [arn["Fn::Join"][1][-1].rpartition(":")[2] for arn in statement["Resource"]]
    assert sorted(arns) == [
        "configuration-set/*",  # the default of a sender's identity, which SendBounce can't choose
        "identity/example.com",
        "identity/mailer-daemon@example.com",
    ]


def test_intake_reads_rules_and_lists_in_force_and_no_uploads(template: Template) -> None:
    """Of the bucket it may read what the publisher wrote, and nothing that operators put there."""
    keys = {
        arn["Fn::Join"][1][-1]
        for statement in statements(template, "bouncer.intake.handler")
        if statement["Action"] == "s3:GetObject"
        for arn in statement["Resource"]
        if "Revisions" in str(arn)
    }
    assert keys == {f"/{POINTER_KEY}", "/lists/*", "/revisions/*.json"}


def test_worker_reads_its_settings_and_no_rules(template: Template) -> None:
    """Of the bucket it may read the pointer alone, and no parameters."""
    (found,) = [s for s in statements(template, "bouncer.worker.handler") if "s3" in str(s)]
    assert found["Action"] == "s3:GetObject"
    assert found["Resource"]["Fn::Join"][1][-1] == f"/{POINTER_KEY}"
    assert not [each for each in actions(template, "bouncer.worker.handler") if "ssm" in each]


def test_what_is_in_force_is_there_before_its_readers(template: Template) -> None:
    """An update makes the first revision before it gives intake and worker their new code."""
    (first,) = of_type(template, RESOURCE_TYPE)
    for handler in ("intake", "worker"):
        name, _ = function(template, f"bouncer.{handler}.handler")
        assert first in template["Resources"][name]["DependsOn"]


def test_no_permission_is_a_wildcard(template: Template) -> None:
    """No statement of any role names every action or every resource."""
    for policy in of_type(template, "AWS::IAM::Policy").values():
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement["Resource"] != "*", statement
            assert "*" not in str(statement["Action"]).replace("s3:GetObject*", "").replace(
                "s3:GetBucket*", ""
            ).replace("s3:List*", "").replace("s3:DeleteObject*", "").replace("s3:Abort*", "")


@pytest.mark.threat
def test_only_our_rule_may_call_the_intake(template: Template) -> None:
    """The permission names our account and our rule, and exists before the rule does."""
    ((name, permission),) = [
        (name, properties)
        for name, properties in of_type(template, "AWS::Lambda::Permission").items()
        if properties["Principal"] == "ses.amazonaws.com"
    ]
    assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}
    arn = json.dumps(permission["SourceArn"])
    assert "receipt-rule-set/default-rule-set:receipt-rule/ses-auto-bouncer-main" in arn
    (rule,) = [r for r in template["Resources"].values() if r["Type"] == "AWS::SES::ReceiptRule"]
    assert name in rule["DependsOn"]


def test_an_own_rule_set_outlives_the_stack(maximal: Template) -> None:
    """SES would delete the rules of others with it; only a failed first deployment removes it."""
    (rule_set,) = [
        r for r in maximal["Resources"].values() if r["Type"] == "AWS::SES::ReceiptRuleSet"
    ]
    assert rule_set["DeletionPolicy"] == "RetainExceptOnCreate"
    assert rule_set["UpdateReplacePolicy"] == "Retain"


def test_the_rule_is_named_scanned_and_synchronous(template: Template) -> None:
    """SES needs the name beforehand, gives verdicts only when it scans, waits for the answer."""
    properties = only(template, "AWS::SES::ReceiptRule")
    rule = properties["Rule"]
    assert properties["RuleSetName"] == "default-rule-set"
    assert (rule["Name"], rule["ScanEnabled"], rule["Enabled"]) == (
        "ses-auto-bouncer-main",
        True,
        True,
    )
    assert rule["Actions"][-1]["LambdaAction"]["InvocationType"] == "RequestResponse"


def test_mail_is_stored_before_it_is_judged(other: Template) -> None:
    """The S3 action comes first, and only our rule may write, wherever it stands.

    The policy does not depend on what may change of the rule, or an update would lose mail.
    """
    properties = only(other, "AWS::SES::ReceiptRule")
    first, second = properties["Rule"]["Actions"]
    assert first["S3Action"]["ObjectKeyPrefix"] == "in/"
    assert second["LambdaAction"]["InvocationType"] == "Event"
    assert properties["After"] == "spam"
    bucket = first["S3Action"]["BucketName"]["Ref"]
    (policy,) = [
        p
        for p in of_type(other, "AWS::S3::BucketPolicy").values()
        if p["Bucket"] == {"Ref": bucket}
    ]
    (allowed,) = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
    assert set(allowed["Condition"]) == {"StringEquals", "ArnLike"}
    arn = json.dumps(allowed["Condition"]["ArnLike"])
    assert ":receipt-rule-set/*:receipt-rule/ses-auto-bouncer-" in arn
    assert '"/*"' in json.dumps(allowed["Resource"])


def test_an_own_rule_set_exists_before_its_rule(maximal: Template) -> None:
    """With `create_rule_set` the set is made here, and the rule waits for it."""
    ((name, _),) = of_type(maximal, "AWS::SES::ReceiptRuleSet").items()
    (rule,) = [r for r in maximal["Resources"].values() if r["Type"] == "AWS::SES::ReceiptRule"]
    assert name in rule["DependsOn"]


def test_ip_filters_are_what_the_settings_say(maximal: Template) -> None:
    """Each is one network, allowed or blocked."""
    filters = [
        p["Filter"]["IpFilter"] for p in of_type(maximal, "AWS::SES::ReceiptFilter").values()
    ]
    assert filters == [
        {"Cidr": "192.0.2.0/24", "Policy": "Block"},
        {"Cidr": "192.0.2.9/32", "Policy": "Allow"},
    ]


def test_ip_filters_have_names_that_ses_takes(synth: Synth) -> None:
    """At most 64 letters, digits and dashes; another policy is another name, to replace it by."""
    name, cidr = "a" * 20, "255.255.255.255/32"
    found = set()
    for policy in ("allow", "block"):
        template = synth(name=name, ip_filters=[{policy: cidr}])
        found.add(only(template, "AWS::SES::ReceiptFilter")["Filter"]["Name"])
    start, end = f"ses-auto-bouncer-{name}-", "-255-255-255-255-32"
    assert found == {f"{start}allow{end}", f"{start}block{end}"}
    assert all(re.fullmatch(r"[A-Za-z0-9-]{1,64}", each) for each in found)


def test_ip_filters_come_one_after_the_other(maximal: Template) -> None:
    """SES takes one such call a second: the rule first, then filter by filter."""
    kinds = ("AWS::SES::ReceiptRule", "AWS::SES::ReceiptFilter")
    rule, first, second = [name for kind in kinds for name in of_type(maximal, kind)]
    waits = [maximal["Resources"][name]["DependsOn"] for name in (first, second)]
    assert waits == [[rule], [first]]


def test_a_further_ip_filter_touches_no_other(synth: Synth, maximal: Template) -> None:
    """Each has its own name in the template, wherever it stands in the list."""
    kind = "AWS::SES::ReceiptFilter"
    fewer = of_type(synth(ip_filters=[{"allow": "192.0.2.9"}]), kind)
    assert len(fewer) == 1
    assert fewer.items() <= of_type(maximal, kind).items()


@pytest.mark.threat
def test_every_bucket_is_private_encrypted_and_tls_only(maximal: Template) -> None:
    """Public access is blocked, objects are encrypted and expire, plain HTTP is denied."""
    buckets = of_type(maximal, "AWS::S3::Bucket")
    assert len(buckets) == 3
    for bucket in buckets.values():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert "BucketEncryption" in bucket
        rule = bucket["LifecycleConfiguration"]["Rules"][0]
        if "VersioningConfiguration" in bucket:  # revisions stay, older pointers do not
            assert "ExpirationInDays" not in rule
            assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] > 0
        else:
            assert rule["ExpirationInDays"] > 0
    denials = [
        policy["Bucket"]["Ref"]
        for policy in of_type(maximal, "AWS::S3::BucketPolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    ]
    assert set(denials) == set(buckets)
    for resource in maximal["Resources"].values():  # the buckets stay, so their policies do
        if resource["Type"] in ("AWS::S3::Bucket", "AWS::S3::BucketPolicy"):
            assert resource["DeletionPolicy"] == "Retain"


def test_bounces_have_a_configuration_set_with_both_destinations(template: Template) -> None:
    """Events go to CloudWatch and to the stream; dimensions have legal defaults.

    None are asked for that make SES change the mail of the identity.
    """
    options = only(template, "AWS::SES::ConfigurationSet")
    assert options["ReputationOptions"] == {"ReputationMetricsEnabled": True}
    found = [
        p["EventDestination"]
        for p in of_type(template, "AWS::SES::ConfigurationSetEventDestination").values()
    ]
    (metrics,) = [d for d in found if "CloudWatchDestination" in d]
    (stream,) = [d for d in found if "KinesisFirehoseDestination" in d]
    assert metrics["MatchingEventTypes"] == stream["MatchingEventTypes"]
    assert {"bounce", "complaint", "send"} <= set(metrics["MatchingEventTypes"])
    assert not {"open", "click"} & set(metrics["MatchingEventTypes"])
    for dimension in metrics["CloudWatchDestination"]["DimensionConfigurations"]:
        assert dimension["DefaultDimensionValue"].isalnum()


def test_the_ledger_expires_by_itself(template: Template) -> None:
    """The table is on demand, its key and time-to-live are those the ledger uses."""
    table = only(template, "AWS::DynamoDB::GlobalTable")
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}


def test_logs_are_kept_as_long_as_the_settings_say(maximal: Template) -> None:
    """Every function has a log group of its own with that retention."""
    groups = of_type(maximal, "AWS::Logs::LogGroup")
    functions = of_type(maximal, "AWS::Lambda::Function").values()
    named = [function["LoggingConfig"]["LogGroup"]["Ref"] for function in functions]
    assert len(set(named)) == len(named)
    assert {groups[name]["RetentionInDays"] for name in named} == {30}


@pytest.mark.threat
def test_several_deployments_share_no_name(template: Template, other: Template) -> None:
    """Every fixed name contains the deployment's name."""

    def names(template: Template) -> set[str]:
        keys = ("Name", "RuleSetName", "FunctionName", "QueueName", "TableName", "BucketName")
        found = set()
        for resource in template["Resources"].values():
            for key, value in resource.get("Properties", {}).items():
                if key in keys and isinstance(value, str):
                    found.add(value)
        return found

    first, second = names(template), names(other)
    assert first
    assert first & second == {"default-rule-set"}
