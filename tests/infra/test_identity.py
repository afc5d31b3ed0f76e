"""An identity SES does not know is refused at synth, if there is an account to ask."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from boto3 import Session

from bouncer.errors import BouncerError
from bouncer_local.doctor.account import Account, NotFoundError, UnavailableError

MINIMAL = {"recipients": ["example.com"], "bounce_sender": "mailer-daemon@example.com"}
TARGET = {"CDK_DEFAULT_REGION": "eu-west-1", "CDK_DEFAULT_ACCOUNT": "123456789012"}

Refusals = Callable[..., list[str]]


class Answering(Account):
    """An account that gives one answer to every question, but for identities that it `has`."""

    def __init__(
        self, answer: dict[str, Any] | BouncerError, has: dict[str, bool] | None = None
    ) -> None:
        super().__init__(Session(), "eu-west-1")
        self.answer = answer
        self.has = has or {}
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def ask(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        self.asked.append((f"{service}.{operation}", parameters))
        if parameters.get("EmailIdentity") in self.has:
            return {"VerifiedForSendingStatus": self.has[parameters["EmailIdentity"]]}
        if isinstance(self.answer, BouncerError):
            raise self.answer
        return self.answer


@pytest.fixture
def refusals(synth: Callable[..., Any]) -> Refusals:  # noqa: ARG001  # it set up Node
    """The errors of a stack with these settings, in an account."""
    import aws_cdk as cdk  # noqa: PLC0415
    from aws_cdk import assertions  # noqa: PLC0415

    from infra.identity import refuse_missing_identity  # noqa: PLC0415
    from infra.settings_reader import read_settings  # noqa: PLC0415

    def refused(account: Account | None, **context: Any) -> list[str]:
        stack = cdk.Stack()
        refuse_missing_identity(stack, read_settings({**MINIMAL, **context}), account)
        found = assertions.Annotations.from_stack(stack).find_error(
            "*", assertions.Match.any_value()
        )
        return [str(message.entry.data) for message in found]

    return refused


@pytest.mark.parametrize(
    ("settings", "warned"),
    [
        ({}, True),
        ({"bounce_sender": "a@mx.example.com", "identity": "example.com"}, True),
        ({"identity": "mailer-daemon@example.com"}, False),
        ({"create_identity": True}, False),
        ({"attach_configuration_set": True}, False),
    ],
)
def test_whoever_else_sends_is_warned_of(
    synth: Callable[..., Any],  # noqa: ARG001  # it set up Node
    settings: dict[str, Any],
    warned: bool,
) -> None:
    """SES asks all who send from the identity for permission on its set: told, unless asked for."""
    import aws_cdk as cdk  # noqa: PLC0415
    from aws_cdk import assertions  # noqa: PLC0415

    from infra.identity import warn_of_other_senders  # noqa: PLC0415
    from infra.settings_reader import read_settings  # noqa: PLC0415

    stack = cdk.Stack()
    warn_of_other_senders(stack, read_settings({**MINIMAL, **settings}))
    found = assertions.Annotations.from_stack(stack).find_warning(
        "*", assertions.Match.string_like_regexp("configuration-set/ses-auto-bouncer-main as well")
    )
    assert bool(found) is warned


def test_a_missing_identity_is_refused(refusals: Refusals) -> None:
    """In one sentence; one that exists is not."""
    account = Answering(NotFoundError("GetEmailIdentity"))
    (refusal,) = refusals(account)
    assert refusal == (
        "cdk.json: context.bouncer.identity: found no example.com in SES in eu-west-1, expected an "
        "identity that is verified there; verify it, or set create_identity: true"
    )
    assert account.asked[0] == ("sesv2.get_email_identity", {"EmailIdentity": "example.com"})
    account.answer = {"VerifiedForSendingStatus": True}
    assert refusals(account) == []


@pytest.mark.parametrize(
    ("has", "says"),
    [
        ({"example.com": True}, "found no mx.example.com in SES .*; set identity: example.com, by"),
        ({"a@mx.example.com": True, "example.com": True}, "; set identity: a@mx.example.com, by"),
        ({"example.com": False}, "found no mx.example.com in SES .*; verify it, or set create_id"),
        ({"mx.example.com": False}, "found mx.example.com not verified in SES .*; publish the DNS"),
    ],
)
def test_another_identity_may_verify_the_sender(
    refusals: Refusals, has: dict[str, bool], says: str
) -> None:
    """The closest that does is named; one that SES has not verified yet serves nobody."""
    account = Answering(NotFoundError("GetEmailIdentity"), has)
    (refusal,) = refusals(account, bounce_sender="a@mx.example.com")
    assert re.search(says, refusal), refusal


def test_settings_that_need_no_identity(refusals: Refusals) -> None:
    """One that will be made, or is left alone, is not looked for."""
    account = Answering(NotFoundError("GetEmailIdentity"))
    assert refusals(account, create_identity=True) == []
    assert refusals(account, attach_configuration_set=False) == []
    assert account.asked == []


@pytest.mark.parametrize("answer", [None, UnavailableError("AccessDenied", "")])
def test_no_answer_is_no_refusal(refusals: Refusals, answer: BouncerError | None) -> None:
    """Whoever may not look, or knows no account, can still synthesise."""
    assert refusals(Answering(answer) if answer else None) == []


@pytest.mark.parametrize(
    ("environ", "answer", "is_asked"),
    [
        (TARGET, {"Account": "123456789012"}, True),
        (TARGET, {"Account": "999999999999"}, False),  # credentials of another account
        (TARGET, UnavailableError("no credentials", ""), False),
        ({"CDK_DEFAULT_REGION": "eu-west-1"}, {"Account": "123456789012"}, False),
        ({}, {"Account": "123456789012"}, False),
    ],
)
def test_only_the_account_deployed_into_is_asked(
    synth: Callable[..., Any],  # noqa: ARG001  # it set up Node
    monkeypatch: pytest.MonkeyPatch,
    environ: dict[str, str],
    answer: dict[str, Any] | BouncerError,
    is_asked: bool,
) -> None:
    """CDK names account and region; whoever holds other credentials learns nothing wrong."""
    from infra.identity import target_account  # noqa: PLC0415

    monkeypatch.setattr(Account, "ask", Answering(answer).ask)
    account = target_account(environ)
    assert (account is not None) == is_asked
    assert account is None or account.region == "eu-west-1"
