"""Options that an organization asks of every stack: its key, boundary, tags, topic and place."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.session import get_session
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]

from bouncer.errors import BouncerError
from bouncer_infra.service_arn import partition_of
from tests.infra.conftest import FLAGS, MAXIMAL, MINIMAL
from tests.infra.monitoring_parts import Template, alarms, of_type

KEY = MAXIMAL["kms_key"]
FORMER = MAXIMAL["former_kms_keys"]
CALLS = {"kms:Decrypt", "kms:GenerateDataKey"}

# Properties that could name a key, and need none.
NOT_ENCRYPTED = {
    "AWS::Lambda::EventSourceMapping": "the mappings have no filter criteria",
    "AWS::Scheduler::Schedule": "its input, all that a key would encrypt, is the time of a run",
    "AWS::SES::ReceiptRule": "the bucket encrypts; the intake could not read what SES does",
}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def takes_a_key(kind: str) -> bool:
    """CloudFormation's schema of the type has a property for a key of KMS."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("eu-west-1", kind).schema
    parts = [schema.get("properties", {})]
    parts += [part.get("properties", {}) for part in schema.get("definitions", {}).values()]
    return any("kms" in name.lower() for part in parts for name in part)


def test_whatever_can_have_the_key_has_it(maximal: Template, template: Template) -> None:
    """Every resource whose type takes a key of KMS names ours; without the setting, none does."""
    kinds = {each["Type"] for each in maximal["Resources"].values()}
    own = {kind for kind in kinds if kind.startswith("AWS::")}
    keyed = {kind for kind in own if takes_a_key(kind)} - NOT_ENCRYPTED.keys()
    assert {"AWS::SQS::Queue", "AWS::S3::Bucket", "AWS::Logs::LogGroup"} < keyed
    for name, each in maximal["Resources"].items():
        if each["Type"] in keyed:
            assert KEY in json.dumps(each["Properties"]), name
    assert "kms" not in json.dumps(template["Resources"]).lower()


def roles_and_statements(template: Template) -> dict[str, list[dict[str, Any]]]:
    """The statements of all policies, by the role that they belong to."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, each in template["Resources"].items():
        if each["Type"] == "AWS::IAM::Role":
            policies = each["Properties"].get("Policies", [])
            for policy in policies:
                found.setdefault(name, []).extend(policy["PolicyDocument"]["Statement"])
        if each["Type"] == "AWS::IAM::Policy":
            for role in each["Properties"]["Roles"]:
                statements = each["Properties"]["PolicyDocument"]["Statement"]
                found.setdefault(role["Ref"], []).extend(statements)
    return found


def test_a_role_may_use_the_key_through_what_it_calls_alone(maximal: Template) -> None:
    """Two calls, one key, and each through a service of which the role may do something else."""
    users = 0
    for name, statements in roles_and_statements(maximal).items():
        actions = {action for each in statements for action in listed(each["Action"])}
        uses = [each for each in statements if "kms:" in json.dumps(each["Action"])]
        for each in uses:
            assert set(listed(each["Action"])) <= CALLS
            keys = [KEY, *FORMER] if listed(each["Action"]) == ["kms:Decrypt"] else [KEY]
            assert listed(each["Resource"]) == keys
            (through,) = each["Condition"]["StringLike"].values()
            services = {json.dumps(service).split(".")[0].split('"')[-1] for service in through}
            assert services <= {action.partition(":")[0] for action in actions} | {"lambda"}, name
        writes = any(action.startswith(("sqs:SendM", "s3:PutObject")) for action in actions)
        asked = {action for each in uses for action in listed(each["Action"])}
        assert ("kms:GenerateDataKey" in asked) == writes, name
        users += bool(uses)
    assert users >= len(of_type(maximal, "AWS::Lambda::Function"))


@pytest.mark.parametrize("key", [None, f"{KEY[:-1]}0"])
def test_what_a_former_key_encrypts_can_be_read(synth: Callable[..., Any], key: str | None) -> None:
    """With another key, or none, each role may decrypt all that it might decrypt before.

    Without that, whatever is in force, stored or waiting would be lost with the deployment.
    """
    before = synth(kms_key=KEY)
    after = synth(kms_key=key, former_kms_keys=[KEY])
    assert decrypts(after, KEY) == decrypts(before, KEY)
    assert len(decrypts(after, KEY)) >= len(of_type(after, "AWS::Lambda::Function"))
    (queue, *_) = of_type(after, "AWS::SQS::Queue")
    assert queue.get("KmsMasterKeyId") == key
    encrypting = [
        each
        for statements in roles_and_statements(after).values()
        for each in statements
        if "kms:GenerateDataKey" in listed(each["Action"])
    ]
    assert {each["Resource"] for each in encrypting} == ({key} if key else set())


def decrypts(template: Template, key: str) -> dict[str, list[Any]]:
    """The services through which each role may decrypt with a key."""
    return {
        name: [each["Condition"]]
        for name, statements in roles_and_statements(template).items()
        for each in statements
        if "kms:Decrypt" in listed(each["Action"]) and key in listed(each["Resource"])
    }


def test_every_role_has_the_boundary(maximal: Template, template: Template) -> None:
    """Those of CDK's own making, and of custom resources, as well."""
    roles = of_type(maximal, "AWS::IAM::Role")
    assert {role["PermissionsBoundary"] for role in roles} == {MAXIMAL["permissions_boundary"]}
    assert not any("PermissionsBoundary" in role for role in of_type(template, "AWS::IAM::Role"))


