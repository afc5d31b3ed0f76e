"""The parts of a deployment that settings add or leave out, and the parts that must fit to them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.infra.conftest import FLAGS, MINIMAL
from tests.infra.monitoring_parts import Template, of_type

Synth = Callable[..., Template]

STREAM = "AWS::KinesisFirehose::DeliveryStream"
ASKED: dict[str, tuple[str, ...]] = {
    "archive": (STREAM, "AWS::Logs::SubscriptionFilter"),
    "analysis": ("AWS::Glue::Database", "AWS::Glue::Table", "AWS::Athena::WorkGroup"),
    "dashboard": ("AWS::CloudWatch::Dashboard",),
}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def kinds(template: Template) -> set[str]:
    return {resource["Type"] for resource in template["Resources"].values()}


@pytest.mark.parametrize("part", ASKED)
def test_a_part_can_be_left_out(synth: Synth, template: Template, part: str) -> None:
    """Accounts that forbid or don't want it deploy the rest; without archive no tables either."""
    assert set(ASKED[part]) <= kinds(template)
    without = synth(**{part: False})
    assert not set(ASKED[part]) & kinds(without)
    assert ("ArchiveBucket" in without["Outputs"]) == (part != "archive")
    assert ("AWS::Glue::Database" in kinds(without)) == (part == "dashboard")


def test_without_an_archive_ses_publishes_to_no_stream(synth: Synth) -> None:
    """CloudWatch counts, and the feedback function is told; a stream does not exist."""
    found = of_type(synth(archive=False), "AWS::SES::ConfigurationSetEventDestination")
    kinds = {key for each in found for key in each["EventDestination"] if "Destination" in key}
    assert kinds == {"CloudWatchDestination", "EventBridgeDestination"}


def test_the_stream_is_ses_last_destination(template: Template) -> None:
    """SES tries the role at once, so the role and its policy, and a step after it, exist."""
    resources = template["Resources"]
    stream = next(
        name
        for name, resource in resources.items()
        if resource["Type"] == "AWS::SES::ConfigurationSetEventDestination"
        and "KinesisFirehoseDestination" in resource["Properties"]["EventDestination"]
    )
    between = {resources[name]["Type"] for name in resources[stream]["DependsOn"]}
    assert between == {"AWS::Logs::SubscriptionFilter"}
    target = resources[stream]["Properties"]["EventDestination"]["KinesisFirehoseDestination"]
    role = resources[target["IAMRoleARN"]["Fn::GetAtt"][0]]["Properties"]
    (policy,) = role["Policies"]  # inline: the role exists with it
    assert policy["PolicyDocument"]["Statement"][0]["Resource"] == target["DeliveryStreamARN"]


def test_the_set_leaves_suppression_to_the_account(maximal: Template) -> None:
    """As the default of an identity it would change the suppression of other mail."""
    (options,) = of_type(maximal, "AWS::SES::ConfigurationSet")
    assert "SuppressionOptions" not in options


def test_events_that_fail_are_kept_where_ses_does_not_wait(
    template: Template, other: Template
) -> None:
    """The intake may write to a standard queue of its own; Lambda takes no FIFO queue."""
    assert not of_type(template, "AWS::Lambda::EventInvokeConfig")
    (config,) = of_type(other, "AWS::Lambda::EventInvokeConfig")
    queue = config["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0]
    properties = other["Resources"][queue]["Properties"]
    assert "FifoQueue" not in properties
    assert properties["SqsManagedSseEnabled"]
    assert properties["MessageRetentionPeriod"] == 14 * 24 * 3600
    intake = other["Resources"][config["FunctionName"]["Ref"]]["Properties"]
    assert intake["Handler"] == "bouncer.intake.handler"
    allowed = [
        statement["Action"]
        for policy in of_type(other, "AWS::IAM::Policy")
        if {"Ref": intake["Role"]["Fn::GetAtt"][0]} in policy["Roles"]
        for statement in policy["PolicyDocument"]["Statement"]
        if {"Fn::GetAtt": [queue, "Arn"]} in listed(statement["Resource"])
    ]
    assert ["sqs:SendMessage" in actions for actions in allowed] == [True]
    assert other["Outputs"]["FailedEventsUrl"]["Value"] == {"Ref": queue}


def test_a_sender_of_another_account_is_in_the_workers_policy(other: Template) -> None:
    """Its identity's ARN, and no identity of ours that would have its name."""
    (statement,) = [
        statement
        for policy in of_type(other, "AWS::IAM::Policy")
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == "ses:SendBounce"
    ]
    arn = "arn:aws:ses:eu-west-1:111122223333:identity/brand.example"
    assert arn in statement["Resource"]
    assert json.dumps(statement["Resource"]).count("brand.example") == 1
    senders = statement["Condition"]["StringEqualsIgnoreCase"]["ses:FromAddress"]
    assert senders == ["mailer-daemon@example.com", "bounces@brand.example"]


def test_no_log_group_outlives_the_stack(maximal: Template, other: Template) -> None:
    """All log groups are the stack's, and no role may create another one."""
    for template in (maximal, other):
        assert "logs:CreateLogGroup" not in json.dumps(template)
        groups = [r for r in template["Resources"].values() if r["Type"] == "AWS::Logs::LogGroup"]
        assert {group["DeletionPolicy"] for group in groups} == {"Delete"}


def test_the_qualifier_of_the_page_is_the_stacks(
    synth: Synth,  # noqa: ARG001  # it set up Node
) -> None:
    """The line of the page, in cdk.json beside `bouncer`, names the bootstrap stack's resources."""
    import aws_cdk as cdk  # noqa: PLC0415
    from aws_cdk import aws_lambda as lambda_  # noqa: PLC0415

    from bouncer_infra.deployment_settings_reader import read_settings  # noqa: PLC0415
    from bouncer_infra.stack import AutoBouncerStack  # noqa: PLC0415
    from tests.infra.test_deploy_docs import DEPLOY  # noqa: PLC0415

    section = DEPLOY.partition("\n## What an organization asks for\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith('    "@aws-cdk')]
    context = json.loads("{" + "".join(lines) + "}")
    stack = AutoBouncerStack(
        cdk.App(context={**FLAGS, **context}),
        "Test",
        settings=read_settings(MINIMAL),
        code=lambda_.InlineCode("handler = None"),
    )
    assert stack.synthesizer.bootstrap_qualifier == "mail"
