"""The notification is real mail: complete, readable by others, valid whatever the original held."""

import email
from dataclasses import replace
from email.message import EmailMessage, Message
from email.policy import default

from flufl.bounce import scan_message
from hypothesis import given, settings
from hypothesis import strategies as st

from bouncer_sim.fake_ses.dsn import DEFAULT_EXPLANATION, write
from bouncer_sim.fake_ses.send_bounce_request import (
    BouncedRecipient,
    BounceType,
    SendBounceRequest,
    parse,
)
from bouncer_sim.fake_ses.ses_account import ReceivedMail

PLAIN = SendBounceRequest(
    original_message_id="orig-1",
    bounce_sender="postmaster@example.com",
    explanation=None,
    message_dsn=None,
    recipients=(BouncedRecipient(recipient="ann@example.com", reason=BounceType.DOES_NOT_EXIST),),
)
MAIL = ReceivedMail(
    message_id="orig-1",
    sender="stranger@example.net",
    recipients=("ann@example.com",),
    received_at=1_769_860_800.0,
    headers=b"From: s@example.net\r\nSubject: Hello\r\n",
)


def _written(
    request: SendBounceRequest = PLAIN, headers: bytes = MAIL.headers, explanation: str = ""
) -> bytes:
    return write(
        replace(request, explanation=explanation) if explanation else request,
        replace(MAIL, headers=headers),
        bounce_id="0101-x-000000",
        region="eu-west-1",
        at=1_769_860_860.5,
    )


def _parts(dsn: bytes) -> list[EmailMessage]:
    message = email.message_from_bytes(dsn, policy=default)
    assert not message.defects
    found = [part for part in message.iter_parts() if isinstance(part, EmailMessage)]
    assert [part.get_content_type() for part in found] == [
        "text/plain",
        "message/delivery-status",
        "text/rfc822-headers",
    ]
    return found


def _body_of(part: Message) -> bytes:
    body = part.get_payload(decode=True)
    assert isinstance(body, bytes)
    return body.replace(b"\r\n", b"\n")


def _status_fields(dsn: bytes) -> list[list[tuple[str, str]]]:
    """Return name and raw value of the fields of each block, blank blocks left out."""
    blocks = email.message_from_bytes(dsn).get_payload(1)
    assert isinstance(blocks, Message)
    payload = blocks.get_payload()
    assert isinstance(payload, list)
    return [block.items() for block in payload if isinstance(block, Message) and block.items()]


def _is_valid_mail(dsn: bytes) -> bool:
    lines = dsn.split(b"\r\n")
    return (
        dsn.isascii()
        and b"\0" not in dsn
        and all(len(line) <= 998 and b"\n" not in line and b"\r" not in line for line in lines)
    )


def test_top_level_headers_are_those_of_ses() -> None:
    """Null return path, sender as given, original sender, SES's subject, id and date format."""
    message = email.message_from_bytes(_written())
    assert message.items()[:7] == [
        ("Return-Path", "<>"),
        ("Date", "Sat, 31 Jan 2026 12:01:00 +0000"),
        ("From", "postmaster@example.com"),
        ("To", "stranger@example.net"),
        ("Message-ID", "<0101-x-000000@eu-west-1.amazonses.com>"),
        ("Subject", "Delivery Status Notification (Failure)"),
        ("MIME-Version", "1.0"),
    ]
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"
    assert str(message["Feedback-ID"]).startswith("1.eu-west-1.")
    assert str(message["Feedback-ID"]).endswith(":AmazonSES")


def test_ready_made_reason_becomes_codes() -> None:
    """A bounce type supplies action, diagnostic and status; SES supplies MTA and arrival date."""
    assert _status_fields(_written()) == [
        [
            ("Reporting-MTA", "dns; inbound-smtp.eu-west-1.amazonaws.com"),
            ("Arrival-Date", "Sat, 31 Jan 26 12:00:00 UTC"),
        ],
        [
            ("Action", "failed"),
            ("Final-Recipient", "rfc822; ann@example.com"),
            ("Original-Recipient", "rfc822; ann@example.com"),
            ("Diagnostic-Code", "smtp; 550 5.1.1 Mailbox does not exist"),
            ("Status", "5.1.1"),
        ],
    ]


def test_every_parameter_reaches_the_notification(full: dict[str, str]) -> None:
    """A call that uses everything yields every field, in order, for both recipients."""
    dsn = _written(parse(full))
    fields = [field for block in _status_fields(dsn) for field in block]
    assert [f"{name}: {value}" for name, value in fields] == [
        "Reporting-MTA: dns; mx.example.com",
        "Arrival-Date: Sat, 31 Jan 26 12:00:00 UTC",
        "X-Reference: r-42; a=b&c",
        "X-Other: two",
        "Action: failed",
        "Final-Recipient: rfc822; ann.b@example.org",
        "Original-Recipient: rfc822; ann@example.com",
        "Diagnostic-Code: smtp; 550 5.7.1 Policy (see https://example.com/?a=1)",
        "Status: 5.7.1",
        "Remote-MTA: dns; remote.example.net",
        "Last-Attempt-Date: Sat, 31 Jan 26 12:00:01 UTC",
        "X-Rule: 200-departed",
        "Action: failed",
        "Final-Recipient: rfc822; bob@example.com",
        "Original-Recipient: rfc822; bob@example.com",
        "Diagnostic-Code: smtp; 550 5.1.1 Mailbox does not exist",
        "Status: 5.1.1",
    ]
    assert _body_of(_parts(dsn)[0]).startswith(b"Ann & Bob have left; 100 % sure.\nWrite to")


