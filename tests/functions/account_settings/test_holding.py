"""Settings of SES are taken when free, changed when ours, given up only if still ours."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import EndpointConnectionError

from bouncer.account_settings import CONFIG, AccountSettings
from bouncer.aws.custom_resource import NOT_CREATED
from bouncer.aws.exclusive_setting import (
    CurrentValue,
    SettingError,
    Step,
    read_desired_setting,
    step_to_hold,
)

RULES = {"Kind": "ActiveRuleSet", "RuleSetName": "ours"}
SET = {
    "Kind": "DefaultConfigurationSet",
    "EmailIdentity": "example.com",
    "ConfigurationSetName": "ours",
}
NEW_POLICY = "AccessDenied"


class Ses:
    """SES's state of both settings, under real clients: their own requests reach it.

    `faults` are codes the next calls fail with; `changes` the writes in their order.
    """

    def __init__(self) -> None:
        self.active: str | None = None
        self.rule_sets = {"ours", "second", "theirs"}
        self.identities: dict[str, str | None] = {"example.com": None, "second.example": None}
        self.unverified: set[str] = set()
        self.faults: list[str] = []
        self.vanishing: set[str] = set()
        self.unreachable = False
        self.changes: list[tuple[str, str | None]] = []
        self.slept: list[float] = []
        self.left_s = 300.0
        self.lost_answers = False

    def client(self, service: str) -> Any:
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
        client = boto3.client(service, region_name="eu-west-1", config=CONFIG, **keys)  # type: ignore[call-overload]  # chosen by the caller
        client.meta.events.register(f"before-call.{service}", self._answer)
        return client

    def settings(self) -> AccountSettings:
        """The function in a new environment."""
        return AccountSettings(
            ses=lambda: self.client("ses"),
            sesv2=lambda: self.client("sesv2"),
            sleep=self.slept.append,
            left_s=lambda: self.left_s,
        )

    def _answer(self, model: Any, params: Any, **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        if self.unreachable:
            raise EndpointConnectionError(endpoint_url="https://ses.invalid")
        code, answer = (self.faults.pop(0), {}) if self.faults else self._do(model.name, params)
        if self.lost_answers and not model.name.startswith(("Describe", "Get")):
            code = "InternalFailure"
        if code:
            answer = {"Error": {"Code": code, "Message": "no"}}
        return AWSResponse("", 400 if code else 200, HTTPHeaders(), None), answer

    def _do(self, operation: str, params: Any) -> tuple[str, dict[str, Any]]:
        do: dict[str, Callable[[Any], tuple[str, dict[str, Any]]]] = {
            "DescribeActiveReceiptRuleSet": self._describe_active,
            "SetActiveReceiptRuleSet": self._set_active,
            "GetEmailIdentity": self._get_identity,
            "PutEmailIdentityConfigurationSetAttributes": self._put_default,
        }
        return do[operation](params)

    def _describe_active(self, _: Any) -> tuple[str, dict[str, Any]]:
        return "", {"Metadata": {"Name": self.active}} if self.active else {}

    def _set_active(self, params: Any) -> tuple[str, dict[str, Any]]:
        name = params["body"].get("RuleSetName")
        if name is not None and name not in self.rule_sets:
            return "RuleSetDoesNotExist", {}
        self.active = name
        self.changes.append(("active", name))
        return "", {}

    def _get_identity(self, params: Any) -> tuple[str, dict[str, Any]]:
        identity = unquote(params["url_path"].split("/")[4])
        if identity not in self.identities:
            return "NotFoundException", {}
        answer: dict[str, Any] = {"VerifiedForSendingStatus": identity not in self.unverified}
        if self.identities[identity]:
            answer["ConfigurationSetName"] = self.identities[identity]
        if identity in self.vanishing:
            del self.identities[identity]
        return "", answer

    def _put_default(self, params: Any) -> tuple[str, dict[str, Any]]:
        identity = unquote(params["url_path"].split("/")[4])
        if identity not in self.identities:
            return "NotFoundException", {}
        name = json.loads(params["body"] or "{}").get("ConfigurationSetName")
        self.identities[identity] = name
        self.changes.append((identity, name))
        return "", {}


@pytest.fixture
def ses() -> Ses:
    return Ses()


def create(ses: Ses, properties: dict[str, str]) -> str:
    event = {"RequestType": "Create", "ResourceProperties": {"ServiceToken": "x", **properties}}
    return ses.settings().carry_out(event)


def update(ses: Ses, old: dict[str, str], properties: dict[str, str]) -> str:
    return ses.settings().carry_out(
        {
            "RequestType": "Update",
            "PhysicalResourceId": "as-it-was",
            "OldResourceProperties": old,
            "ResourceProperties": properties,
        }
    )


def delete(ses: Ses, properties: dict[str, str]) -> str:
    return ses.settings().carry_out(
        {
            "RequestType": "Delete",
            "PhysicalResourceId": "as-it-was",
            "ResourceProperties": properties,
        }
    )


def refusal(call: Callable[[], object]) -> str:
    """The one sentence a call is refused with."""
    with pytest.raises(SettingError) as caught:
        call()
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_our_rule_set_is_activated_where_none_is(ses: Ses) -> None:
    """A free setting is taken."""
    create(ses, RULES)
    assert ses.active == "ours"


def test_our_rule_set_may_be_active_already(ses: Ses) -> None:
    """The same event again changes nothing."""
    create(ses, RULES)
    create(ses, RULES)
    update(ses, RULES, RULES)
    assert ses.changes == [("active", "ours")]


def test_somebody_elses_rule_set_stays_active(ses: Ses) -> None:
    """One sentence says which is active and what the operator may do about it."""
    ses.active = "theirs"
    assert refusal(lambda: create(ses, RULES)) == (
        'active receipt rule set: found "theirs", expected none; '
        "move its rules or deactivate it yourself, then deploy again"
    )
    assert (ses.active, ses.changes) == ("theirs", [])


def test_a_renamed_rule_set_follows_its_predecessor(ses: Ses) -> None:
    """The set we activated under its old name is ours to replace, without a moment of none."""
    create(ses, RULES)
    update(ses, RULES, {**RULES, "RuleSetName": "second"})
    assert ses.changes == [("active", "ours"), ("active", "second")]


def test_a_renamed_rule_set_does_not_displace_others(ses: Ses) -> None:
    """A set that somebody activated in the meantime is not replaced by an update either."""
    ses.active = "theirs"
    refusal(lambda: update(ses, RULES, {**RULES, "RuleSetName": "second"}))
    assert ses.active == "theirs"


def test_removal_deactivates_our_rule_set(ses: Ses) -> None:
    """SES would not delete it while it is active."""
    create(ses, RULES)
    delete(ses, RULES)
    delete(ses, RULES)
    assert ses.changes == [("active", "ours"), ("active", None)]


def test_removal_leaves_another_rule_set_active(ses: Ses) -> None:
    """Somebody activated theirs in the meantime: mail keeps coming in."""
    ses.active = "theirs"
    delete(ses, RULES)
    assert (ses.active, ses.changes) == ("theirs", [])


def test_a_rule_set_that_does_not_exist_is_one_sentence(ses: Ses) -> None:
    """SES's own sentence is reported, without a traceback."""
    text = refusal(lambda: create(ses, {**RULES, "RuleSetName": "nowhere"}))
    assert text == "active receipt rule set: SES refused (RuleSetDoesNotExist: no)"


