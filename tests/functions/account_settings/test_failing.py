"""A setting that could not be taken, or an SES that does not answer, leaves nothing changed."""

from typing import Any

import pytest

from bouncer.aws.custom_resource import NOT_CREATED
from bouncer.aws.exclusive_setting import (
    CurrentValue,
    Step,
    read_desired_setting,
    step_to_hold,
)
from tests.functions.account_settings.ses import (
    NEW_POLICY,
    RULES,
    SET,
    Ses,
    create,
    creation,
    refusal,
)


def failed_creation(ses: Ses, properties: dict[str, str]) -> str:
    """Fail to create a resource; return the physical id that CloudFormation is answered with."""
    settings = ses.settings()
    request = creation(properties)
    refusal(lambda: settings.carry_out(request))
    return settings.failed_id(request)


def remove(ses: Ses, physical_id: str, properties: dict[str, str]) -> str:
    """Delete what could not be created, as CloudFormation does at once."""
    return ses.settings().carry_out(
        {
            "RequestType": "Delete",
            "PhysicalResourceId": physical_id,
            "ResourceProperties": properties,
        }
    )


def test_what_was_not_created_is_not_given_up(ses: Ses) -> None:
    """A rule set of that name which the operator made active stays active."""
    ses.active = "ours"
    ses.faults = ["ServiceFailure"]
    physical_id = failed_creation(ses, RULES)
    assert physical_id == NOT_CREATED
    assert remove(ses, physical_id, RULES) == NOT_CREATED
    assert (ses.active, ses.changes) == ("ours", [])


def test_what_may_have_been_created_is_given_up(ses: Ses) -> None:
    """A set that was attached although the answer was an error would outlive its stack."""
    ses.lost_answers = True
    physical_id = failed_creation(ses, SET)
    assert physical_id == "DefaultConfigurationSet-Ours"
    assert ses.identities["example.com"] == "ours"
    ses.lost_answers = False
    remove(ses, physical_id, SET)
    assert ses.identities["example.com"] is None


def test_a_failed_update_keeps_its_physical_id(ses: Ses) -> None:
    """Another id would make CloudFormation delete the resource as it was."""
    request = {
        "RequestType": "Update",
        "PhysicalResourceId": "as-it-was",
        "ResourceProperties": RULES,
    }
    assert ses.settings().failed_id(request) == "as-it-was"


def test_nothing_is_asked_when_no_time_is_left(ses: Ses) -> None:
    """A call that Lambda cuts short would leave CloudFormation without an answer."""
    ses.left_s = 80.0
    text = refusal(lambda: create(ses, RULES))
    assert text == (
        "active receipt rule set: found no time left to ask SES, expected at least 90 seconds; "
        "deploy again"
    )
    assert ses.active is None


def test_a_policy_that_is_not_known_yet_is_waited_for(ses: Ses) -> None:
    """A new policy takes seconds until SES knows it."""
    ses.faults = [NEW_POLICY, NEW_POLICY]
    create(ses, RULES)
    assert ses.active == "ours"
    assert len(ses.slept) == 2


def test_a_policy_that_never_comes_is_one_sentence(ses: Ses) -> None:
    """Well before the function's time is up."""
    ses.faults = [NEW_POLICY] * 100
    assert "SES refused (AccessDenied: no)" in refusal(lambda: create(ses, RULES))
    assert 10 <= sum(ses.slept) <= 60


def test_an_ses_that_cannot_be_reached_is_one_sentence(ses: Ses) -> None:
    """A region without receiving has no such endpoint."""
    ses.unreachable = True
    text = refusal(lambda: create(ses, RULES))
    assert text == "active receipt rule set: SES can't be reached (EndpointConnectionError)"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"Kind": "Other"}, "Kind: found 'Other', expected one of ActiveRuleSet, Default"),
        ({"ConfigurationSetName": ""}, "ConfigurationSetName: found '', expected a name"),
        ({"EmailIdentity": None}, "EmailIdentity: found None, expected a name"),
    ],
)
def test_properties_that_make_no_sense_name_their_key(change: dict[str, Any], says: str) -> None:
    """The sentence says which key of a template is wrong and what it should hold."""
    text = refusal(lambda: read_desired_setting({**SET, **change}))
    assert text.startswith(f"resource properties: {says}")


@pytest.mark.parametrize("name", [None, "ours", "before", "theirs"])
@pytest.mark.parametrize("obstacle", [None, "not verified"])
def test_a_setting_is_set_only_from_free_or_from_ours(
    name: str | None, obstacle: str | None
) -> None:
    """The decision by itself, for every value a setting can have."""
    desired = read_desired_setting(SET)
    before = read_desired_setting({**SET, "ConfigurationSetName": "before"})
    step = step_to_hold(CurrentValue(name=name, obstacle=obstacle), desired, before)
    free = name in (None, "before") and not obstacle
    assert step is (Step.LEAVE if name == "ours" else Step.SET if free else Step.REFUSE)


def test_what_another_setting_held_before_is_not_ours_here() -> None:
    """A name is ours in the setting we put it into, and in no other."""
    desired = read_desired_setting(SET)
    before = read_desired_setting(
        {**SET, "EmailIdentity": "a.example", "ConfigurationSetName": "before"}
    )
    assert step_to_hold(CurrentValue(name="before"), desired, before) is Step.REFUSE
