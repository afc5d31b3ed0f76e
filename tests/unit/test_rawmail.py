"""A raw mail becomes the event that SES would make: envelope, verdicts, headers, time."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncer.mail.header_block import header_block
from bouncer.mail.message import VERDICTS, Message, read_record
from bouncer_cli.raw_mail import EVENT_HEADER_BYTES, Envelope, RawMailError, read_raw_mail

ID = "7m4nu9t1k8s0rawmail"
RECEIVED = (
    "Received: from mail.sender.example (mail.sender.example [203.0.113.7])\n"
    f" by inbound-smtp.us-east-1.amazonaws.com with SMTP id {ID}\n"
    " for ann@example.com;\n"
    " Mon, 02 Nov 2026 08:14:21 +0000 (UTC)\n"
)
RESULTS = (
    "Authentication-Results: amazonses.com;\n"
    " spf=pass (spfCheck: domain of sender.example) client-ip=203.0.113.7;"
    " envelope-from=bob@sender.example; helo=mail.sender.example;\n"
    " dkim=pass header.i=@sender.example;\n dmarc=pass header.from=sender.example;\n"
)
FROM_SES = (
    f"Return-Path: <bob@sender.example>\n{RECEIVED}"
    f"X-SES-Spam-Verdict: PASS\nX-SES-Virus-Verdict: PASS\n{RESULTS}"
    "X-SES-RECEIPT: AEF\nX-SES-DKIM-SIGNATURE: a=rsa-sha256; d=amazonses.com;\n"
)
WRITTEN = "From: Bob <bob@sender.example>\nTo: Team <team@example.com>\nSubject: Hello\n"
BODY = "\nHello.\n"


def record(text: str, envelope: Envelope | None = None) -> dict[str, Any]:
    """Return the record of a mail; its recipient is ann@example.com unless given."""
    given_ = envelope or Envelope(recipients=("ann@example.com",))
    return read_raw_mail(text.encode("utf-8", "surrogateescape"), given_).record


def read(text: str, envelope: Envelope | None = None) -> Message:
    """Return the message that a mail becomes."""
    return read_record(record(text, envelope))


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


def test_verdicts_need_the_header_of_ses() -> None:
    """Mail that never went through SES has no verdicts, even if its headers claim some."""
    claimed = FROM_SES.replace(RECEIVED, "Received: from a by mx.example.com; date\n")
    assert set(read(claimed + WRITTEN + BODY).verdicts.values()) == {"absent"}
    only_the_id = read(claimed + WRITTEN + BODY).message_id
    assert only_the_id != ID


FORGED = (
    "X-SES-Spam-Verdict: PASS\nX-SES-Virus-Verdict: PASS\n"
    "Authentication-Results: amazonses.com; spf=pass; dkim=pass; dmarc=pass\n"
)


def test_verdicts_of_the_sender_are_not_believed() -> None:
    """Forged verdicts below SES's own headers count neither beside nor instead of them."""
    failed = FROM_SES.replace("=pass", "=fail").replace("Verdict: PASS", "Verdict: FAIL")
    assert set(read(failed + FORGED + WRITTEN).verdicts.values()) == {"fail"}
    silent = f"Return-Path: <x@sender.example>\n{RECEIVED}X-SES-DKIM-SIGNATURE: a=x;\n"
    assert set(read(silent + FORGED + WRITTEN).verdicts.values()) == {"absent"}
    hop = "Received: from a by mx.sender.example; date\n"
    assert set(read(RECEIVED + hop + FORGED + WRITTEN).verdicts.values()) == {"absent"}


def results(text: str) -> Message:
    """Return a mail from SES with this Authentication-Results header."""
    return read(f"{RECEIVED}Authentication-Results: {text}\n{WRITTEN}{BODY}")


@pytest.mark.parametrize(
    ("text", "spf", "dkim", "dmarc"),
    [
        ("amazonses.com; spf=pass; dkim=pass; dmarc=pass", "pass", "pass", "pass"),
        ("amazonses.com; spf=fail; dkim=fail; dmarc=fail", "fail", "fail", "fail"),
        ("amazonses.com; spf=softfail; dkim=none; dmarc=none", "gray", "gray", "gray"),
        (
            "amazonses.com; spf=temperror; dkim=permerror",
            "processing_failed",
            "processing_failed",
            "absent",
        ),
        ("AmazonSES.com; SPF=Pass", "pass", "absent", "absent"),
        ("amazonses.com; dkim=fail header.i=@a; dkim=pass header.i=@b", "absent", "pass", "absent"),
        ("amazonses.com; dkim=pass header.i=@a; dkim=fail header.i=@b", "absent", "pass", "absent"),
        (
            "amazonses.com; spf=fail; helo=x; spf=pass; dmarc=fail; dmarc=pass",
            "fail",
            "absent",
            "fail",
        ),
        (
            'amazonses.com; spf=fail smtp.mailfrom="a; dmarc=pass"@x; dmarc=fail',
            "fail",
            "absent",
            "fail",
        ),
        ("amazonses.com; spf=fail (a; dmarc=pass); dmarc=fail", "fail", "absent", "fail"),
        ("amazonses.com; spf=fail envelope-from=a+dmarc=pass@x", "fail", "absent", "absent"),
        ("amazonses.com.evil.example; spf=pass; dmarc=pass", "absent", "absent", "absent"),
        ("mx.example.com; spf=pass", "absent", "absent", "absent"),
        ("", "absent", "absent", "absent"),
    ],
)
def test_authentication_results(text: str, spf: str, dkim: str, dmarc: str) -> None:
    """SES's results become verdicts; text that a sender can put into them does not count."""
    verdicts = results(text).verdicts
    assert (verdicts["spf"], verdicts["dkim"], verdicts["dmarc"]) == (spf, dkim, dmarc)