def test_bare_diagnostic_gets_a_type(full: dict[str, str]) -> None:
    """RFC 3464 2.3.6 wants `smtp;` in front of an SMTP reply, once."""
    name = "BouncedRecipientInfoList.member.1.RecipientDsnFields.DiagnosticCode"
    _, ann, _ = _status_fields(_written(parse(full | {name: "550 5.7.1 No"})))
    assert dict(ann)["Diagnostic-Code"] == "smtp; 550 5.7.1 No"


def test_other_software_finds_the_recipients(full: dict[str, str]) -> None:
    """A bounce detector that knows nothing of us names the failed addresses."""
    assert scan_message(email.message_from_bytes(_written())) == {b"ann@example.com"}
    assert scan_message(email.message_from_bytes(_written(parse(full)))) == {
        b"ann@example.com",
        b"bob@example.com",
    }


def test_temporary_failure_is_understood_as_failed() -> None:
    """As in a real notification: action failed, status 4.0.0."""
    recipient = BouncedRecipient(recipient="ann@example.com", reason=BounceType.TEMPORARY_FAILURE)
    _, ann = _status_fields(_written(replace(PLAIN, recipients=(recipient,))))
    assert (dict(ann)["Action"], dict(ann)["Status"]) == ("failed", "4.0.0")


def test_text_is_the_explanation_or_the_standard_sentence() -> None:
    """Without an explanation the text is SES's own."""
    assert _body_of(_parts(_written())[0]).decode() == DEFAULT_EXPLANATION
    assert _body_of(_parts(_written(explanation="Gone.\r\nFor good."))[0]) == b"Gone.\nFor good."


def test_explanation_in_any_language_stays_readable() -> None:
    """Text outside ASCII travels as 7-bit and comes out as it was."""
    text = "Büro geschlossen ❄\n" + "x" * 2000
    dsn = _written(explanation=text)
    assert _is_valid_mail(dsn)
    assert _body_of(_parts(dsn)[0]).decode() == text


def test_explanation_cannot_end_its_part() -> None:
    """Text that guesses the boundary, or begins with From, is text."""
    boundary = email.message_from_bytes(_written()).get_boundary()
    text = f"From here\n--{boundary}--\n--{boundary}\nAction: delivered"
    assert _body_of(_parts(_written(explanation=text))[0]) == text.encode()


def test_long_values_are_folded(full: dict[str, str]) -> None:
    """A value of 2048 characters, with or without spaces, stays within the line limit."""
    name = "MessageDsn.ExtensionFields.member.{}.Value"
    long = {name.format(1): "word " * 409, name.format(2): "w" * 2048}
    dsn = _written(parse(full | long))
    assert _is_valid_mail(dsn)
    fields = dict(_status_fields(dsn)[0])
    assert "".join(fields["X-Other"].split()) == "w" * 2048
    assert fields["X-Reference"].split() == ["word"] * 409


def test_same_call_gives_same_bytes() -> None:
    """Nothing in a notification is random."""
    assert _written() == _written()


def test_original_body_is_never_returned() -> None:
    """Should a whole mail be handed in, only its headers come back."""
    assert b"secret" not in _written(headers=b"\r\nSubject: Hello\r\n\r\nsecret\r\n")


def test_mail_with_twenty_thousand_headers_is_answered() -> None:
    """Any size is taken, and nothing of the headers is lost."""
    headers = b"".join(b"X-%d: \xff\0\r\n" % number for number in range(20_000))
    dsn = _written(headers=headers)
    assert _is_valid_mail(dsn)
    assert _body_of(_parts(dsn)[2]) == headers.replace(b"\r\n", b"\n") + b"\n"


def test_headers_outside_ascii_stay_readable() -> None:
    """UTF-8 headers are declared as such, other bytes as Latin-1, and plain ones go as they are."""
    utf8, latin, plain = (
        _parts(_written(headers=text))[2]
        for text in ("Subject: Grüße".encode(), "Subject: Grüße".encode("latin-1"), b"Subject: Hi")
    )
    assert str(utf8.get_content()).rstrip() == str(latin.get_content()).rstrip() == "Subject: Grüße"
    assert plain["Content-Transfer-Encoding"] == "7bit"
    assert plain["Content-Type"] == "text/rfc822-headers"


@settings(max_examples=60)
@given(
    st.binary(max_size=300)
    | st.lists(
        st.sampled_from(
            [
                b"\r",
                b"\n",
                b"\r\n",
                b"\0",
                b"\xe9",
                b"--",
                b"=",
                b"=\r\n",
                b" ",
                b"A: b",
                b"x" * 999,
            ]
        )
    ).map(b"".join)
)
def test_any_headers_come_back_unchanged_in_valid_mail(headers: bytes) -> None:
    """Hostile bytes neither crash nor break the mail, and a reader gets exactly what was sent."""
    dsn = _written(headers=headers)
    assert _is_valid_mail(dsn)
    block = headers.replace(b"\r\n", b"\n").lstrip(b"\n").partition(b"\n\n")[0].rstrip(b"\n")
    payload = _parts(dsn)[2].get_payload(decode=True)
    assert isinstance(payload, bytes)
    # Line ends of the carrier are CRLF; a CR of the original's own is inside quoted-printable.
    assert payload in {block + b"\n\n", (block + b"\n\n").replace(b"\n", b"\r\n")}