def test_whatever_can_have_tags_has_them(maximal: Template) -> None:
    """All of them, with their values; a table has them in its replica."""
    wanted = [{"Key": key, "Value": value} for key, value in sorted(MAXIMAL["tags"].items())]
    for kind in ("IAM::Role", "SQS::Queue", "S3::Bucket", "Lambda::Function", "SNS::Topic"):
        for each in of_type(maximal, f"AWS::{kind}"):
            assert each["Tags"] == wanted
    for kind in ("Logs::LogGroup", "CloudWatch::Alarm", "KinesisFirehose::DeliveryStream"):
        for each in of_type(maximal, f"AWS::{kind}"):
            assert each["Tags"] == wanted
    (table,) = of_type(maximal, "AWS::DynamoDB::GlobalTable")
    assert table["Replicas"][0]["Tags"] == wanted


def test_an_existing_topic_makes_none(other: Template) -> None:
    """Every alarm notifies it, and no topic of ours exists beside it."""
    assert not of_type(other, "AWS::SNS::Topic")
    for alarm in alarms(other).values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [MAXIMAL["alarm_topic"]]


def test_only_the_intake_reserves_executions(maximal: Template, template: Template) -> None:
    """Reserved for others they would be missing where mail waits for an answer."""
    key = "ReservedConcurrentExecutions"
    functions = of_type(maximal, "AWS::Lambda::Function")
    reserved = {each["Handler"]: each[key] for each in functions if key in each}
    assert reserved == {"bouncer.intake.handler": 100}
    assert not any(key in each for each in of_type(template, "AWS::Lambda::Function"))


def test_the_partition_of_a_region_is_the_sdks() -> None:
    """So an ARN of another partition is refused, and one of the region's own is not."""
    session = get_session()
    partitions = session.get_available_partitions()
    assert {"aws", "aws-cn", "aws-us-gov"} <= set(partitions)
    for partition in partitions:
        for region in session.get_available_regions("sqs", partition):
            assert partition_of(region) == partition


DEPLOYMENTS = {
    "rule_set": "inbound",
    "archive": False,
    "dashboard": False,
    "settings": {"rate": 0.5},
    "tags": {"team": "mail"},
    "deployments": {
        "prod": {
            "recipients": ["example.com"],
            "bounce_sender": "mailer-daemon@example.com",
            "after": "ses-auto-bouncer-test",
            "termination_protection": True,
            "account": "111122223333",
            "region": "eu-west-1",
        },
        "test": {
            "recipients": ["test.example.com"],
            "bounce_sender": "mailer-daemon@test.example.com",
            "create_rule_set": True,
        },
    },
}


def stacks(context: dict[str, Any], **more: str) -> dict[str, Any]:
    """The stacks of an app with this block in its cdk.json, by their names."""
    import aws_cdk as cdk  # noqa: PLC0415  # `synth` has set up Node

    from bouncer_infra.stack import auto_bouncers  # noqa: PLC0415

    app = cdk.App(context={**FLAGS, "aws:cdk:bundling-stacks": [], "bouncer": context, **more})
    auto_bouncers(app)
    return {each.node.id: each for each in app.node.children}


def test_each_deployment_is_a_stack(synth: Callable[..., Any]) -> None:  # noqa: ARG001  # it set up Node
    """By its name, in its account and region, with the stack's own options, in the right order."""
    made = stacks(DEPLOYMENTS)
    assert made.keys() == {"ses-auto-bouncer-prod", "ses-auto-bouncer-test"}
    prod, test = made["ses-auto-bouncer-prod"], made["ses-auto-bouncer-test"]
    assert prod.environment == "aws://111122223333/eu-west-1"
    assert test.environment == "aws://unknown-account/unknown-region"
    assert (prod.termination_protection, test.termination_protection) == (True, False)
    assert prod.tags.tag_values() == test.tags.tag_values() == {"team": "mail"}
    # One names the other's rule set, and its rule.
    assert [each.node.id for each in prod.dependencies] == ["ses-auto-bouncer-test"]
    assert test.dependencies == []


def test_one_deployment_can_be_picked(synth: Callable[..., Any]) -> None:  # noqa: ARG001  # it set up Node
    """`-c deployment=NAME` synthesises that one alone; another name is refused."""
    assert [*stacks(DEPLOYMENTS, deployment="test")] == ["ses-auto-bouncer-test"]
    for context, names in ((DEPLOYMENTS, "prod or test"), (MINIMAL, "main")):
        with pytest.raises(BouncerError, match=f'deployment: found "x", expected {names}, as in'):
            stacks(context, deployment="x")
