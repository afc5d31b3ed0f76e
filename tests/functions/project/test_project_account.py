"""`bouncer init` asks AWS what it can find out, and writes placeholders for the rest."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError, ProfileNotFound

from bouncer_cli.commands.usage import UsageError
from bouncer_cli.doctor.mx_lookup import LookUpError, Mx
from bouncer_cli.project.project_account import KnownAccount, look_into_account
from bouncer_cli.project.project_settings import (
    PLACEHOLDER,
    ProjectSettings,
    Wishes,
    project_settings,
)
from tests.functions.doctor.answers import stack_status
from tests.functions.doctor.aws import BEFORE, INBOUND, NAME, REGION, Aws


def verified(*names: str) -> dict[str, Any]:
    listed = [{"IdentityName": name, "VerificationStatus": "SUCCESS"} for name in names]
    return {"sesv2.ListEmailIdentities": {"EmailIdentities": listed}}


def known(
    answers: dict[str, Any] | None = None, mx: dict[str, tuple[Mx, ...]] | None = None
) -> KnownAccount:
    aws = Aws(BEFORE | verified("example.com") | (answers or {}))
    return look_into_account(
        REGION, NAME, session=aws.session, look_up=lambda domain: (mx or {}).get(domain, ())
    )


def settings(account: KnownAccount, **wishes: Any) -> ProjectSettings:
    return project_settings(Wishes(**wishes), account)


def test_the_verified_domain_and_the_active_rule_set_are_taken() -> None:
    """Nothing is left to the reader where the account says everything."""
    found = settings(known())
    assert found.context == {
        "recipients": ["example.com"],
        "bounce_sender": "mailer-daemon@example.com",
        "rule_set": "default-rule-set",
        "settings": {"mode": "shadow"},
    }
    assert found.remarks == ()


def test_a_rule_set_is_created_where_none_is_active() -> None:
    """It has the deployment's name, and is activated."""
    found = settings(known({"ses.DescribeActiveReceiptRuleSet": {}}), name="mail")
    assert found.context["rule_set"] == "ses-auto-bouncer-mail"
    assert found.context["create_rule_set"] is found.context["activate_rule_set"] is True


def test_of_several_domains_those_that_receive_are_taken() -> None:
    """The MX record says whose mail comes to SES in this region."""
    account = known(verified("a.example", "b.example", "c.example"), {"b.example": (INBOUND,)})
    assert settings(account).recipients == ["b.example"]


def test_of_several_domains_one_must_be_named() -> None:
    """Nobody can know whose mail is to be judged; the error names the domains."""
    account = known(verified("b.example", "a.example", "ann@c.example"))
    with pytest.raises(UsageError, match=r"found 2 domains .* \(a.example, b.example\), expected"):
        settings(account)
    assert settings(account, domains=("a.example",)).remarks == ()
    assert settings(account, bounce_sender="x@b.example").recipients == ["b.example"]


def test_the_bounce_sender_is_of_the_first_domain() -> None:
    """That of an address, or of all subdomains, too."""
    for first in ("example.com", ".example.com", "ann@example.com"):
        found = settings(known(), domains=(first, "example.org"))
        assert found.bounce_sender == "mailer-daemon@example.com"


def test_a_domain_that_ses_has_not_verified_is_a_remark() -> None:
    """Settings are written all the same; the remark has the command that verifies it."""
    (remark,) = settings(known(), domains=("new.example",)).remarks
    assert "aws sesv2 create-email-identity --email-identity new.example --region eu-" in remark
    assert settings(known(verified("m@new.example")), bounce_sender="M@new.example").remarks == ()


def test_an_identity_that_is_not_verified_does_not_count() -> None:
    """SES would send nothing from a domain that is pending."""
    pending = [{"IdentityName": "example.com", "VerificationStatus": "PENDING"}]
    account = known({"sesv2.ListEmailIdentities": {"EmailIdentities": pending}})
    assert settings(account).recipients == [PLACEHOLDER]


