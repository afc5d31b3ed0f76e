"""A raw mail becomes the event that SES would make: envelope, verdicts, headers, time."""

import pytest

from bouncer.mail.message import VERDICTS
from bouncer_cli.raw_mail import Envelope, RawMailError, read_raw_mail
from tests.unit.raw_mails import BODY, FROM_SES, ID, RECEIVED, WRITTEN, read, record


def test_mail_stored_by_ses_is_read_as_ses_saw_it() -> None:
    """SES's own headers give id, envelope, verdicts, source and time."""
    message = read(FROM_SES + WRITTEN + BODY, Envelope())
    assert message.message_id == ID
    assert message.sender == "bob@sender.example"
    assert message.recipients == ("ann@example.com",)
    assert message.verdicts == dict.fromkeys(VERDICTS, "pass")
    assert str(message.source_ip) == "203.0.113.7"
    assert message.helo == "mail.sender.example"
    assert message.received_at is not None
    assert message.received_at.isoformat() == "2026-11-02T08:14:21+00:00"


def test_options_win() -> None:
    """The operator's options win over the mail's own headers."""
    envelope = Envelope(
        sender="eve@evil.example",
        recipients=("x@example.com", "y@example.com"),
        verdicts={"spf": "fail", "virus": "processing_failed", "dmarc_policy": "reject"},
    )
    message = read(FROM_SES + WRITTEN + BODY, envelope)
    assert message.sender == "eve@evil.example"
    assert message.recipients == ("x@example.com", "y@example.com")
    assert message.verdicts["spf"] == "fail"
    assert message.verdicts["virus"] == "processing_failed"
    assert message.verdicts["dkim"] == "pass"
    assert message.dmarc_policy == "reject"
    assert read(FROM_SES + WRITTEN, Envelope(sender="")).sender == ""


@pytest.mark.parametrize(
    ("top", "sender"),
    [
        ("Return-Path: <bob@sender.example>\n", "bob@sender.example"),
        ("Return-Path: bob@sender.example\n", "bob@sender.example"),
        ("Return-Path: <>\n", ""),
        (
            "Return-path:  <bob@sender.example> \nReturn-Path: <eve@evil.example>\n",
            "bob@sender.example",
        ),
        ("From bob@sender.example Mon Nov  2 08:14:21 2026\n", "bob@sender.example"),
        (
            "From eve@evil.example Mon Nov  2 08:14:21 2026\nReturn-Path: <bob@sender.example>\n",
            "bob@sender.example",
        ),
        ("From MAILER-DAEMON Mon Nov  2 08:14:21 2026\n", ""),
        ("From - Mon Nov  2 08:14:21 2026\n", None),
        ("From 1545668983435175434@xxx Fri Sep 16 22:26:51 +0000 2026\n", None),
        ("From Kamil X <kamil@sender.example> Mon Nov  2 08:14:21 2026\n", "kamil@sender.example"),
        ("", None),
        ("Sender: eve@sender.example\nReply-To: eve@sender.example\n", None),
        ("Return-Path: nobody knows\n", None),
        ("Return-Path:\n", ""),
        ("X-Envelope-From: <eve@evil.example>\n", "eve@evil.example"),
        ("X-Envelope-From: <>\nReceived-SPF: none envelope-from=eve@evil.example\n", ""),
        ("X-Envelope-From:\n", None),
        (
            (
                "Received-SPF: pass (domain of envelope-from=eve@evil.example) client-ip=192.0.2.1;"
                ' envelope-from="ann@bounces.example"; helo=x\n'
            ),
            "ann@bounces.example",
        ),
        ("Received-SPF: none identity=helo; envelope-from=<>;\n", ""),
        ("Received-SPF: pass (domain of eve@evil.example) client-ip=192.0.2.1;\n", None),
        (
            (
                "Authentication-Results: mx.example.com; spf=pass (smtp.mailfrom=eve@x.example)"
                " smtp.mailfrom=ann@bounces.example; dkim=none\n"
            ),
            "ann@bounces.example",
        ),
        ("Authentication-Results: spf=pass (ok) smtp.mailfrom=sender.example; dkim=none\n", None),
        (
            'Authentication-Results: mx.example.com; spf=pass smtp.mailfrom="a b=c"@evil.example\n',
            None,
        ),
        (
            (
                "From eve@evil.example Mon Nov  2 08:14:21 2026\n"
                "Authentication-Results: mx; spf=pass smtp.mailfrom=a@b.example\n"
                "Received-SPF: pass envelope-from=c@d.example\n"
            ),
            "c@d.example",
        ),
        (FROM_SES.partition("\n")[2], "bob@sender.example"),
        (RECEIVED + "X-SES-DKIM-SIGNATURE: x\nReturn-Path: <eve@evil.example>\n", "assumed"),
    ],
)
def test_envelope_sender(top: str, sender: str | None) -> None:
    """The sender is what a server wrote down, the surest first; else it is assumed from From.

    A Return-Path below SES's own headers is a stranger's word, so its sender is assumed as well.
    """
    raw = read_raw_mail(f"{top}{WRITTEN}{BODY}".encode(), Envelope())
    if sender in (None, "assumed"):
        assert "sender" in raw.message.assumed
        author = "eve@evil.example" if sender else "bob@sender.example"
        assert raw.message.sender == author
    else:
        assert "sender" not in raw.message.assumed
        assert raw.message.sender == sender


