"""The bucket of mail: what is stored in it and for how long, and what the intake may do there."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.infra.conftest import MINIMAL
from tests.infra.test_template import actions, function, of_type, only, statements

Template = dict[str, Any]
Synth = Callable[..., Template]


def granted(template: Template, bucket: str) -> Iterator[tuple[str, str]]:
    """Rights of the intake in a bucket: an action, and the keys for which it has it."""
    for statement in statements(template, "bouncer.intake.handler"):
        resources = statement["Resource"]
        for resource in resources if isinstance(resources, list) else [resources]:
            if f'"{bucket}"' in json.dumps(resource):
                yield statement["Action"], str(resource["Fn::Join"][1][-1])


def made(template: Template) -> dict[str, Any]:
    ((_, bucket),) = [
        item for item in of_type(template, "AWS::S3::Bucket").items() if item[0].startswith("Mail")
    ]
    return bucket


@pytest.mark.threat
def test_every_mail_is_stored_for_a_day_and_a_stopped_one_for_a_fortnight(
    template: Template, other: Template
) -> None:
    """Mail below an earlier prefix expires as well: where several rules apply, the shortest."""
    for each, prefix, days in ((template, "mail/", 1), (other, "in/", 7)):
        first = only(each, "AWS::SES::ReceiptRule")["Rule"]["Actions"][0]
        assert first["S3Action"]["ObjectKeyPrefix"] == prefix
        rules = made(each)["LifecycleConfiguration"]["Rules"]
        assert {rule.get("Prefix", ""): rule["ExpirationInDays"] for rule in rules} == {
            "": 14,
            prefix: days,
            "stopped/": 14,
        }
        assert {rule["Status"] for rule in rules} == {"Enabled"}


def test_the_days_of_stopped_mail_can_be_set(synth: Synth) -> None:
    """And `store: false` makes neither bucket nor permission."""
    rules = made(synth(stopped_days=30))["LifecycleConfiguration"]["Rules"]
    assert [rule["ExpirationInDays"] for rule in rules] == [30, 1, 30]
    without = synth(store=False)
    assert not [name for name in of_type(without, "AWS::S3::Bucket") if name.startswith("Mail")]
    (action,) = only(without, "AWS::SES::ReceiptRule")["Rule"]["Actions"]
    assert "LambdaAction" in action
    assert "s3:PutObject" not in actions(without, "bouncer.intake.handler")
    _, properties = function(without, "bouncer.intake.handler")
    assert not [key for key in properties["Environment"]["Variables"] if "MAIL" in key]
    assert "MailBucket" not in without["Outputs"]


@pytest.mark.threat
def test_the_intake_reads_stored_mail_and_writes_stopped_mail_alone(
    template: Template, other: Template
) -> None:
    """It can't read or delete what is kept; where SES does not wait for it, it keeps nothing."""
    for each, prefix, keeps in ((template, "mail/", True), (other, "in/", False)):
        ((bucket, _),) = [
            item for item in of_type(each, "AWS::S3::Bucket").items() if item[0].startswith("Mail")
        ]
        expected = {("s3:GetObject", f"/{prefix}*")}
        assert set(granted(each, bucket)) == expected | (
            {("s3:PutObject", "/stopped/*")} if keeps else set()
        )
        _, properties = function(each, "bouncer.intake.handler")
        variables = properties["Environment"]["Variables"]
        assert variables["BOUNCER_MAIL_PREFIX"] == prefix
        assert ("BOUNCER_KEEPS_STOPPED" in variables) is keeps


def test_without_stored_mail_synth_says_what_is_lost(synth: Synth) -> None:  # noqa: ARG001  # it set up Node
    """It does not warn, as somebody chose it."""
    import aws_cdk as cdk  # noqa: PLC0415  # Node first
    from aws_cdk import assertions  # noqa: PLC0415

    from bouncer_infra.deployment_settings_reader import read_settings  # noqa: PLC0415
    from bouncer_infra.stored_mail import mail_bucket  # noqa: PLC0415

    stack = cdk.Stack()
    assert mail_bucket(stack, "Mail", settings=read_settings({**MINIMAL, "store": False})) is None
    annotations = assertions.Annotations.from_stack(stack)
    (info,) = annotations.find_info("*", assertions.Match.any_value())
    assert "mail that is stopped can't be brought back" in str(info.entry.data)
    assert annotations.find_warning("*", assertions.Match.any_value()) == []


def test_aws_solutions_find_nothing(findings: Callable[..., list[str]]) -> None:
    """An intake for which SES waits has one permission more than in the other templates."""
    assert findings({}) == []
