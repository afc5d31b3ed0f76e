"""Policies a deployment keeps: AWS's by two validators, and our own.

Every check is run over the smallest settings and over settings that make everything, and each is
shown a template it must refuse.
"""

import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from cloudformation_validate import RegoEngine  # type: ignore[import-untyped]
from syrupy.assertion import SnapshotAssertion

Template = dict[str, Any]
Policy = Callable[[Template], Iterator[str]]

# Of both validators, for CDK's own doing.
TOLERATED = {
    "W3005": "CDK writes dependencies out that CloudFormation would see by itself",
    "W7001": "CDK adds Firehose's network ranges, which only other destinations use",
}
# Of cloudformation-validate alone.
TOLERATED_BY_ENGINE = {
    **TOLERATED,
    "W9013": "an operator names key, topic and boundary by their ARNs",
    "W9002": "the permission must exist before the rule it names, so its ARN is made of names",
}
# Actions that may be allowed on every resource.
EVERYWHERE = {
    frozenset({"ses:DescribeActiveReceiptRuleSet", "ses:SetActiveReceiptRuleSet"}): (
        "the active rule set is the region's; SES has no resource for it"
    ),
    frozenset({"cloudwatch:GetMetricStatistics", "logs:GetQueryResults", "logs:StopQuery"}): (
        "IAM has no resource for a metric, nor for a query by its id"
    ),
    frozenset({"ses:GetAccount"}): "the quota is the account's; SES has no resource for it",
}
CONTEXTS = ["minimal", "maximal"]


@pytest.fixture(params=CONTEXTS)
def deployed(request: pytest.FixtureRequest) -> Template:
    """One template after the other."""
    name = "template" if request.param == "minimal" else "maximal"
    return dict(request.getfixturevalue(name))