def test_a_missing_permission_leaves_the_rest() -> None:
    """The remark names the action; what was answered is used."""
    account = known({"sesv2.ListEmailIdentities": "AccessDeniedException"})
    found = settings(account)
    assert found.context["rule_set"] == "default-rule-set"
    assert "allow ses:ListEmailIdentities" in found.remarks[0]
    assert PLACEHOLDER in found.remarks[1]


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "ROLLBACK_FAILED"])
def test_a_stack_of_that_name_is_not_deployed_over(status: str) -> None:
    """Its cdk.json says what this one would not, such as that it holds the active rule set."""
    account = known(stack_status(status))
    with pytest.raises(UsageError) as error:
        settings(account)
    assert str(error.value) == (
        "--name: found the stack ses-auto-bouncer-main in eu-west-1, expected a name that no stack "
        "has: deploying would change that one"
    )


@pytest.mark.parametrize("status", ["REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "DELETE_COMPLETE"])
def test_what_is_left_of_a_stack_is_not_in_the_way(status: str) -> None:
    """Nothing of it exists but its name."""
    assert settings(known(stack_status(status))).remarks == ()


def test_a_stack_that_is_not_known_is_a_remark() -> None:
    """Without the permission the folder is written, as its owner may know better."""
    found = settings(known({"cloudformation.DescribeStacks": "AccessDenied"}))
    assert "allow cloudformation:DescribeStacks" in found.remarks[0]
    assert "deploying would change a stack that has its name: add --name NAME" in found.remarks[1]


def test_without_network_each_service_is_tried_once() -> None:
    """The first that can't be reached ends the questions, and everything is a placeholder."""
    aws = Aws({"sts.GetCallerIdentity": ConnectTimeoutError(endpoint_url="https://x")})
    account = look_into_account(REGION, NAME, session=aws.session)
    assert aws.asked == ["sts.GetCallerIdentity"]
    found = settings(account)
    assert found.recipients == [PLACEHOLDER]
    assert "rule_set" not in found.context
    assert ["can't be reached" in found.remarks[0], len(found.remarks)] == [True, 3]


def test_without_region_or_profile_aws_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The remark says what to name."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")

    def nobody() -> boto3.Session:
        raise ProfileNotFound(profile="nobody")

    assert "expected --region REGION" in look_into_account(None, NAME).remarks[0]
    assert "nobody" in look_into_account(None, NAME, session=nobody).remarks[0]


def test_a_strange_region_of_the_configuration_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would stand in the commands of the README."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "x; rm -rf /")
    account = look_into_account(None, NAME)
    assert account.region is None
    assert "'x; rm -rf /' in its configuration" in account.remarks[0]


def test_a_dead_name_server_is_asked_once() -> None:
    """Each look-up takes seconds; one that fails everywhere ends them."""
    asked = []

    def dead(domain: str) -> tuple[Mx, ...]:
        asked.append(domain)
        raise LookUpError("timeout", everywhere=True)

    aws = Aws(verified("a.example", "b.example"))
    assert look_into_account(REGION, NAME, session=aws.session, look_up=dead).receiving == ()
    assert asked == ["a.example"]


@pytest.mark.parametrize(
    ("wishes", "says"),
    [
        ({"domains": ("no domain",)}, '--domain: found "no domain", expected'),
        ({"bounce_sender": "nobody"}, '--bounce-sender: found "nobody", expected'),
        ({"name": "My Mail"}, '--name: found "My Mail", expected 1 to 20 lower-case'),
        ({"domains": ("",)}, "--domain: found"),
        ({"domains": ("a b", "c d")}, '--domain: found "a b", expected a domain, .domain for its'),
    ],
)
def test_a_wrong_option_is_named(wishes: dict[str, Any], says: str) -> None:
    """The error names the option, not the setting that it becomes."""
    with pytest.raises(UsageError) as error:
        settings(known(), **wishes)
    assert says in str(error.value)
