"""The fields of the notification's machine-readable part (RFC 3464), in SES's order and format.

It supplies the values that a call leaves to SES: codes of a bounce type, reporting MTA, date.
"""

import re
from datetime import UTC, datetime
from email.utils import format_datetime

from bouncer_sim.fake_ses.send_bounce_request import (
    BouncedRecipient,
    BounceType,
    ExtensionField,
    MessageDsn,
    RecipientDsnFields,
)

Fields = list[tuple[str, str]]

# SES's ready-made reasons, as its bounce templates and real notifications spell them; only the
# words for Undefined are ours.
_PRESETS = {
    BounceType.DOES_NOT_EXIST: ("550", "5.1.1", "Mailbox does not exist"),
    BounceType.MESSAGE_TOO_LARGE: ("552", "5.3.4", "Message too large"),
    BounceType.EXCEEDED_QUOTA: ("552", "5.2.2", "Mailbox full"),
    BounceType.CONTENT_REJECTED: ("500", "5.6.1", "Message content rejected"),
    BounceType.UNDEFINED: ("554", "5.0.0", "Undefined failure"),
    BounceType.TEMPORARY_FAILURE: ("450", "4.0.0", "Temporary failure"),
}
_DIAGNOSTIC_TYPE = re.compile(r"[A-Za-z0-9-]+\s*;")


def message_fields(dsn: MessageDsn | None, received_at: float, region: str) -> Fields:
    """Return name and value of the fields about the message; `received_at` in epoch seconds."""
    mta = dsn.reporting_mta if dsn else f"dns; inbound-smtp.{region}.amazonaws.com"
    arrival = (dsn and dsn.arrival_date) or datetime.fromtimestamp(received_at, UTC)
    return [
        ("Reporting-MTA", mta),
        ("Arrival-Date", _date(arrival)),
        *_extensions(dsn.extension_fields if dsn else ()),
    ]


def recipient_fields(bounced: BouncedRecipient) -> Fields:
    """Return name and value of the fields about one recipient."""
    reason = bounced.reason
    if isinstance(reason, BounceType):
        code, status, words = _PRESETS[reason]
        # `failed` for TemporaryFailure too: so says a real notification of 2015.
        return _core("failed", bounced, f"{code} {status} {words}", status)
    return [
        *_core(reason.action, bounced, reason.diagnostic_code, reason.status),
        *_optional(reason),
        *_extensions(reason.extension_fields),
    ]


def _core(action: str, bounced: BouncedRecipient, diagnostic: str | None, status: str) -> Fields:
    explained = [("Diagnostic-Code", _diagnostic(diagnostic))] if diagnostic else []
    return [
        ("Action", action),
        ("Final-Recipient", f"rfc822; {bounced.final_recipient}"),
        ("Original-Recipient", f"rfc822; {bounced.recipient}"),
        *explained,
        ("Status", status),
    ]


def _optional(fields: RecipientDsnFields) -> Fields:
    remote = [("Remote-MTA", fields.remote_mta)] if fields.remote_mta else []
    attempt = fields.last_attempt_date
    return [*remote, *([("Last-Attempt-Date", _date(attempt))] if attempt else [])]


def _diagnostic(text: str) -> str:
    """RFC 3464 2.3.6 wants a type in front; SES's own are `smtp`, and a given one is kept."""
    return text if _DIAGNOSTIC_TYPE.match(text) else f"smtp; {text}"


def _extensions(fields: tuple[ExtensionField, ...]) -> Fields:
    return [(field.name, field.value) for field in fields]


def _date(moment: datetime) -> str:
    """Format as observed in DSNs of SES: `Thu, 01 Oct 15 13:48:54 UTC`, two-digit year."""
    text = format_datetime(moment, usegmt=True)
    return f"{text[:12]}{text[14:26]}UTC"
