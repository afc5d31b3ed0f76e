"""The doctor's findings about destinations and configuration sets that cdk.json names."""

import re
from typing import Any

import pytest

from bouncer_cli.doctor.finding import Level
from bouncer_infra.deployment_settings_reader import read_settings
from tests.functions.doctor.aws import MINIMAL, NAME, found, lines
from tests.functions.doctor.destination_answers import (
    ACCOUNT,
    AS_CONFIGURED,
    BUILT_IN,
    NEWS,
    NOT_YET,
    OWN,
    TOPIC,
    bus,
    copies,
    identities,
    news_is,
    of_sets,
    ops,
    own,
    stack_with,
    tags,
)
from tests.functions.doctor.faults_of_targets import TARGETS


def told(*changes: dict[str, Any], **settings: Any) -> list[tuple[Level, str, str]]:
    """Level, text and next step of the findings about destinations and sets."""
    wanted = {"destinations": OWN, "configuration_sets": [NEWS], **settings}
    read = read_settings({**MINIMAL, **wanted})
    answers = AS_CONFIGURED
    for change in changes:
        answers = {**answers, **change}
    kept = ("event destination", "configuration set", "destination places", "destination targets")
    return [
        (each.level, f"{each.check}: {each.found}", each.next_step)
        for each in found(
            answers,
            destinations=read.destinations,
            configuration_sets=read.configuration_sets,
        )
        if each.check in kept
    ]


def test_what_is_as_configured_is_ok() -> None:
    """One line for each destination, set, identity, domain, topic, stream and role."""
    findings = told()
    assert {level for level, _, _ in findings} == {Level.OK}
    text = "\n".join(found for _, found, _ in findings)
    for expected in (
        f"tags (CloudWatch) of {NAME} is as configured\n",
        f"own (Firehose) of {NAME} is as configured\n",
        f"ops (SNS) of {NAME} is as configured\n",
        f"bus (EventBridge) of {NAME} is as configured, disabled\n",
        "configuration set: news is as configured\n",
        "event destination: copies (Firehose) of news is as configured\n",
        "configuration set: news is the default of news.example\n",
        "the redirect domain click.news.example is verified (by news.example)\n",
        f"topic {TOPIC} lets SES publish\n",
        "stream warehouse is ACTIVE\n",
        "role warehouse can be assumed by SES, and may write",
    ):
        assert expected in text


def test_before_the_deployment_nothing_is_missed() -> None:
    """Sets, destinations and attachments are announced."""
    findings = told(NOT_YET)
    text = "\n".join(found for level, found, _ in findings if level is Level.OK)
    assert "news does not exist yet; the deployment makes it" in text
    assert "news.example has no default; the deployment attaches news" in text
    assert not [found for level, found, _ in findings if level is not Level.OK]


