"""SendBounce calls as SES receives them, and the notifications that the fake SES writes."""

import email
import json
from typing import Any

from bouncer_sim.fake_ses.bounce_delivery import BounceDelivery
from bouncer_sim.fake_ses.outbox import Outbox
from bouncer_sim.fake_ses.refusal import ErrorCode, SesError
from bouncer_sim.fake_ses.ses_account import Account, ReceivedMail
from tests.fuzz.drawn import bent
from tests.fuzz.fuzz_target import FuzzTarget

_AT = 1_793_610_000.0
_REGION = "eu-west-1"
_TOP = [
    *("Return-Path", "Date", "From", "To", "Message-ID", "Subject", "MIME-Version", "Content-Type"),
    *("Feedback-ID", "X-SES-Outgoing"),
]


def check(data: bytes) -> None:
    """A call is refused with a code of SES, or becomes one valid mail in 7 bits."""
    try:
        asked = json.loads(data)
        form, headers = asked["form"], asked["headers"].encode("latin-1", "replace")
        sender, recipients = str(asked["sender"]), tuple(map(str, asked["recipients"]))
        texts = {str(name): str(value) for name, value in form.items()}
        "".join((sender, *recipients, *texts, *texts.values())).encode()  # as the wire has it
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return
    account, outbox = Account(["example.com"]), Outbox(None)
    original = ReceivedMail(
        message_id="m1", sender=sender, recipients=recipients, received_at=_AT, headers=headers
    )
    account.receive(original)
    try:
        BounceDelivery(account, outbox).send(texts, number=1, at=_AT + 60, region=_REGION)
    except SesError as error:
        if error.code is ErrorCode.INTERNAL_FAILURE:
            raise
        return
    (bounce,) = outbox.sent
    assert {each.lower() for each in bounce.recipients} <= _concerned(recipients, texts)
    _check_notification(bounce.dsn, original)


def _concerned(recipients: tuple[str, ...], form: dict[str, str]) -> set[str]:
    """Return the recipients of the mail, and those that the call says were meant by one of them."""
    known = {each.lower() for each in recipients}
    for name, value in form.items():
        if name.endswith(".RecipientDsnFields.FinalRecipient") and value.lower() in known:
            known.add(form.get(name.replace("RecipientDsnFields.Final", ""), "").lower())
    return known


def _check_notification(dsn: bytes, original: ReceivedMail) -> None:
    assert dsn.isascii()
    for line in dsn.split(b"\r\n"):
        assert len(line) <= 998, "a line is too long (RFC 5322 section 2.1.1)"
        assert not set(line) & _CONTROLS, line
    mail = email.message_from_bytes(dsn)
    assert not mail.defects
    assert mail.keys() == _TOP, "a header was added"
    assert mail["To"] == original.sender
    parts: Any = mail.get_payload()
    text, status, headers = parts
    assert text.get_content_type() == "text/plain"
    assert headers.get_content_type() == "text/rfc822-headers"
    blocks = [block.keys() for block in status.get_payload() if block.keys()]
    assert blocks[0][0] == "Reporting-MTA"
    assert all(block[:2] == ["Action", "Final-Recipient"] for block in blocks[1:])


_CONTROLS = {*range(0x20), 0x7F} - {0x09}


_RECIPIENT = "BouncedRecipientInfoList.member"
_FORM = {
    "Action": "SendBounce",
    "Version": "2010-12-01",
    "OriginalMessageId": "m1",
    "BounceSender": '"Daemon" <mailer-daemon@example.com>',
    "Explanation": "Ann has left.",
    "MessageDsn.ReportingMta": "dns; mx.example.com",
    "MessageDsn.ArrivalDate": "2026-11-02T08:00:00+00:00",
    "MessageDsn.ExtensionFields.member.1.Name": "X-Bouncer-Reference",
    "MessageDsn.ExtensionFields.member.1.Value": "bnc-abcdefghij234567",
    f"{_RECIPIENT}.1.Recipient": "ann@example.com",
    f"{_RECIPIENT}.1.BounceType": "DoesNotExist",
    f"{_RECIPIENT}.2.Recipient": "bea@example.com",
    f"{_RECIPIENT}.2.RecipientDsnFields.Action": "failed",
    f"{_RECIPIENT}.2.RecipientDsnFields.Status": "5.7.1",
    f"{_RECIPIENT}.2.RecipientDsnFields.DiagnosticCode": "smtp; 550 5.7.1 No",
    f"{_RECIPIENT}.2.RecipientDsnFields.FinalRecipient": "someone@example.org",
    f"{_RECIPIENT}.2.RecipientDsnFields.RemoteMta": "dns; mx.example.org",
    f"{_RECIPIENT}.2.RecipientDsnFields.LastAttemptDate": "2026-11-02T08:00:00Z",
    f"{_RECIPIENT}.2.RecipientDsnFields.ExtensionFields.member.1.Name": "X-Rule",
    f"{_RECIPIENT}.2.RecipientDsnFields.ExtensionFields.member.1.Value": "200-departed",
}
_CALL = {
    "form": _FORM,
    "headers": "From: Eve <eve@partner.example>\r\nSubject: Hello\r\n\tagain\r\n\r\n",
    "sender": "eve@partner.example",
    "recipients": ["ann@example.com", "bea@example.com"],
}
TARGET = FuzzTarget(
    name="dsn",
    check=check,
    examples=bent(_CALL),
    words=(*_FORM, "\\r\\n", "From ", "----=_Part_"),
    json=True,
)
