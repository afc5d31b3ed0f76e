"""Destinations and further configuration sets in the template: each its own, none in the way."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bouncer.errors import DocumentError
from tests.infra.conftest import FLAGS, MINIMAL, Findings
from tests.infra.sending_settings import (
    ARCHIVED,
    NEWS,
    OWN,
    PLAIN,
    ROLE,
    SENDING,
    STREAM,
    TOPIC,
    counts,
    notices,
    stream,
)
from tests.infra.test_account_setting_resources import SET, needs, of_type, statements

Template = dict[str, Any]
Synth = Callable[..., Template]

DESTINATION = "AWS::SES::ConfigurationSetEventDestination"
WRITER = "SendingConfigurationSetEventsFirehoseDeliveryStreamIamRoleBEA88044"
# The topic's is disabled and has other events, the own stream's is gone, and a set as well.
CHANGED = {
    "destinations": [counts(), ARCHIVED, notices(enabled=False, events=["bounce"]), OWN[-1]],
    "configuration_sets": [{**NEWS, "sending": True, "identity": "plain.example"}],
}


def named(template: Template, name: str, of: str = "ses-auto-bouncer-main") -> dict[str, Any]:
    """The properties of the one destination of that name in a configuration set."""
    sets = {
        set_["Properties"]["Name"]: logical
        for logical, set_ in of_type(template, "AWS::SES::ConfigurationSet").items()
    }
    (found,) = [
        each["Properties"]["EventDestination"]
        for each in of_type(template, DESTINATION).values()
        if each["Properties"]["EventDestination"].get("Name") == name
        and each["Properties"]["ConfigurationSetName"] == {"Ref": sets[of]}
    ]
    return dict(found)


def test_each_kind_has_its_target(sending: Template) -> None:
    """As cdk.json names it, by the name that it has there."""
    (dimension,) = named(sending, "tags")["CloudWatchDestination"]["DimensionConfigurations"]
    assert dimension == {
        "DimensionName": "campaign",
        "DimensionValueSource": "messageTag",
        "DefaultDimensionValue": "none",
    }
    assert named(sending, "own")["KinesisFirehoseDestination"] == {
        "DeliveryStreamARN": STREAM,
        "IAMRoleARN": ROLE,
    }
    assert named(sending, "ops")["SnsDestination"] == {"TopicARN": TOPIC}
    to_bus = named(sending, "Default")
    assert to_bus["MatchingEventTypes"] == ["deliveryDelay"]
    assert json.dumps(to_bus["EventBridgeDestination"]).count(":event-bus/default") == 1
    assert named(sending, "Metrics", "news")["EventBridgeDestination"]


def test_all_sets_write_into_the_archive_as_one_role(sending: Template) -> None:
    """Later sets need no new role: it may write to our stream, for each set of this account."""
    targets = [
        named(sending, "copies", of)["KinesisFirehoseDestination"]
        for of in ("ses-auto-bouncer-main", "news")
    ]
    assert targets[0] == targets[1]
    role = sending["Resources"][WRITER]["Properties"]
    assert targets[0]["IAMRoleARN"] == {"Fn::GetAtt": [WRITER, "Arn"]}
    ((statement,),) = [each["PolicyDocument"]["Statement"] for each in role["Policies"]]
    assert statement["Action"] == "firehose:PutRecordBatch"
    assert statement["Resource"] == targets[0]["DeliveryStreamARN"]
    (trusted,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trusted["Principal"] == {"Service": "ses.amazonaws.com"}
    assert trusted["Condition"]["StringEquals"] == {"AWS:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert '":configuration-set/*"' in json.dumps(trusted["Condition"]["ArnLike"])


def test_the_role_keeps_the_id_that_it_had(template: Template) -> None:
    """An upgrade changes it in place: a new role would be tried before IAM knows it."""
    release = Path(__file__).parents[1] / "upgrade" / "0.1.0" / "template.json"
    deployed = json.loads(release.read_text(encoding="utf-8"))
    for each in (deployed, template):
        assert each["Resources"][WRITER]["Type"] == "AWS::IAM::Role"


def test_what_writes_into_the_archive_waits_until_the_role_is_known(sending: Template) -> None:
    """First the role, then the journal's subscriptions, then the destinations: each a step."""
    subscriptions = of_type(sending, "AWS::Logs::SubscriptionFilter")
    assert subscriptions
    for each in subscriptions.values():
        assert WRITER in each["DependsOn"]
    waiting = {
        each["Properties"]["EventDestination"].get("Name", "Events"): each.get("DependsOn")
        for each in of_type(sending, DESTINATION).values()
        if "KinesisFirehoseDestination" in each["Properties"]["EventDestination"]
    }
    assert set(waiting) == {"Events", "copies", "own"}
    assert waiting.pop("own") is None  # its role is there already
    for names in waiting.values():
        assert names == sorted(subscriptions)


def test_one_destination_changes_without_the_others(sending: Template, synth: Synth) -> None:
    """Their resources are found by their names, so an update concerns what has changed."""
    before, after = sending["Resources"], synth(**CHANGED)["Resources"]
    kinds = (DESTINATION, "AWS::SES::ConfigurationSet")
    changed = {
        name
        for name in before
        if name in after and before[name] != after[name] and before[name]["Type"] in kinds
    }
    gone = {name for name in before.keys() - after.keys() if before[name]["Type"] in kinds}
    assert [name for name in after.keys() - before.keys() if after[name]["Type"] in kinds] == []
    assert sorted(after[name]["Properties"].get("Name", "ops") for name in changed) == [
        "news",
        "ops",
    ]
    assert len(gone) == 2
    topic = named({"Resources": after}, "ops")
    assert (topic["Enabled"], topic["MatchingEventTypes"]) == (False, ["bounce"])


