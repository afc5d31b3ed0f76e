"""Turns a raw mail into the record that SES would have put into its event.

The verdicts come from the headers that SES added, if there are any; headers are cut at 10 KB, as by
SES; the envelope comes from options, else from the mail's headers. Nothing here decides.
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
from bouncer_cli.ses_headers import RECEIVED_BY_SES, Headers, ses_verdicts, values

HEADER_LIMIT = 10 * 1024  # SES Developer Guide: longer headers are truncated in the event

_END_OF_HEADERS = re.compile(rb"\r\n\r\n|\n\r?\n|\r\r")
_FROM_LINE = re.compile(rb"From (\S+)[^\r\n]*(?:\r\n|\n|\r)")
# An mbox writes these if there was no sender, or if it is not known (Thunderbird).
_NO_SENDER = ("mailer-daemon", "-")


class RawMailError(ValueError):
    """The bytes are not a received mail; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The envelope and verdicts an operator gives all mails; what is not given, the mail says.

    `verdicts` maps `spf dkim dmarc spam virus dmarc_policy` to SES's words.
    """

    sender: str | None = None
    recipients: tuple[str, ...] = ()
    verdicts: dict[str, str] = field(default_factory=dict)


def header_block(raw: bytes) -> bytes:
    """Return the mail's unchanged header block, without the `From ` line of an mbox."""
    start = from_line.end() if (from_line := _FROM_LINE.match(raw)) else 0
    end = _END_OF_HEADERS.search(raw, start)
    return raw[start : end.start() if end else len(raw)]


def ses_record(raw: bytes, envelope: Envelope) -> tuple[dict[str, Any], bytes]:
    """Return the event record for a raw mail, and its unchanged header block.

    Raises `RawMailError` if the mail has no headers or no recipient.
    """
    block = header_block(raw)
    named = _parse(block)
    if not named:
        raise RawMailError("found no mail headers, expected a mail or an SES event")
    headers = [(name.lower(), value) for name, value in named]
    ses = RECEIVED_BY_SES.search(next(iter(values(headers, "received")), ""))
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
    verdicts = (ses_verdicts(headers) if ses else {}) | envelope.verdicts
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
    """Return the unfolded headers; bytes outside ASCII are read as UTF-8, else as Latin-1."""
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


def _sender(headers: Headers, raw: bytes) -> str:
    for value in values(headers, "return-path"):
        return value.strip().removeprefix("<").removesuffix(">")
    from_line = _FROM_LINE.match(raw)
    sender = from_line[1].decode("ascii", "replace") if from_line else ""
    return "" if sender.lower() in _NO_SENDER else sender


def _recipients(headers: Headers, ses: re.Match[str] | None) -> list[str]:
    if ses and ses["for"]:
        return [ses["for"].strip().removeprefix("<").removesuffix(">")]
    for value in values(headers, "delivered-to", "x-original-to", "envelope-to"):
        return [value.strip().removeprefix("<").removesuffix(">")]
    return list(dict.fromkeys(addresses(tuple(values(headers, "to", "cc")))))


def _timestamp(headers: Headers, ses: re.Match[str] | None) -> str | None:
    for text in (*([ses["date"]] if ses else []), *values(headers, "date")):
        try:
            return _utc(parsedate_to_datetime(text)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        except (ValueError, TypeError, OverflowError):
            continue
    return None


def _utc(moment: datetime) -> datetime:
    """Return the time in UTC; the email package reads the zone -0000 as no zone."""
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
