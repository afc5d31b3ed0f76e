"""Turns a raw mail into the record that SES would have put into its event.

The verdicts come from the headers that SES added, else from those of a server that the operator
trusts; headers are cut at 10 KB, as by SES; the envelope comes from options, else from the mail's
headers. Nothing here decides.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple

from bouncer.mail.header_block import from_line, header_block, read_headers
from bouncer.mail.message import RECIPIENTS, SENDER
from bouncer_cli.mail_date import read_date
from bouncer_cli.raw_envelope import Found, Trusted, believed, find_envelope
from bouncer_cli.ses_headers import (
    Headers,
    ses_verdicts,
    trusted_verdicts,
    values,
)

HEADER_LIMIT = 10 * 1024  # SES Developer Guide: longer headers are truncated in the event


class RawMailError(ValueError):
    """The bytes are not a received mail; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The envelope and verdicts an operator gives all mails; what is not given, the mail says.

    `verdicts` maps `spf dkim dmarc spam virus dmarc_policy` to SES's words. `trusted` is the name
    of the server whose Authentication-Results are believed where SES has none.
    """

    sender: str | None = None
    recipients: tuple[str, ...] = ()
    verdicts: dict[str, str] = field(default_factory=dict)
    trusted: str | None = None


class RawMail(NamedTuple):
    """A raw mail as the record of an event; `assumed` has the parts of the envelope not known.

    `header_block` is unchanged.
    """

    record: dict[str, Any]
    header_block: bytes
    assumed: frozenset[str]


def read_raw_mail(raw: bytes, envelope: Envelope) -> RawMail:
    """Return a raw mail as SES would have handed it on.

    Raises `RawMailError` if the mail has no headers or no recipient.
    """
    block = header_block(raw)
    named, whole = read_headers(block)
    if not named:
        raise RawMailError("found no mail headers, expected a mail or an SES event")
    headers = [(name.lower(), value) for name, value in named]
    trusted = believed(headers, envelope.trusted)
    found = _told(envelope, find_envelope(headers, trusted, from_line(raw)))
    if not found.recipients:
        raise RawMailError("found no recipient in the mail, expected --recipient ADDR to name one")
    ses = trusted.ses
    timestamp = _timestamp([ses["date"]] if ses else [], headers)
    mail = {
        "messageId": ses["id"] if ses else sha256(raw).hexdigest()[:40],
        "source": found.sender,
        "destination": found.recipients,
        "headersTruncated": not whole or len(block) > HEADER_LIMIT,
        "headers": _listed(named, cut=len(block) + 2 * len(named) > HEADER_LIMIT),
        "timestamp": timestamp,
    }
    receipt = {
        "recipients": found.recipients,
        "timestamp": timestamp,
        **_receipt_members(_verdicts(trusted, envelope)),
    }
    record = {
        "eventSource": "aws:ses",
        "eventVersion": "1.0",
        "ses": {"mail": mail, "receipt": receipt},
    }
    return RawMail(record, block, found.assumed)


def _told(envelope: Envelope, found: Found) -> Found:
    """Return the envelope with what the operator told, which is never assumed."""
    if envelope.sender is not None:
        found = found._replace(sender=envelope.sender, assumed=found.assumed - {SENDER})
    if envelope.recipients:
        told = list(envelope.recipients)
        found = found._replace(recipients=told, assumed=found.assumed - {RECIPIENTS})
    return found


def _verdicts(trusted: Trusted, envelope: Envelope) -> dict[str, str]:
    """Return the operator's verdicts, and for the rest those of SES or of the trusted server."""
    if trusted.ses:
        return ses_verdicts(trusted.verdicts) | envelope.verdicts
    if envelope.trusted is None:
        return envelope.verdicts
    return trusted_verdicts(trusted.verdicts, envelope.trusted) | envelope.verdicts


def _receipt_members(verdicts: dict[str, str]) -> dict[str, Any]:
    return {
        **{
            f"{name}Verdict": {"status": word.upper()}
            for name, word in verdicts.items()
            if name != "dmarc_policy"
        },
        **({"dmarcPolicy": verdicts["dmarc_policy"]} if "dmarc_policy" in verdicts else {}),
    }


def _listed(headers: Headers, *, cut: bool) -> list[dict[str, str]]:
    """Return the headers as an event has them; with `cut`, those that fit into an event."""
    if not cut:
        return [{"name": name, "value": value} for name, value in headers]
    kept = []
    room = HEADER_LIMIT
    for name, value in headers:
        room -= len(name) + len(value) + 4  # colon, space, line end
        if room < 0:
            break
        kept.append({"name": name, "value": value})
    return kept


def _timestamp(received: list[str], headers: Headers) -> str | None:
    for text in (*received, *values(headers, "date")):
        try:
            return f"{_utc(read_date(text)).isoformat()[:19]}.000Z"
        except (ValueError, TypeError, OverflowError):
            continue
    return None


def _utc(moment: datetime) -> datetime:
    """Return the time in UTC; the email package reads the zone -0000 as no zone."""
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