def test_a_set_has_the_options_that_it_is_given(sending: Template) -> None:
    """An empty suppression list is said to SES; without a word nothing is."""
    sets = {
        each["Properties"]["Name"]: each["Properties"]
        for each in of_type(sending, "AWS::SES::ConfigurationSet").values()
    }
    assert sets["news"] == {
        "Name": "news",
        "DeliveryOptions": {"TlsPolicy": "REQUIRE"},
        "ReputationOptions": {"ReputationMetricsEnabled": False},
        "SendingOptions": {"SendingEnabled": False},
        "SuppressionOptions": {"SuppressedReasons": []},
        "TrackingOptions": {"CustomRedirectDomain": "click.example.com"},
    }
    assert sets["plain"]["SuppressionOptions"] == {"SuppressedReasons": ["COMPLAINT"]}
    assert "SuppressionOptions" not in sets["ses-auto-bouncer-main"]


def test_a_redirect_domain_changes_and_goes(synth: Synth) -> None:
    """CloudFormation changes or removes it, as nothing else of the set differs."""
    seen = []
    for options in ({"redirect_domain": "a.example"}, {"redirect_domain": "b.example"}, {}):
        made = synth(configuration_sets=[{"name": "news", **options}])
        (found,) = (
            each
            for each in of_type(made, "AWS::SES::ConfigurationSet").values()
            if each["Properties"]["Name"] == "news"
        )
        seen.append(found["Properties"])
    first, second, last = seen
    assert first["TrackingOptions"] == {"CustomRedirectDomain": "a.example"}
    assert second == {**first, "TrackingOptions": {"CustomRedirectDomain": "b.example"}}
    assert last == {key: value for key, value in first.items() if key != "TrackingOptions"}


def test_each_identity_gets_its_set(sending: Template, synth: Synth) -> None:
    """The function may change those identities, to those sets; it detaches before a set goes."""
    attached = {
        each["Properties"]["EmailIdentity"]: (logical, each["Properties"]["ConfigurationSetName"])
        for logical, each in of_type(sending, SET).items()
    }
    assert set(attached) == {"example.com", "news.example", "plain.example"}
    for identity, (logical, of) in attached.items():
        assert of["Ref"] in needs(sending, logical)
        (allowed,) = [
            each
            for each in statements(sending)
            if each["Action"] == "ses:PutEmailIdentityConfigurationSetAttributes"
            and f"identity/{identity}" in json.dumps(each)
        ]
        assert of["Ref"] in json.dumps(allowed["Resource"])
    moved = of_type(synth(**CHANGED), SET)[attached["plain.example"][0]]["Properties"]
    assert moved["ConfigurationSetName"] == attached["news.example"][1]


def test_further_sets_need_no_set_of_ours_attached(synth: Synth) -> None:
    """The function is there for them alone, too."""
    template = synth(configuration_sets=[PLAIN], attach_configuration_set=False)
    (only,) = of_type(template, SET).values()
    assert only["Properties"]["EmailIdentity"] == "plain.example"


def test_nothing_is_found_wanting(findings: Findings) -> None:
    """cdk-nag has nothing to say about any of them."""
    assert findings(SENDING) == []


@pytest.mark.parametrize(
    ("variable", "value", "wanted", "place"),
    [
        ("CDK_DEFAULT_REGION", "eu-west-1", notices(), "topic"),
        ("CDK_DEFAULT_ACCOUNT", "999999999999", stream(), "stream"),
    ],
)
@pytest.mark.usefixtures("synth")  # it set up Node
def test_synth_warns_of_another_place_than_cdks(
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    wanted: Template,
    place: str,
) -> None:
    """CDK may run in an account that only builds: the template fits every place."""
    import aws_cdk as cdk  # noqa: PLC0415
    from aws_cdk.assertions import Annotations, Match  # noqa: PLC0415

    from bouncer_infra.stack import auto_bouncers  # noqa: PLC0415

    app = cdk.App(context={**FLAGS, "bouncer": {**MINIMAL, "destinations": [wanted]}})
    monkeypatch.setenv(variable, value)
    auto_bouncers(app)
    (stack,) = app.node.children
    assert isinstance(stack, cdk.Stack)
    says = f"cdk.json: context.bouncer.destinations\\[0\\].{place}: found"
    Annotations.from_stack(stack).has_warning("*", Match.string_like_regexp(says))


def test_synth_refuses_a_topic_of_another_region(
    synth: Synth,  # noqa: ARG001  # it set up Node
) -> None:
    """The deployment's own region is certain; the sentence names setting and region."""
    import aws_cdk as cdk  # noqa: PLC0415

    from bouncer_infra.stack import auto_bouncers  # noqa: PLC0415

    settings = {**MINIMAL, "region": "eu-west-1", "destinations": [notices()]}
    with pytest.raises(DocumentError) as caught:
        auto_bouncers(cdk.App(context={**FLAGS, "bouncer": settings}))
    assert str(caught.value) == (
        f'cdk.json: context.bouncer.destinations[0].topic: found "{TOPIC}", expected an ARN of '
        "region eu-west-1, where this deployment is"
    )
