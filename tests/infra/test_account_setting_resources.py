"""The account settings that a stack may hold: only those asked for, in order, with few rights."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from bouncer.aws.exclusive_setting import read_desired_setting
from bouncer.errors import DocumentError
from bouncer_infra.deployment_settings_reader import read_settings

Template = dict[str, Any]
Synth = Callable[..., Template]

RULES, SET = "Custom::ActiveRuleSet", "Custom::DefaultConfigurationSet"
MADE_HERE = {"create_rule_set": True, "rule_set": "ours", "create_identity": True}
MINIMAL = {"recipients": ["example.com"], "bounce_sender": "mailer-daemon@mx.example.com"}


def of_type(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    """All resources of a type, by logical id."""
    return {name: r for name, r in template["Resources"].items() if r["Type"] == kind}


def one(template: Template, kind: str) -> dict[str, Any]:
    (resource,) = of_type(template, kind).values()
    return resource


def handler(template: Template) -> dict[str, Any]:
    (found,) = [
        r
        for r in of_type(template, "AWS::Lambda::Function").values()
        if r["Properties"]["Handler"] == "bouncer.account_settings.handler"
    ]
    return found


def policies(template: Template) -> dict[str, dict[str, Any]]:
    """The policies of the handler's role."""
    role = handler(template)["Properties"]["Role"]["Fn::GetAtt"][0]
    return {
        name: policy
        for name, policy in of_type(template, "AWS::IAM::Policy").items()
        if {"Ref": role} in policy["Properties"]["Roles"]
    }


def statements(template: Template) -> list[dict[str, Any]]:
    return [
        statement
        for policy in policies(template).values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]


def needs(template: Template, name: str) -> set[str]:
    """Every resource that exists before one and goes after it, at any remove."""
    found: set[str] = set()
    pending = [name]
    while pending:
        resource = template["Resources"][pending.pop()]
        text = json.dumps(resource)
        named = set(resource.get("DependsOn", ()))
        named |= {n for n in template["Resources"] if f'{{"Ref": "{n}"}}' in text}
        named |= {n for n in template["Resources"] if f'{{"Fn::GetAtt": ["{n}"' in text}
        pending += named - found
        found |= named
    return found


def test_no_rule_set_is_activated_unasked(template: Template, synth: Synth) -> None:
    """Neither an existing rule set, nor one created here without activate_rule_set."""
    for found in (template, synth(**MADE_HERE)):
        assert not of_type(found, RULES)
        assert "ReceiptRuleSet" not in json.dumps(statements(found))


def test_an_identity_made_here_outlives_the_stack(synth: Synth) -> None:
    """It is created with our set, and removed only with a first deployment that fails."""
    template = synth(**MADE_HERE)
    identity = one(template, "AWS::SES::EmailIdentity")
    assert identity["DeletionPolicy"] == "RetainExceptOnCreate"
    assert identity["UpdateReplacePolicy"] == "Retain"
    (name,) = of_type(template, "AWS::SES::ConfigurationSet")
    made_with = identity["Properties"]["ConfigurationSetAttributes"]
    assert made_with == {"ConfigurationSetName": {"Ref": name}}


def test_an_identity_made_here_is_left_without_our_set(synth: Synth) -> None:
    """The custom resource comes after both, so it takes the set off before that is deleted."""
    template = synth(**MADE_HERE)
    (switch,) = of_type(template, SET)
    before = needs(template, switch)
    for kind in ("AWS::SES::EmailIdentity", "AWS::SES::ConfigurationSet"):
        assert set(of_type(template, kind)) <= before
    told = one(template, SET)["Properties"]
    identity = one(template, "AWS::SES::EmailIdentity")["Properties"]
    assert told["EmailIdentity"] == identity["EmailIdentity"]
    assert {"ConfigurationSetName": told["ConfigurationSetName"]} == (
        identity["ConfigurationSetAttributes"]
    )


def test_a_declined_default_set_is_not_switched(synth: Synth) -> None:
    """The identity is left alone; no function that could change SES is deployed at all."""
    template = synth(attach_configuration_set=False)
    assert not of_type(template, SET)
    assert "bouncer.account_settings.handler" not in json.dumps(template)
    assert of_type(template, "AWS::SES::ConfigurationSet")


def test_activation_needs_no_identity(synth: Synth) -> None:
    """With the default set declined, only the rule set is held."""
    own = {"create_rule_set": True, "rule_set": "ours", "activate_rule_set": True}
    template = synth(**own, attach_configuration_set=False)
    assert of_type(template, RULES)
    assert not of_type(template, SET)
    assert "EmailIdentity" not in json.dumps(statements(template))