HIDDEN = {"cloudformation.DescribeStacks": "AccessDenied"}
DEPLOY = "run cdk deploy if cdk.json has changed, else somebody"
FAULTS: list[tuple[Level, str, str, dict[str, Any]]] = [
    (Level.PROBLEM, f"ops .SNS. of {NAME} does not exist", DEPLOY, of_sets(tags(), own(), bus())),
    (
        Level.PROBLEM,
        "ops .SNS. of .* is a destination of EventBridge",
        "give it another name in cdk.json",
        of_sets(tags(), own(), {**bus(), "Name": "ops"}, bus()),
    ),
    (
        Level.PROBLEM,
        "ops .SNS. of .* is disabled, cdk.json says enabled",
        DEPLOY,
        of_sets(tags(), own(), ops(Enabled=False), bus()),
    ),
    (
        Level.PROBLEM,
        "bus .EventBridge. of .* is enabled, cdk.json says disabled",
        DEPLOY,
        of_sets(tags(), own(), ops(), {**bus(), "Enabled": True}),
    ),
    (
        Level.WARNING,
        "ops .SNS. of .* gets bounce, cdk.json says bounce, renderingFailure",
        DEPLOY,
        of_sets(tags(), own(), ops(MatchingEventTypes=["BOUNCE"]), bus()),
    ),
    (
        Level.PROBLEM,
        f"publishes to {TOPIC}2, not to {TOPIC}",
        DEPLOY,
        of_sets(tags(), own(), ops(f"{TOPIC}2"), bus()),
    ),
    (
        Level.PROBLEM,
        "tags .CloudWatch. of .* has other dimensions than cdk.json says",
        DEPLOY,
        of_sets(tags(DefaultDimensionValue="some"), own(), ops(), bus()),
    ),
    (
        Level.PROBLEM,
        "own .Firehose. of .* publishes as other, not as",
        DEPLOY,
        of_sets(tags(), own(IamRoleArn="other"), ops(), bus()),
    ),
    (
        Level.PROBLEM,
        "own .Firehose. of .* publishes to elsewhere, not to",
        DEPLOY,
        of_sets(tags(), own(DeliveryStreamArn="elsewhere"), ops(), bus()),
    ),
    (
        Level.PROBLEM,
        "copies .Firehose. of news publishes to .*/theirs, not to the archive",
        DEPLOY,
        of_sets(tags(), own(), ops(), bus(), news=(copies("theirs"),)),
    ),
    (
        Level.PROBLEM,
        "copies .Firehose. of news publishes to .*/journal-stream, not to the archive",
        DEPLOY,
        of_sets(tags(), own(), ops(), bus(), news=(copies("journal-stream"),)),
    ),
    (
        Level.OK,
        "gone .CloudWatch. is not in cdk.json",
        "",
        of_sets(tags(), own(), ops(), bus(), {**tags(), "Name": "gone", "Enabled": False}),
    ),
    (
        Level.PROBLEM,
        "our set has no CloudWatch destination",
        "somebody deleted",
        of_sets(tags(), own(), ops(), bus(), {**tags(), "Name": "gone"}, built_in=BUILT_IN[1:]),
    ),
    (
        Level.OK,
        "Old of news is not in cdk.json",
        "",
        of_sets(tags(), own(), ops(), bus(), news=(copies(), {**bus(), "Name": "Old"})),
    ),
    (
        Level.WARNING,
        "news.example has no default configuration set, cdk.json says news",
        "allow cloudformation:DescribeStacks",
        {**HIDDEN, **identities(None)},
    ),
    (
        Level.WARNING,
        "the default of news.example is other, cdk.json says news",
        "allow cloudformation:DescribeStacks",
        {**HIDDEN, **identities("other")},
    ),
    # The set
    (
        Level.PROBLEM,
        "configuration set: news does not exist",
        DEPLOY,
        {"sesv2.GetConfigurationSet": "NotFoundException"},
    ),
    (
        Level.PROBLEM,
        "news exists already, so the deployment can't make it",
        "delete it, or give the set another name",
        stack_with(),
    ),
    (
        Level.PROBLEM,
        (
            "news: TLS is optional, cdk.json says require; it does not send; reputation metrics "
            "are not published, cdk.json says published; suppression is for nothing, cdk.json says "
            "BOUNCE; the redirect domain is that of SES, cdk.json says click.news.example"
        ),
        DEPLOY,
        {
            "sesv2.GetConfigurationSet": {
                "ConfigurationSetName": "news",
                "SendingOptions": {"SendingEnabled": False},
            }
        },
    ),
    (
        Level.PROBLEM,
        "the default of news.example is theirs; the deployment does not replace it",
        "remove that set from the identity, or identity from news in cdk.json",
        identities("theirs"),
    ),
    (
        Level.WARNING,
        "the default of news.example is other; the deployment changes it to news",
        "run cdk deploy",
        {**stack_with("news", "other"), **identities("other")},
    ),
    (
        Level.PROBLEM,
        f"the default of news.example is {NAME}; the deployment does not replace it",
        "deploy with the identity in neither set, then with it in the new one",
        identities(NAME),
    ),
    (
        Level.PROBLEM,
        "news.example has no default configuration set, cdk.json says news",
        DEPLOY,
        identities(None),
    ),
    (
        Level.PROBLEM,
        "news.example is not verified, so news can't be attached to it",
        "publish the DNS records",
        identities(None, verified=False),
    ),
    (
        Level.PROBLEM,
        "no identity verifies click.news.example, so SES refuses it as redirect domain",
        "verify it, or a domain above it",
        identities(verified=False),
    ),
]


