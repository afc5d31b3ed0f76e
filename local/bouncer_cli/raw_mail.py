"""Turns a raw mail into the message, or the event record, that SES would have made of it.

The verdicts come from the headers that SES added, else from those of a server that the operator
trusts; headers are cut at 10 KB, as by SES; the envelope comes from options, else from the mail's
headers. Nothing here decides.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from bouncer.mail.content import Content
from bouncer.mail.header_block import from_line, header_block, read_headers
from bouncer.mail.message import (
    ABSENT,
    RECIPIENTS,
    SENDER,
    SETUP_NOTIFICATION,
    VERDICTS,
    Message,
    by_name,
    envelope_address,
    envelope_recipients,
)
from bouncer_cli.mail_date import read_date
from bouncer_cli.raw_envelope import Found, Trusted, believed, find_envelope
from bouncer_cli.ses_headers import (
    Headers,
    ses_verdicts,
    trusted_verdicts,
    values,
)

_POLICY = "dmarc_policy"
EVENT_HEADER_BYTES = 10 * 1024  # SES Developer Guide: longer headers are truncated in the event


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RawMail:
    """A raw mail as SES would have handed it on.

    `header_block` is unchanged; `named` are the headers that fit into an event, as they are
    written, and `headers` the same with names in lower case. `verdicts` are SES's words by name,
    and `received_at` is the time in SES's `Received` or in Date.
    """

    raw: bytes
    header_block: bytes
    named: Headers
    headers: Headers
    headers_truncated: bool
    message_id: str
    envelope: Found
    received_at: datetime | None
    verdicts: dict[str, str]

    @property
    def message(self) -> Message:
        """The mail as rules see it, which is what `read_record` makes of the record."""
        words = {name: word.strip().lower() or ABSENT for name, word in self.verdicts.items()}
        return Message(
            message_id=self.message_id,
            received_at=self.received_at,
            sender=envelope_address(self.envelope.sender),
            recipients=envelope_recipients(self.envelope.recipients),
            headers=by_name(self.headers),
            headers_truncated=self.headers_truncated,
            verdicts={name: words.get(name, ABSENT) for name in VERDICTS},
            dmarc_policy=words.get(_POLICY, ABSENT),
            assumed=self.envelope.assumed,
            content=Content(self.raw),
        )

    @property
    def record(self) -> dict[str, Any]:
        """The record of an event."""
        moment = self.received_at
        timestamp = f"{moment.isoformat()[:19]}.000Z" if moment else None
        mail = {
            "messageId": self.message_id,
            "source": self.envelope.sender,
            "destination": self.envelope.recipients,
            "headersTruncated": self.headers_truncated,
            "headers": [{"name": name, "value": value} for name, value in self.named],
            "timestamp": timestamp,
        }
        receipt: dict[str, Any] = {"recipients": self.envelope.recipients, "timestamp": timestamp}
        for name, word in self.verdicts.items():
            if name == _POLICY:
                receipt["dmarcPolicy"] = word
            else:
                receipt[f"{name}Verdict"] = {"status": word.upper()}
        return {
            "eventSource": "aws:ses",
            "eventVersion": "1.0",
            "ses": {"mail": mail, "receipt": receipt},
        }


def read_raw_mail(raw: bytes, envelope: Envelope) -> RawMail:
    """Read a raw mail; raise `RawMailError` if it has no headers or no recipient."""
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
    fitting = _fitting(named) if len(block) + 2 * len(named) > EVENT_HEADER_BYTES else len(named)
    return RawMail(
        raw=raw,
        header_block=block,
        named=named[:fitting],
        headers=headers[:fitting],
        headers_truncated=not whole or len(block) > EVENT_HEADER_BYTES,
        message_id=_message_id(ses["id"]) if ses else sha256(raw).hexdigest()[:40],
        envelope=found,
        received_at=(_moment([ses["date"]]) if ses else None) or _moment(values(headers, "date")),
        verdicts=_verdicts(trusted, envelope),
    )


def _message_id(by_ses: str) -> str:
    if by_ses.endswith(SETUP_NOTIFICATION):
        raise RawMailError(f"found {SETUP_NOTIFICATION}, which SES sends when a rule is made")
    return by_ses


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


def _fitting(headers: Headers) -> int:
    """Return the number of headers that fit into an event."""
    room = EVENT_HEADER_BYTES
    for place, (name, value) in enumerate(headers):
        room -= len(name) + len(value) + 4  # colon, space, line end
        if room < 0:
            return place
    return len(headers)


def _moment(dates: list[str]) -> datetime | None:
    """Return the first time that can be read, to the second."""
    for text in dates:
        try:
            return _utc(read_date(text))
        except (ValueError, TypeError, OverflowError):
            continue
    return None


def _utc(moment: datetime) -> datetime:
    """Return the time in UTC; the email package reads the zone -0000 as no zone."""
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
