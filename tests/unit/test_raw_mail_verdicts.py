"""Verdicts, time and headers of a raw mail are read as SES would have given them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncer.mail.header_block import header_block
from bouncer.mail.message import Message, read_record
from bouncer_cli.raw_mail import EVENT_HEADER_BYTES, Envelope, RawMailError, read_raw_mail
from tests.unit.raw_mails import BODY, FROM_SES, ID, RECEIVED, WRITTEN, read, record


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
