"""`bouncer doctor` in an account that moto imitates."""

import json

import boto3
import pytest
from moto import mock_aws

from tests.functions.doctor.aws import (
    DEAD_ARN,
    HEALTHY,
    NAME,
    REGION,
    Session,
    found,
    moto,
    summaries,
)


def mocked_account() -> dict[str, list[str]]:
    """Make the resources of a deployment and return their names by type."""
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
    """Moto understands our calls; the services it lacks are answered by our fake."""
    given = ("sesv2", "cloudformation", "lambda.GetAccountSettings")
    answers = {key: HEALTHY[key] if key.startswith(given) else moto for key in HEALTHY}
    monkeypatch.setattr(Session, "made", {})
    with mock_aws():
        shown = {"StackResourceSummaries": summaries(mocked_account())}
        findings = found({**answers, "cloudformation.ListStackResources": shown})
    everything = [f"{line.level} {line.check}: {line.found}" for line in findings]
    for expected in (
        "ok active rule set: default-rule-set, as configured",
        "ok receipt rule: recipients are example.com, as configured",
        "problem receipt rule: calls no function, not our intake",
        "problem function: lost does not exist",
        "problem dead letters: 1 in dead.fifo",
        "ok queue: 0 jobs wait in jobs.fifo, 0:00:00 of sending",
        "ok ledger: ledger is ACTIVE",
        "ok ledger: old entries of ledger expire",
        f"ok configuration sets: 1 in this region: {NAME}",
        "ok alarm: 1 of 1 alarms are as they should be",
    ):
        assert expected in everything
    assert any("problem rules: /ses-auto-bouncer/main/rules/b:1" in line for line in everything)
    assert not [line for line in everything if "could not be checked" in line]