def test_our_configuration_set_is_attached_where_none_is(ses: Ses) -> None:
    """An identity without a default set gets ours, once."""
    create(ses, SET)
    create(ses, SET)
    assert ses.changes == [("example.com", "ours")]


def test_somebody_elses_configuration_set_stays_attached(ses: Ses) -> None:
    """One sentence names it, and the three ways out."""
    ses.identities["example.com"] = "theirs"
    assert refusal(lambda: create(ses, SET)) == (
        'default configuration set of example.com: found "theirs", expected none; take it off '
        "yourself, verify the sender's own address and name that as identity, or set "
        "attach_configuration_set: false, then deploy again"
    )
    assert ses.changes == []


def test_an_identity_that_does_not_exist_is_refused(ses: Ses) -> None:
    """It is not created: that is another setting."""
    text = refusal(lambda: create(ses, {**SET, "EmailIdentity": "nowhere.example"}))
    assert text == (
        "default configuration set of nowhere.example: found no such identity, expected one that "
        "SES has verified in this region; verify it, then deploy again"
    )
    assert "nowhere.example" not in ses.identities


def test_an_identity_that_is_not_verified_is_refused(ses: Ses) -> None:
    """It could not send the bounces anyway."""
    ses.unverified.add("example.com")
    assert "found an identity not yet verified, expected" in refusal(lambda: create(ses, SET))
    assert ses.changes == []


