"""An identity SES does not know is refused at synth, if there is an account to ask."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from bouncer.errors import BouncerError
from bouncer_local.doctor.account import Account, NotFoundError, UnavailableError

MINIMAL = {"recipients": ["example.com"], "bounce_sender": "mailer-daemon@example.com"}
TARGET = {"CDK_DEFAULT_REGION": "eu-west-1", "CDK_DEFAULT_ACCOUNT": "123456789012"}  # moto's

Refusals = Callable[..., list[str]]


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture
def refusals(synth: Callable[..., Any]) -> Refusals:  # noqa: ARG001  # it set up Node
    """The errors of a stack with these settings, in an account."""
    import aws_cdk as cdk  # noqa: PLC0415
    from aws_cdk import assertions  # noqa: PLC0415

    from infra.identity import refuse_missing_identity  # noqa: PLC0415
    from infra.settings import read_settings  # noqa: PLC0415

    def refused(account: Account | None, **context: Any) -> list[str]:
        stack = cdk.Stack()
        refuse_missing_identity(stack, read_settings({**MINIMAL, **context}), account)
        found = assertions.Annotations.from_stack(stack).find_error(
            "*", assertions.Match.any_value()
        )
        return [str(message.entry.data) for message in found]

    return refused


def account(environ: dict[str, str]) -> Account | None:
    from infra.identity import target_account  # noqa: PLC0415  # Node first

    return target_account(environ)


class Silent(Account):
    """An account that gives one answer."""

    def __init__(self, answer: BouncerError) -> None:
        super().__init__(boto3.Session(), "eu-west-1")
        self._answer = answer

    def ask(self, service: str, operation: str, **_: Any) -> dict[str, Any]:  # noqa: ARG002
        raise self._answer


def test_a_missing_identity_is_refused(aws: None, refusals: Refusals) -> None:  # noqa: ARG001
    """In one sentence, until SES knows it in the region of the deployment."""
    asked = account(TARGET)
    (refusal,) = refusals(asked)
    assert refusal == (
        "cdk.json: context.bouncer.identity: found no example.com in SES in eu-west-1, expected an "
        "identity that is verified there; verify it, or set create_identity: true"
    )
    assert asked
    asked.client("sesv2").create_email_identity(EmailIdentity="example.com")
    assert refusals(asked) == []


def test_settings_that_need_no_identity(refusals: Refusals) -> None:
    """One that will be made, or is left alone, is not looked for."""
    nothing = Silent(NotFoundError("GetEmailIdentity"))
    assert len(refusals(nothing)) == 1
    assert refusals(nothing, create_identity=True) == []
    assert refusals(nothing, attach_configuration_set=False) == []


@pytest.mark.parametrize(
    "environ", [{}, {"CDK_DEFAULT_REGION": "eu-west-1"}, {**TARGET, "CDK_DEFAULT_ACCOUNT": "9"}]
)
def test_nobody_is_asked_who_may_be_the_wrong_one(
    aws: None,  # noqa: ARG001
    refusals: Refusals,
    environ: dict[str, str],
) -> None:
    """Without CDK's account, or with credentials of another one, nothing is refused."""
    assert account(environ) is None
    assert refusals(None) == []


def test_no_answer_is_no_refusal(refusals: Refusals) -> None:
    """Whoever may not look can still synthesise."""
    assert refusals(Silent(UnavailableError("AccessDenied", ""))) == []