def test_a_rule_set_is_active_only_while_its_rule_exists(maximal: Template) -> None:
    """Activated after the rule set, its rule and SES's permission; deactivated before they go."""
    (name,) = of_type(maximal, RULES)
    before = needs(maximal, name)
    for kind in ("AWS::SES::ReceiptRuleSet", "AWS::SES::ReceiptRule"):
        assert set(of_type(maximal, kind)) <= before


def test_a_configuration_set_outlives_its_attachment(maximal: Template) -> None:
    """Attached when its destinations exist; detached before any of them goes."""
    (name,) = of_type(maximal, SET)
    before = needs(maximal, name)
    for kind in ("AWS::SES::ConfigurationSet", "AWS::SES::ConfigurationSetEventDestination"):
        assert set(of_type(maximal, kind)) <= before


@pytest.mark.parametrize("kind", [RULES, SET])
def test_a_switch_outlives_no_permission_it_needs(maximal: Template, kind: str) -> None:
    """The function and its policies still exist when the setting is given up."""
    (name,) = of_type(maximal, kind)
    before = needs(maximal, name)
    action = "ActiveReceiptRuleSet" if kind == RULES else "EmailIdentity"
    named = {n for n, policy in policies(maximal).items() if action in json.dumps(policy)}
    assert named
    assert named <= before
    assert {n for n, r in maximal["Resources"].items() if r is handler(maximal)} <= before


@pytest.mark.parametrize("kind", [RULES, SET])
def test_the_function_understands_its_properties(maximal: Template, kind: str) -> None:
    """The function reads the properties that the template has."""
    properties = one(maximal, kind)["Properties"]
    told = {key: str(value) for key, value in properties.items()}
    assert f"Custom::{read_desired_setting(told).kind}" == kind


def test_only_the_active_rule_set_takes_a_wildcard(maximal: Template) -> None:
    """SES has no resource for the active rule set; every other statement names its resources."""
    wild = [s for s in statements(maximal) if s["Resource"] == "*"]
    assert [s["Action"] for s in wild] == [
        ["ses:DescribeActiveReceiptRuleSet", "ses:SetActiveReceiptRuleSet"]
    ]
    assert "*" not in json.dumps([s["Resource"] for s in statements(maximal) if s not in wild])


def test_only_the_named_identity_may_be_changed(other: Template) -> None:
    """And only to the one configuration set."""
    found = statements(other)
    (read,) = [s for s in found if s["Action"] == "ses:GetEmailIdentity"]
    (write,) = [s for s in found if s != read]
    assert write["Action"] == "ses:PutEmailIdentityConfigurationSetAttributes"
    identity, attached = sorted(write["Resource"], key=json.dumps, reverse=True)
    for arn in (read["Resource"], identity):
        assert "identity/mailer-daemon@example.com" in json.dumps(arn)
    (name,) = of_type(other, "AWS::SES::ConfigurationSet")
    assert f':configuration-set/", {{"Ref": "{name}"}}' in json.dumps(attached)


def test_the_policy_of_a_former_identity_goes_last(template: Template, other: Template) -> None:
    """It is another resource, removed after the move, so the old identity can be given up."""
    assert set(of_type(template, SET)) == set(of_type(other, SET))
    assert not set(policies(template)) & set(policies(other))


def test_the_identity_is_the_senders_domain_unless_named() -> None:
    """Any identity by which SES verifies the sender can be named."""
    assert read_settings(MINIMAL).identity == "mx.example.com"
    for identity in ("example.com", "mx.example.com", "mailer-daemon@mx.example.com"):
        assert read_settings({**MINIMAL, "identity": identity}).identity == identity


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"identity": "exa mple"}, 'found "exa mple", expected an identity that SES has verified'),
        ({"identity": ""}, "expected an identity that SES has verified"),
        ({"identity": 3}, "found 3, expected an identity that SES has verified"),
        ({"identity": "x.example"}, 'found "x.example", expected the bounce sender\'s address'),
        ({"identity": "a@mx.example.com"}, "expected the bounce sender's address"),
        ({"identity": "ample.com"}, "expected the bounce sender's address"),
        (
            {"identity": "example.com", "create_identity": True},
            'expected no "identity" beside create',
        ),
    ],
)
def test_an_identity_that_cannot_be_is_refused(change: dict[str, Any], says: str) -> None:
    """In one sentence, before anything is deployed."""
    with pytest.raises(DocumentError) as caught:
        read_settings({**MINIMAL, **change})
    (problem,) = caught.value.problems
    assert problem.place == "context.bouncer.identity"
    assert says in str(problem)
