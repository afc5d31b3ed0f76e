"""Raw mail: its header block, encoded words and charsets, the message and the content for rules."""

from dataclasses import replace

from hypothesis import strategies as st

from bouncer.jobs.job import JobError
from bouncer.judge import judge
from bouncer.mail.header_block import read_headers
from bouncer.mail.message import Message, read_record
from bouncer.mail.mime import decode_words
from bouncer.mail.stored_copy import RawCopy, StoredCopyError, with_all_headers
from bouncer.sending.bounce_request import bounce_request
from bouncer_cli.raw_mail import Envelope, RawMailError, read_raw_mail
from tests.fuzz.call_law import check_call
from tests.fuzz.content_law import check_content
from tests.fuzz.drawn import HOSTILE, encoded
from tests.fuzz.fuzz_target import FuzzTarget
from tests.fuzz.judged import LOADED, NOW, RULESET
from tests.fuzz.repetition import repeated, repetitions

_SIZE = 40_000  # of a repetition
_RECIPIENTS = ("ann@example.com", "bea@example.com")
_VERDICTS = {"spf": "pass", "dmarc": "pass", "spam": "pass", "virus": "pass"}
_ENVELOPE = Envelope(sender="bob@sender.example", recipients=_RECIPIENTS, verdicts=_VERDICTS)


def check(data: bytes) -> None:
    """Any bytes are read; stored mail and the event of it are one message; bounces are sound."""
    data = repeated(data, _SIZE)
    for name, value in read_headers(data).headers:
        assert not set(name) & set(": \t\r\n\0"), ascii(name)
        assert not set(value) & set("\r\n"), ascii(value)
        decode_words(value).encode("utf-8", "surrogatepass")
    check_content(data)
    for envelope in (_ENVELOPE, Envelope()):
        try:
            mail = read_raw_mail(data, envelope)
        except RawMailError:
            continue
        message = mail.message
        assert _seen(read_record(mail.record)) == _seen(message)
        _check_jobs(message)
        _check_completed(message, data)


def _seen(message: Message) -> tuple[object, ...]:
    """Return all that rules may ask of a message."""
    return (
        *(message.headers, message.sender, message.recipients, message.verdicts),
        *(message.subject, message.from_, message.to, message.cc, message.reply_to),
        *(message.helo, message.source_ip, message.headers_truncated, message.dmarc_policy),
    )


def _check_completed(message: Message, data: bytes) -> None:
    """The stored copy says what the event says, and more where that was cut.

    Its headers may stay cut where not every program would end them.
    """
    try:
        found = with_all_headers(message, RawCopy(data))
    except StoredCopyError:
        return
    if not message.headers_truncated:
        assert _seen(replace(found, headers_truncated=False)) == _seen(message)


def _check_jobs(message: Message) -> None:
    try:
        judgement = judge(message, RULESET, LOADED.settings, now=NOW)
    except JobError:  # the intake lets such a mail go on
        return
    for job in judgement.jobs:
        check_call(bounce_request(job), message.recipients)


_NAMES = (
    *("From", "To", "Cc", "Subject", "Reply-To", "Return-Path", "Received", "Date", "Message-ID"),
    *("Authentication-Results", "Received-SPF", "Auto-Submitted", "List-Id", "Precedence"),
    *("Content-Type", "X-SES-Spam-Verdict", "Delivered-To", "X-Envelope-From", "DKIM-Signature"),
)
_LABELS = ("utf-8", "utf-7", "gbk", "big5", "euc-jp", "iso-2022-jp", "hz", "utf-16", "koi8-r", "x")
_WORD = st.builds(
    lambda label, kind, data: f"=?{label}?{kind}?{data}?=",
    st.sampled_from(_LABELS),
    st.sampled_from("bqBQ"),
    st.text("AbZ09+/=_$(B~{}\x1b", max_size=20),
)
_VALUE = st.lists(HOSTILE | _WORD | st.sampled_from(["bob@sender.example", "\n "]), max_size=4)
_HEADER = st.builds(
    lambda name, value, end: f"{name}: {' '.join(value)}{end}",
    st.sampled_from(_NAMES),
    _VALUE,
    st.sampled_from(["\n", "\r\n", "\r", "\r\r\n", "\n\n"]),
)
_RECEIVED = (
    "Received: from mail.sender.example (mail.sender.example [203.0.113.7]) by"
    " inbound-smtp.eu-west-1.amazonaws.com with SMTP id o3vrnil0e2ic28trm7dfhrc2v0clambda4nbp0g1"
    " for ann@example.com; Thu, 01 Jan 2026 12:00:00 +0000 (UTC)\n"
)
_MAIL = st.builds(
    lambda received, headers, raw: encoded(received + "".join(headers)) + raw,
    st.sampled_from(["", _RECEIVED, "From bob@sender.example Mon Nov  2 08:14:21 2026\n"]),
    st.lists(_HEADER, max_size=8),
    st.binary(max_size=40),
)
_MIME = (
    *("Content-Type: multipart/mixed; boundary=b\n", "--b\n", "--b--\n", "\n", "\r\n", "\r"),
    *("Content-Type: text/html; name=", "Content-Disposition: attachment; ", "filename=a.exe"),
    *("; ", "filename*0=", "filename*1*=", "filename*=", "utf-8''a%2Eexe", '"', "\\", "=", "b.exe"),
    *("Content-Transfer-Encoding: base64\n", "QUJD", "=", "(", ")", "/", "name=", "\0", " ", "\t"),
    *("Content-Type: image/png\n", "Content-ID: <a>\n", "PK\x03\x04", "PK\x05\x06", "MZ", "stray"),
    *("<", "<!--", "-->", "<style>", "</style>", "&#", "1", "&#x", "<a b=", "\u0300\u0316"),
)
_PARTS = st.lists(st.sampled_from(_MIME), max_size=25).map(lambda pieces: encoded("".join(pieces)))
TARGET = FuzzTarget(
    name="header",
    check=check,
    examples=_MAIL
    | _PARTS
    | repetitions(_PARTS)
    | repetitions(_HEADER.map(encoded) | HOSTILE.map(encoded)),
    words=(
        *(f"{name}: " for name in _NAMES),
        *(f"=?{label}?b?" for label in _LABELS),
        "?=",
        _RECEIVED[:60],
        *filter(None, map(str.strip, _MIME)),
    ),
)