@pytest.mark.parametrize(
    ("headers", "unknown"),
    [
        ("Subject: Hello\n", True),
        ("From: Bob\n", True),
        ("From: Mail System <>\n", False),
        ("From: Bob\nReturn-Path: <>\n", False),
        ("Content-Type: multipart/report; report-type=delivery-status\n", False),
        ("From: MAILER-DAEMON@mx.example\nContent-Type: Multipart/Report\n", False),
        ("Content-Type: message/delivery-status\n", False),
        ("Content-Type: multipart/reporter\n", True),
    ],
)
def test_sender_that_nothing_tells_is_unknown(headers: str, unknown: bool) -> None:
    """A mail without a sender is not taken for a report, which has the null sender."""
    raw = read_raw_mail(f"{headers}To: ann@example.com\n\n".encode(), Envelope())
    message = raw.message
    assert message.sender == ""
    assert message.sender_unknown == unknown


@pytest.mark.parametrize(
    ("top", "recipients"),
    [
        (RECEIVED + "Delivered-To: box@example.com\n", ("ann@example.com",)),
        (RECEIVED.replace("ann@example.com", "<ann@example.com>"), ("ann@example.com",)),
        ("Delivered-To: box@example.com\n", ("box@example.com",)),
        ("Delivered-To: <box@example.com>\n", ("box@example.com",)),
        ("X-Original-To: orig@example.com\n", ("orig@example.com",)),
        ("Envelope-To: env@example.com\n", ("env@example.com",)),
        (RECEIVED.replace("\n for ann@example.com", ""), None),
        (
            "Cc: team@example.com, Carl <carl@example.com>\n",
            ("team@example.com", "carl@example.com"),
        ),
        ("", None),
        ("Received: from x by mx.example.com for <yes@example.com>; date\n", ("yes@example.com",)),
        ("Received: from x by mx.example.com (for <no@example.com>); date\n", None),
        ("Received: from x by mx.example.com for everybody; date\n", None),
        ("Received: from x by mx.example.com\n" + RECEIVED, ("ann@example.com",)),
        ("Delivered-To: Autoresponder\nDelivered-To: box@example.com\n", ("box@example.com",)),
        ("Envelope-to: a@example.com,\n B@example.com\n", ("a@example.com", "B@example.com")),
        ("X-Original-To: x@example.com\nDelivered-To: y@example.com\n", ("x@example.com",)),
        (RECEIVED.replace("\n for ann@example.com", "") + "Delivered-To: no@x.example\n", None),
        ("Cc: TEAM@example.com, 'team@example.com' <team@example.com>\n", None),
        ('Cc: "team@example.com <team@example.com>\n', None),
    ],
)
def test_envelope_recipients(top: str, recipients: tuple[str, ...] | None) -> None:
    """Recipients are from SES's Received, a delivery header or a `for`; else assumed to be To's."""
    raw = read_raw_mail(f"{top}{WRITTEN}{BODY}".encode(), Envelope())
    found = {address.lower() for address in raw.message.recipients}
    assert found == {address.lower() for address in recipients or ("team@example.com",)}
    assert ("recipients" in raw.message.assumed) == (
        recipients is None or "carl@example.com" in found
    )


def test_mail_without_recipient_is_refused() -> None:
    """A mail with Bcc alone and no delivery header needs --recipient."""
    with pytest.raises(RawMailError, match="--recipient"):
        record("From: bob@sender.example\nSubject: x\n\nHello.\n", Envelope())


@pytest.mark.parametrize("text", ["just a text\n", "\n\nFrom: x\n", "12345", "{", "From x\n\nbody"])
def test_text_without_headers_is_refused(text: str) -> None:
    """A text without headers is refused in one sentence."""
    with pytest.raises(RawMailError, match="found no mail headers"):
        record(text)
