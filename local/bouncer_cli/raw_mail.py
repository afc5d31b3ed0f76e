"""Turns a raw mail into the record SES would have put into its event.

SES's own headers and verdicts are used when the mail bears them; headers are cut at 10 KB, as SES
does; the envelope comes from options, else from what the mail says of it. Nothing here decides.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Any

from bouncer.mail.address import addresses
from bouncer.mail.mime import unfold

HEADER_LIMIT = 10 * 1024  # SES Developer Guide: longer headers are truncated in the event

_END_OF_HEADERS = re.compile(rb"\r\n\r\n|\n\r?\n|\r\r")
_FROM_LINE = re.compile(rb"From (\S+)[^\r\n]*(?:\r\n|\n|\r)")
# How mboxes write that there was no sender, or that they don't know it (Thunderbird).
_NO_SENDER = ("mailer-daemon", "-")
_SES_RECEIVED = re.compile(
    r" by inbound-smtp\.\S+ with \w+ id (?P<id>\S+)(?: for (?P<for>[^;]+))?;(?P<date>.*)"
)
_RESULT = re.compile(r";\s*(spf|dkim|dmarc)=(\w+)", re.IGNORECASE)
_POLICY = re.compile(r";\s*dmarc=fail\s*\(p=(\w+)", re.IGNORECASE)
_LAST_OF_SES = "x-ses-dkim-signature"
_SAID_BY_SENDER = re.compile(r'"(?:[^"\\]|\\.)*"|\([^()]*\)|\b(?:envelope-from|helo)=[^\s;]*')
_WORDS = {
    "pass": "PASS",
    "fail": "FAIL",
    "temperror": "PROCESSING_FAILED",
    "permerror": "PROCESSING_FAILED",
}

Headers = list[tuple[str, str]]  # names in lower case, but for those that go into the event


class RawMailError(ValueError):
    """The bytes can't stand for a received mail; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What the operator says about every mail; None or empty means: as the mail says.

    `verdicts` maps `spf dkim dmarc spam virus dmarc_policy` to SES's words.
    """

    sender: str | None = None
    recipients: tuple[str, ...] = ()
    verdicts: dict[str, str] = field(default_factory=dict)


def header_block(raw: bytes) -> bytes:
    """The mail's headers as they stand, without an mbox `From ` line."""
    start = from_line.end() if (from_line := _FROM_LINE.match(raw)) else 0
    end = _END_OF_HEADERS.search(raw, start)
    return raw[start : end.start() if end else len(raw)]


def ses_record(raw: bytes, envelope: Envelope) -> tuple[dict[str, Any], bytes]:
    """The event record for a raw mail, and its header block as it stands.

    Raises `RawMailError` if the mail has no headers or no recipient.
    """
    block = header_block(raw)
    named = _parse(block)
    if not named:
        raise RawMailError("found no mail headers, expected a mail or an SES event")
    headers = [(name.lower(), value) for name, value in named]
    ses = _SES_RECEIVED.search(next(iter(_values(headers, "received")), ""))
    recipients = list(envelope.recipients) or _recipients(headers, ses)
    if not recipients:
        raise RawMailError("found no recipient in the mail, expected --recipient ADDR to name one")
    truncated = len(block) > HEADER_LIMIT
    mail = {
        "messageId": ses["id"] if ses else sha256(raw).hexdigest()[:40],
        "source": envelope.sender if envelope.sender is not None else _sender(headers, raw),
        "destination": recipients,
        "headersTruncated": truncated,
        "headers": [{"name": name, "value": value} for name, value in _cut(named)],
        "timestamp": _timestamp(headers, ses),
    }
    receipt = {"recipients": recipients, "timestamp": mail["timestamp"]}
    verdicts = (_verdicts(headers) if ses else {}) | envelope.verdicts
    for name, word in verdicts.items():
        if name == "dmarc_policy":
            receipt["dmarcPolicy"] = word
        else:
            receipt[f"{name}Verdict"] = {"status": word.upper()}
    record = {
        "eventSource": "aws:ses",
        "eventVersion": "1.0",
        "ses": {"mail": mail, "receipt": receipt},
    }
    return record, block


def _parse(block: bytes) -> Headers:
    """The headers, unfolded; bytes outside ASCII are UTF-8, else Latin-1."""
    message = BytesHeaderParser(policy=compat32).parsebytes(block)
    return [(name, unfold(_utf8(value))) for name, value in message.raw_items()]


def _utf8(value: str) -> str:
    if value.isascii():
        return value
    raw = value.encode("ascii", "surrogateescape")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _cut(headers: Headers) -> Headers:
    kept: Headers = []
    room = HEADER_LIMIT
    for name, value in headers:
        room -= len(name) + len(value) + 4  # colon, space, line end
        if room < 0:
            break
        kept.append((name, value))
    return kept


def _values(headers: Headers, *names: str) -> list[str]:
    return [value for name, value in headers if name in names]


def _sender(headers: Headers, raw: bytes) -> str:
    for value in _values(headers, "return-path"):
        return value.strip().removeprefix("<").removesuffix(">")
    from_line = _FROM_LINE.match(raw)
    sender = from_line[1].decode("ascii", "replace") if from_line else ""
    return "" if sender.lower() in _NO_SENDER else sender


def _recipients(headers: Headers, ses: re.Match[str] | None) -> list[str]:
    if ses and ses["for"]:
        return [ses["for"].strip().removeprefix("<").removesuffix(">")]
    for value in _values(headers, "delivered-to", "x-original-to", "envelope-to"):
        return [value.strip().removeprefix("<").removesuffix(">")]
    return list(dict.fromkeys(addresses(tuple(_values(headers, "to", "cc")))))


def _timestamp(headers: Headers, ses: re.Match[str] | None) -> str | None:
    for text in (*([ses["date"]] if ses else []), *_values(headers, "date")):
        try:
            return _utc(parsedate_to_datetime(text)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        except (ValueError, TypeError, OverflowError):
            continue
    return None


def _utc(moment: datetime) -> datetime:
    """A zone of -0000 says nothing of the zone, and the email package leaves it out."""
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _verdicts(headers: Headers) -> dict[str, str]:
    """SES's verdicts, from the headers above the sender's own: the first of each name counts."""
    verdicts: dict[str, str] = {}
    written = _written_by_ses(headers)
    for name, header in (("spam", "x-ses-spam-verdict"), ("virus", "x-ses-virus-verdict")):
        for value in _values(written, header)[:1]:
            verdicts[name] = value.strip()
    for value in _values(written, "authentication-results")[:1]:
        if value.partition(";")[0].strip().lower() == "amazonses.com":
            verdicts |= _authentication(value)
    return verdicts


def _written_by_ses(headers: Headers) -> Headers:
    """The headers SES put on top: up to its signature, else to the next `Received`."""
    names = [name for name, _ in headers]
    if _LAST_OF_SES in names:
        headers = headers[: names.index(_LAST_OF_SES)]
    below = [number for number, (name, _) in enumerate(headers) if name == "received"][1:]
    return headers[: below[0]] if below else headers


def _authentication(value: str) -> dict[str, str]:
    verdicts: dict[str, str] = {}
    for name, result in _RESULT.findall(_SAID_BY_SENDER.sub("", value)):
        method, word = name.lower(), _WORDS.get(result.lower(), "GRAY")
        if method == "dkim" and word == "PASS":  # of several signatures one good one is enough
            verdicts[method] = word
        verdicts.setdefault(method, word)  # SES's own comes first
    policy = _POLICY.search(value)
    return verdicts | ({"dmarc_policy": policy[1].lower()} if policy else {})
