"""SES's rules for a bounce: about identities, originals, recipients and time."""

from dataclasses import replace

import pytest

from bouncer_sim.fake_ses.refusal import ErrorCode, SesError
from bouncer_sim.fake_ses.send_bounce_request import SendBounceRequest, parse
from bouncer_sim.fake_ses.ses_account import Account, ReceivedMail

FINAL = "BouncedRecipientInfoList.member.1.RecipientDsnFields.FinalRecipient"
FIRST = "BouncedRecipientInfoList.member.1.Recipient"
DAY = 86_400


@pytest.fixture
def request_(full: dict[str, str]) -> SendBounceRequest:
    """Return the call under test."""
    return parse(full)


def _admit(
    request: SendBounceRequest, *mails: ReceivedMail, verified: str = "example.com", at: float = 0
) -> ReceivedMail:
    account = Account([verified])
    for mail in mails:
        account.receive(mail)
    return account.admit(request, at=at or mails[0].received_at, region="eu-west-1")


def _refusal(request: SendBounceRequest, *mails: ReceivedMail, at: float = 0) -> str:
    with pytest.raises(SesError) as caught:
        _admit(request, *mails, at=at)
    assert caught.value.code is ErrorCode.MESSAGE_REJECTED
    return str(caught.value)


def test_proper_bounce_is_admitted(request_: SendBounceRequest, original: ReceivedMail) -> None:
    """A bounce of a received mail, to one of its recipients, from a verified domain, may go out."""
    assert _admit(request_, original) is original


def test_unknown_original_is_refused(request_: SendBounceRequest, original: ReceivedMail) -> None:
    """Only mail SES received can be bounced."""
    assert "not received" in _refusal(request_, replace(original, message_id="other"))


def test_original_older_than_a_day_is_refused(
    request_: SendBounceRequest, original: ReceivedMail
) -> None:
    """After 24 hours it is too late, at 24 hours it is not."""
    assert _admit(request_, original, at=original.received_at + DAY)
    assert "24 hours" in _refusal(request_, original, at=original.received_at + DAY + 1)


@pytest.mark.parametrize("sender", ["", "<>"])
def test_null_sender_is_refused(
    sender: str, request_: SendBounceRequest, original: ReceivedMail
) -> None:
    """A bounce is never bounced."""
    assert "null sender" in _refusal(request_, replace(original, sender=sender))


@pytest.mark.parametrize("sender", ["stranger", "a@b\r\nBcc: c@d", "müller@example.net"])
def test_undeliverable_sender_is_refused(
    sender: str, request_: SendBounceRequest, original: ReceivedMail
) -> None:
    """A sender that is not an address can't be answered, nor get into a header."""
    assert "not an address" in _refusal(request_, replace(original, sender=sender))


def test_foreign_recipient_is_refused(full: dict[str, str], original: ReceivedMail) -> None:
    """A bounce cannot speak for somebody the mail was not for."""
    foreign = parse(full | {FIRST: "eve@example.com"})
    assert "eve@example.com is not a recipient" in _refusal(foreign, original)


def test_final_recipient_vouches_for_recipient(
    full: dict[str, str], original: ReceivedMail
) -> None:
    """It is enough that the final recipient is one of the original's, in any case."""
    assert _admit(parse(full | {FIRST: "eve@example.com", FINAL: "ANN@example.COM"}), original)


@pytest.mark.parametrize(
    ("verified", "sender"),
    [
        ("example.com", "a@example.com"),
        ("EXAMPLE.com", "a@Example.COM"),
        ("example.com", "a@deep.down.example.com"),
        ("a@example.com", "Ann <A@example.com>"),
    ],
)
def test_verified_identity_may_bounce(
    verified: str, sender: str, full: dict[str, str], original: ReceivedMail
) -> None:
    """An address counts as verified itself, by its domain, or by a domain above."""
    assert _admit(parse(full | {"BounceSender": sender}), original, verified=verified)


@pytest.mark.parametrize(
    "sender", ["a@notexample.com", "a@example.com.evil.example", "example.com@evil.example"]
)
def test_unverified_identity_may_not_bounce(
    sender: str, full: dict[str, str], original: ReceivedMail
) -> None:
    """A name that only looks alike is refused, in SES's own words."""
    assert _refusal(parse(full | {"BounceSender": sender}), original) == (
        "Email address is not verified. The following identities failed the check in region "
        f"EU-WEST-1: {sender}"
    )


def test_forgotten_mail_cannot_be_bounced(
    request_: SendBounceRequest, original: ReceivedMail
) -> None:
    """Forgetting a mail is as if it had never come."""
    account = Account(["example.com"])
    account.receive(original)
    account.forget("orig-1")
    with pytest.raises(SesError, match="not received"):
        account.admit(request_, at=original.received_at, region="eu-west-1")
