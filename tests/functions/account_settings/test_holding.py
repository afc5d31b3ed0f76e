"""Settings of SES are taken when free, changed when ours, given up only if still ours."""

import pytest

from tests.functions.account_settings.ses import (
    RULES,
    SET,
    Ses,
    create,
    delete,
    refusal,
    update,
)


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


@pytest.mark.threat
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


def test_each_resource_has_a_physical_id_of_its_own(ses: Ses) -> None:
    """A stack attaches several sets; what was made before keeps the id that it has."""
    second = {**SET, "EmailIdentity": "second.example"}
    made = [create(ses, SET, "Ours"), create(ses, second, "Further")]
    assert made == ["DefaultConfigurationSet-Ours", "DefaultConfigurationSet-Further"]
    assert update(ses, SET, SET) == "as-it-was"


@pytest.mark.threat
def test_somebody_elses_configuration_set_stays_attached(ses: Ses) -> None:
    """One sentence names it, and the three ways out."""
    ses.identities["example.com"] = "theirs"
    assert refusal(lambda: create(ses, SET)) == (
        'default configuration set of example.com: found "theirs", expected none; take it off '
        "yourself, verify the sender's own address and name that as identity, or leave "
        "this one alone (attach_configuration_set: false, or no identity in configuration_sets), "
        "then deploy again"
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


def test_two_sets_can_change_places(ses: Ses) -> None:
    """Each identity's resource knows which set it held: no one stands in the other's way."""
    ses.identities["second.example"] = None
    first, second = SET, {**SET, "EmailIdentity": "second.example"}
    create(ses, first)
    create(ses, {**second, "ConfigurationSetName": "other"})
    update(ses, first, {**first, "ConfigurationSetName": "other"})
    update(ses, {**second, "ConfigurationSetName": "other"}, second)
    assert ses.identities == {"example.com": "other", "second.example": "ours"}


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