def test_dmarc_policy_is_read_when_dmarc_failed() -> None:
    """SES gives the policy only with a failed DMARC."""
    failed = results("amazonses.com; spf=fail; dmarc=fail (p=REJECT) header.from=sender.example;")
    assert failed.dmarc_policy == "reject"
    assert results("amazonses.com; dmarc=fail header.from=sender.example").dmarc_policy == "absent"


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("Mon, 02 Nov 2026 09:14:21 +0100", "2026-11-02T08:14:21.000Z"),
        ("Mon, 02 Nov 2026 08:14:21 -0000", "2026-11-02T08:14:21.000Z"),
        ("2 Nov 2026 08:14:21 GMT", "2026-11-02T08:14:21.000Z"),
        ("yesterday", None),
        ("Mon, 99 Nov 2026 08:14:21 +0000", None),
    ],
)
def test_time_of_a_mail_from_elsewhere_is_its_date(date: str, expected: str | None) -> None:
    """Without SES's header the time is that of Date; without a zone it is UTC."""
    mail = record(f"Date: {date}\n{WRITTEN}{BODY}")["ses"]["mail"]
    assert mail["timestamp"] == expected


def test_headers_are_cut_where_ses_cuts_them() -> None:
    """Beyond 10 KB headers are cut, and the event says so."""
    long = "".join(f"X-Filler-{number}: {'x' * 900}\n" for number in range(12))
    message = read(WRITTEN + long + "X-Last: y\n" + BODY)
    assert message.headers_truncated
    assert message.subject == ("Hello",)
    assert message.header("x-last") == ()
    kept = sum(
        len(name) + len(value) + 4 for name, values in message.headers.items() for value in values
    )
    assert kept <= EVENT_HEADER_BYTES
    assert not read(WRITTEN + "X-Last: y\n" + BODY + "x" * 20_000).headers_truncated


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_do_not_matter(end: str) -> None:
    """LF, CRLF and CR give the same event."""
    unix = record(FROM_SES + WRITTEN + BODY)["ses"]
    other = record((FROM_SES + WRITTEN + BODY).replace("\n", end))["ses"]
    assert other == unix


@pytest.mark.parametrize(
    ("raw", "block"),
    [
        (b"A: 1\nB: 2\n\nbody\n\nmore", b"A: 1\nB: 2"),
        (b"A: 1\r\nB: 2\r\n\r\nbody", b"A: 1\r\nB: 2"),
        (b"A: 1\rB: 2\r\rbody", b"A: 1\rB: 2"),
        (b"A: 1\nB: 2\n\r\nbody", b"A: 1\nB: 2"),
        (b"From x@y.example Mon\nA: 1\n\nbody", b"A: 1"),
        (b"A: 1\n", b"A: 1\n"),
        (b"", b""),
    ],
)
def test_header_block(raw: bytes, block: bytes) -> None:
    """The block is unchanged, without the mbox's From line and without the body."""
    assert header_block(raw) == block


def test_headers_beyond_ascii_are_read() -> None:
    """Headers in UTF-8 are read as such, others as Latin-1."""
    assert read(f"Subject: Käse 日本\n{BODY}").subject == ("Käse 日本",)
    latin = b"Subject: K\xe4se\nTo: a@b.example\n\n"
    assert read_raw_mail(latin, Envelope()).message.subject == ("Käse",)


def test_id_of_a_mail_from_elsewhere_is_its_own() -> None:
    """The same mail has the same id every time, another mail another."""
    first = read(WRITTEN + BODY).message_id
    assert first == read(WRITTEN + BODY).message_id
    assert first != read(WRITTEN + BODY + "more").message_id
    assert len(first) == 40


HEADERISH = st.lists(
    st.sampled_from(
        [
            b"From ",
            b"From: ",
            b"Received: ",
            b"Return-Path: <",
            b"\n",
            b"\r\n",
            b"\r",
            b" ",
            b"\t",
            b":",
            b";",
            b" by inbound-smtp.x.amazonaws.com with SMTP id x for ",
            b"a@b.example",
            b"\x00",
            b"\xff\xfe",
            b"Date: ",
            b"99",
            b"Authentication-Results: amazonses.com; spf=",
            b"\n\n",
        ]
    )
).map(b"".join)


@given(st.binary() | HEADERISH)
def test_any_bytes_are_a_mail_or_refused(raw: bytes) -> None:
    """Any bytes become a readable record or one error."""
    try:
        made = read_raw_mail(raw, Envelope(recipients=("ann@example.com",))).record
    except RawMailError:
        return
    assert read_record(made).recipients == ("ann@example.com",)