def of_type(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    return {
        name: resource.get("Properties", {})
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def refuses_plain(statements: list[dict[str, Any]], target: object) -> bool:
    """Everyone is denied everything on `target` without TLS."""
    return any(
        statement["Effect"] == "Deny"
        and statement["Principal"] in ("*", {"AWS": "*"})
        and statement["Action"] in ("s3:*", "sqs:*")
        and target in listed(statement["Resource"])
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        for statement in statements
    )


def without_tls(template: Template) -> Iterator[str]:
    """Buckets and queues that can be reached without TLS."""
    for kind, policy, key in (
        ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "Bucket"),
        ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues"),
    ):
        for name in of_type(template, kind):
            found = [
                statement
                for properties in of_type(template, policy).values()
                if {"Ref": name} in listed(properties[key])
                for statement in properties["PolicyDocument"]["Statement"]
            ]
            if not refuses_plain(found, {"Fn::GetAtt": [name, "Arn"]}):
                yield name


def unencrypted_queues(template: Template) -> Iterator[str]:
    """Queues that are not encrypted at rest."""
    for name, queue in of_type(template, "AWS::SQS::Queue").items():
        if queue.get("SqsManagedSseEnabled") is not True and not queue.get("KmsMasterKeyId"):
            yield name


def on_everything(template: Template) -> Iterator[str]:
    """Roles that may do something to every resource, but for what has a reason."""
    for kind in ("AWS::IAM::Policy", "AWS::IAM::Role"):
        for name, properties in of_type(template, kind).items():
            inline = [entry["PolicyDocument"] for entry in properties.get("Policies", ())]
            for document in [*inline, properties.get("PolicyDocument", {"Statement": []})]:
                for statement in document["Statement"]:
                    actions = frozenset(listed(statement["Action"]))
                    if "*" in listed(statement["Resource"]) and actions not in EVERYWHERE:
                        yield name


def endless_logs(template: Template) -> Iterator[str]:
    """Log groups that never expire, and functions for which Lambda would make such a group."""
    for name, group in of_type(template, "AWS::Logs::LogGroup").items():
        if not group.get("RetentionInDays"):
            yield name
    for name, function in of_type(template, "AWS::Lambda::Function").items():
        if "LogGroup" not in function.get("LoggingConfig", {}):
            yield name


def open_to_ses(template: Template) -> Iterator[str]:
    """Permissions by which SES could call us for another account or another rule."""
    for name, permission in of_type(template, "AWS::Lambda::Permission").items():
        if permission["Principal"] == "ses.amazonaws.com" and not (
            permission.get("SourceAccount") == {"Ref": "AWS::AccountId"}
            and "receipt-rule-set/" in json.dumps(permission.get("SourceArn"))
            and "*" not in json.dumps(permission["SourceArn"])
        ):
            yield name


def other_runtimes(template: Template) -> Iterator[str]:
    """Functions of ours on another runtime than the bundle is made for."""
    for name, function in of_type(template, "AWS::Lambda::Function").items():
        if function["Handler"].startswith("bouncer.") and function["Runtime"] != "python3.13":
            yield name


def spoil(
    kind: str, change: Callable[[dict[str, Any]], object], **having: str
) -> Callable[[Template], str]:
    """Changes the first resource of a type that has these properties; returns its logical id."""

    def change_first(template: Template) -> str:
        found = of_type(template, kind).items()
        name, properties = next(each for each in found if having.items() <= each[1].items())
        change(properties)
        return name

    return change_first


def spoil_policy(kind: str, key: str) -> Callable[[Template], str]:
    """Turns the first policy's refusals into permissions; returns whose policy it is."""

    def change(template: Template) -> str:
        properties = next(iter(of_type(template, kind).values()))
        for statement in properties["PolicyDocument"]["Statement"]:
            statement["Effect"] = "Allow"
        return str(listed(properties[key])[0]["Ref"])

    return change


def allow_everywhere(properties: dict[str, Any]) -> None:
    properties["PolicyDocument"]["Statement"][0]["Resource"] = ["*"]


def log_everywhere(properties: dict[str, Any]) -> None:
    properties["Policies"] = [
        {"PolicyDocument": {"Statement": [{"Action": "logs:*", "Resource": "*"}]}}
    ]


POLICIES = [
    without_tls,
    unencrypted_queues,
    on_everything,
    endless_logs,
    open_to_ses,
    other_runtimes,
]
BY_SES = {"Principal": "ses.amazonaws.com"}
SPOILED = [
    (without_tls, spoil_policy("AWS::S3::BucketPolicy", "Bucket")),
    (without_tls, spoil_policy("AWS::SQS::QueuePolicy", "Queues")),
    (unencrypted_queues, spoil("AWS::SQS::Queue", lambda p: p.pop("SqsManagedSseEnabled"))),
    (on_everything, spoil("AWS::IAM::Policy", allow_everywhere)),
    (on_everything, spoil("AWS::IAM::Role", log_everywhere)),
    (endless_logs, spoil("AWS::Logs::LogGroup", lambda p: p.pop("RetentionInDays"))),
    (endless_logs, spoil("AWS::Lambda::Function", lambda p: p.pop("LoggingConfig"))),
    (open_to_ses, spoil("AWS::Lambda::Permission", lambda p: p.pop("SourceAccount"), **BY_SES)),
    (open_to_ses, spoil("AWS::Lambda::Permission", lambda p: p.pop("SourceArn"), **BY_SES)),
    (other_runtimes, spoil("AWS::Lambda::Function", lambda p: p.update(Runtime="python3.9"))),
]


@pytest.mark.parametrize("policy", POLICIES)
def test_our_policies_hold(policy: Policy, deployed: Template) -> None:
    """No resource breaks a policy of ours."""
    assert list(policy(deployed)) == []


@pytest.mark.parametrize(("policy", "change"), SPOILED)
def test_our_policies_can_fail(
    policy: Policy, change: Callable[[Template], str], template: Template
) -> None:
    """Each policy names the one resource that breaks it."""
    spoiled = deepcopy(template)
    name = change(spoiled)
    assert set(policy(spoiled)) == {name}


@pytest.fixture(scope="session")
def engine() -> RegoEngine:
    """CloudFormation's own rules; made once, as that takes most of the time."""
    return RegoEngine()


def complaints(engine: RegoEngine, template: Template) -> list[str]:
    """Warnings and errors of CloudFormation's rules."""
    report = engine.validate_template(json.dumps(template).encode())
    return [
        f"{found.rule_id} {found.message}"
        for found in report.diagnostics
        if found.severity.name not in ("INFO", "DEBUG") and found.rule_id not in TOLERATED_BY_ENGINE
    ]


def linted(template: Template) -> list[str]:
    """Everything cfn-lint has to say; imported late, as that takes a second in each process."""
    from cfnlint.api import lint  # type: ignore[import-untyped]  # noqa: PLC0415
    from cfnlint.config import ManualArgs  # type: ignore[import-untyped]  # noqa: PLC0415

    config = ManualArgs(regions=["eu-west-1"], ignore_checks=list(TOLERATED))
    return [
        f"{match.rule.id} {match.message}" for match in lint(json.dumps(template), config=config)
    ]


def test_templates_are_valid(engine: RegoEngine, deployed: Template) -> None:
    """CloudFormation's rules have neither errors nor warnings."""
    assert complaints(engine, deployed) == []


def test_templates_pass_the_linter(
    template: Template, maximal: Template, sending: Template
) -> None:
    """So has cfn-lint, asked once, as it takes seconds: the largest has all the smallest has."""
    assert template["Resources"].keys() <= maximal["Resources"].keys()
    resources = {**sending["Resources"], **maximal["Resources"]}
    assert linted({**maximal, "Resources": resources}) == []


def test_validators_can_fail(engine: RegoEngine, template: Template) -> None:
    """Both notice a TLS policy that SES does not have."""
    (properties,) = deepcopy(of_type(template, "AWS::SES::ReceiptRule")).values()
    properties["Rule"] |= {"TlsPolicy": "Sometimes", "Actions": []}
    rule = {"Type": "AWS::SES::ReceiptRule", "Properties": properties}
    spoiled = {"Resources": {"Rule": rule}}  # alone: linting the rest again takes seconds
    assert "Sometimes" in " ".join(complaints(engine, spoiled))
    assert "Sometimes" in " ".join(linted(spoiled))


# Tested with the metrics, or a hash of code: such a change does not change the stack.
MASKED = {"Code", "DashboardBody", "QueryString"}


def masked(value: Any) -> Any:
    """The value without code, asset hashes, and texts that are files or tests of their own."""
    if isinstance(value, dict):
        return {key: "…" if key in MASKED else masked(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [masked(entry) for entry in value]
    return re.sub(r"\b[0-9a-f]{64}\b", "…", value) if isinstance(value, str) else value


def test_the_smallest_deployment_is_as_it_was(
    template: Template, snapshot: SnapshotAssertion
) -> None:
    """A change of the stack is seen in review; `pytest --snapshot-update` accepts it."""
    assert masked(template) == snapshot