@pytest.mark.parametrize(
    ("wanted", "shown", "said"),
    [
        (None, None, None),
        ([], [], None),
        ([], None, "is as the account has it, cdk.json says for nothing"),
        (None, [], "is for nothing, cdk.json says as the account has it"),
    ],
)
def test_no_word_about_suppression_is_not_an_empty_list(
    wanted: list[str] | None, shown: list[str] | None, said: str | None
) -> None:
    """A set that suppresses for nothing overrules the account's list."""
    options = {} if shown is None else {"SuppressionOptions": {"SuppressedReasons": shown}}
    answer = {**news_is()["sesv2.GetConfigurationSet"], "SuppressionOptions": {}, **options}
    findings = told(
        {"sesv2.GetConfigurationSet": answer}, configuration_sets=[{**NEWS, "suppression": wanted}]
    )
    found = [line for level, line, _ in findings if level is Level.WARNING]
    assert found == ([f"configuration set: news: suppression {said}"] if said else [])


@pytest.mark.parametrize(("level", "expected", "step", "answers"), [*FAULTS, *TARGETS])
def test_each_fault_is_found(
    level: Level, expected: str, step: str, answers: dict[str, Any]
) -> None:
    """Each has its line, its level and its next step, and hides no other check."""
    findings = told(answers)
    (steps,) = [
        then for one, found, then in findings if one is level and re.search(expected, found)
    ]
    assert steps.startswith(step)
    assert any(found.endswith("warehouse is ACTIVE") for _, found, _ in findings) or (
        "stream warehouse" in expected
    )


def test_our_own_identity_may_still_have_a_further_set() -> None:
    """To take that set off by hand would leave live mail without one."""
    own = {"VerifiedForSendingStatus": True, "ConfigurationSetName": "news"}
    (step,) = [
        each.next_step
        for each in found({**stack_with("news"), "sesv2.GetEmailIdentity": own})
        if "set of example.com is news; the deployment does not replace it" in each.found
    ]
    assert step.startswith("deploy with the identity in neither set")


def test_a_place_is_reported_in_the_words_of_synth() -> None:
    """An ARN of another region is refused by `cdk synth` with this sentence."""
    elsewhere = [{**OWN[2], "topic": TOPIC.replace("eu-west-1", "us-east-1")}]
    findings = [
        found
        for level, found, _ in told(destinations=elsewhere, configuration_sets=[])
        if level is Level.PROBLEM
    ]
    assert (
        "event destination: cdk.json: context.bouncer.destinations[0].topic: found "
        f'"{elsewhere[0]["topic"]}", expected an ARN of region eu-west-1, where this deployment is'
    ) in findings


def test_another_accounts_topic_is_not_asked_about() -> None:
    """Its owner alone can look at it."""
    foreign = TOPIC.replace(ACCOUNT, "444455556666")
    (line,) = [
        found
        for _, found, _ in told(destinations=[{**OWN[2], "topic": foreign}])
        if foreign in found and "asked" in found
    ]
    assert line == f"event destination: {foreign} is of account 444455556666, and was not asked"


def test_without_destinations_nothing_more_is_asked() -> None:
    """A deployment without these settings needs none of the new permissions."""
    assert not lines(found(), Level.WARNING)