def test_what_is_ours_stays_ours_without_verification(ses: Ses) -> None:
    """A lapsed verification must not break an update or its rollback."""
    create(ses, SET)
    ses.unverified.add("example.com")
    update(ses, SET, SET)
    delete(ses, SET)
    assert ses.identities["example.com"] is None


def test_an_address_can_be_the_identity(ses: Ses) -> None:
    """Its characters reach SES as they are."""
    ses.identities["mailer+daemon@example.com"] = None
    create(ses, {**SET, "EmailIdentity": "mailer+daemon@example.com"})
    assert ses.changes == [("mailer+daemon@example.com", "ours")]


def test_another_identity_is_taken_before_the_old_is_given_up(ses: Ses) -> None:
    """One of both has the set at any moment, and an error leaves the old one as it was."""
    create(ses, SET)
    update(ses, SET, {**SET, "EmailIdentity": "second.example"})
    assert ses.changes[1:] == [("second.example", "ours"), ("example.com", None)]


def test_another_identity_that_is_taken_leaves_the_old_one_alone(ses: Ses) -> None:
    """A refused update changes nothing, and its rollback neither."""
    create(ses, SET)
    ses.identities["second.example"] = "theirs"
    changed = {**SET, "EmailIdentity": "second.example"}
    refusal(lambda: update(ses, SET, changed))
    update(ses, changed, SET)
    assert ses.identities == {"example.com": "ours", "second.example": "theirs"}
    assert ses.changes == [("example.com", "ours")]


def test_an_old_identity_with_another_set_keeps_it(ses: Ses) -> None:
    """A set that somebody attached after us is not ours to detach."""
    ses.identities["example.com"] = "theirs"
    update(ses, SET, {**SET, "EmailIdentity": "second.example"})
    assert ses.identities == {"example.com": "theirs", "second.example": "ours"}


def test_a_renamed_configuration_set_follows_its_predecessor(ses: Ses) -> None:
    """In one step, and the same identity is never left without one."""
    create(ses, SET)
    update(ses, SET, {**SET, "ConfigurationSetName": "second"})
    assert ses.changes == [("example.com", "ours"), ("example.com", "second")]


def test_removal_detaches_our_configuration_set(ses: Ses) -> None:
    """A set that is still some identity's default would make SES refuse its mail once deleted."""
    create(ses, SET)
    delete(ses, SET)
    delete(ses, SET)
    assert ses.changes == [("example.com", "ours"), ("example.com", None)]


def test_removal_leaves_another_configuration_set_attached(ses: Ses) -> None:
    """Somebody attached theirs in the meantime."""
    ses.identities["example.com"] = "theirs"
    delete(ses, SET)
    assert ses.changes == []


@pytest.mark.parametrize("vanishing", [False, True])
def test_removal_succeeds_when_the_identity_is_gone(ses: Ses, vanishing: bool) -> None:
    """Also when it goes between our reading and our writing."""
    ses.identities = {"example.com": "ours"} if vanishing else {}
    ses.vanishing = {"example.com"}
    delete(ses, SET)
    assert ses.identities == {}


def test_removal_fails_when_it_is_not_known_what_is_attached(ses: Ses) -> None:
    """Or the set would be deleted while an identity refers to it."""
    create(ses, SET)
    ses.faults = ["BadRequestException"]
    assert "SES refused (BadRequestException: no)" in refusal(lambda: delete(ses, SET))


@pytest.mark.parametrize("properties", [RULES, SET])
def test_the_physical_id_never_changes(ses: Ses, properties: dict[str, str]) -> None:
    """Or CloudFormation would delete the old one after an update, as if it were another setting."""
    assert create(ses, properties) == create(ses, properties)
    assert update(ses, properties, properties) == "as-it-was"
    assert delete(ses, properties) == "as-it-was"


def failed_creation(ses: Ses, properties: dict[str, str]) -> str:
    """Fail to create a resource; return the physical id that CloudFormation is answered with."""
    settings = ses.settings()
    request = {"RequestType": "Create", "ResourceProperties": properties}
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
    assert physical_id == "DefaultConfigurationSet"
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
