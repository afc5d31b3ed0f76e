"""The events that SES publishes about a mail it sent, in the shape that event destinations get.

Source: SES Developer Guide, "Contents of event data" and "Examples of event data". What becomes of
a mail follows from its recipient: addresses of SES's mailbox simulator bounce or complain, and
mail to everybody else is delivered.
"""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from bouncer_sim.fake_ses.outgoing_mail import OutgoingMail
from bouncer_sim.fake_ses.syntax import split_mailbox

ACCOUNT = "111122223333"
_SIMULATOR = "simulator.amazonses.com"
_LONGEST_HEADERS = 10_240  # bytes of the headers in an event

Event = dict[str, Any]


def events(mail: OutgoingMail, *, message_id: str, region: str, at: float) -> Iterator[Event]:
    """Yield the events of a mail that SES accepted `at` (epoch seconds), in order."""
    about = _mail(mail, message_id, region, at)
    yield {"eventType": "Send", "mail": about, "send": {}}
    for recipient in mail.destinations:
        yield from _fate(about, recipient, at)


def _fate(about: Event, recipient: str, at: float) -> Iterator[Event]:
    local, _, domain = recipient.lower().partition("@")
    name = local.partition("+")[0] if domain == _SIMULATOR else ""
    if name in {"bounce", "suppressionlist"}:
        yield {"eventType": "Bounce", "mail": about, "bounce": _bounce(recipient, name, at)}
        return
    yield {"eventType": "Delivery", "mail": about, "delivery": _delivery(recipient, at)}
    if name == "complaint":
        yield {"eventType": "Complaint", "mail": about, "complaint": _complaint(recipient, at)}


def _bounce(recipient: str, name: str, at: float) -> Event:
    known = name == "suppressionlist"
    return {
        "bounceType": "Permanent",
        "bounceSubType": "OnAccountSuppressionList" if known else "General",
        "bouncedRecipients": [
            {
                "emailAddress": recipient,
                "action": "failed",
                "status": "5.1.1",
                "diagnosticCode": "smtp; 550 5.1.1 user unknown",
            }
        ],
        "timestamp": _time(at + 1),
        "feedbackId": _feedback_id(recipient, at),
        "reportingMTA": "dns; a8-70.smtp-out.amazonses.com",
    }


def _complaint(recipient: str, at: float) -> Event:
    return {
        "complainedRecipients": [{"emailAddress": recipient}],
        "timestamp": _time(at + 2),
        "feedbackId": _feedback_id(recipient, at),
        "complaintSubType": None,
        "complaintFeedbackType": "abuse",
    }


def _delivery(recipient: str, at: float) -> Event:
    return {
        "timestamp": _time(at + 1),
        "processingTimeMillis": 1000,
        "recipients": [recipient],
        "smtpResponse": "250 2.6.0 Message received",
        "reportingMTA": "a8-70.smtp-out.amazonses.com",
    }


def _mail(mail: OutgoingMail, message_id: str, region: str, at: float) -> Event:
    from email import message_from_bytes  # noqa: PLC0415  # takes a while
    from email.policy import SMTP  # noqa: PLC0415

    address = split_mailbox(mail.source)[1]
    domain = address.rpartition("@")[2]
    head = mail.message.partition(b"\r\n\r\n")[0]
    parsed = message_from_bytes(head[:_LONGEST_HEADERS] + b"\r\n\r\n", policy=SMTP)
    headers = [{"name": name, "value": str(value)} for name, value in parsed.items()]
    return {
        "timestamp": _time(at),
        "source": mail.source,
        "sourceArn": f"arn:aws:ses:{region}:{ACCOUNT}:identity/{domain}",
        "sendingAccountId": ACCOUNT,
        "messageId": message_id,
        "destination": list(mail.destinations),
        "headersTruncated": len(head) > _LONGEST_HEADERS,
        "headers": headers,
        "commonHeaders": {
            "from": [str(parsed["From"])],
            "to": [each.strip() for each in str(parsed["To"] or "").split(",") if each.strip()],
            "messageId": message_id,
            "subject": str(parsed["Subject"] or ""),
        },
        "tags": {
            "ses:configuration-set": [mail.configuration_set or ""],
            "ses:source-ip": ["127.0.0.1"],
            "ses:from-domain": [domain],
            "ses:caller-identity": ["fake-ses"],
            **{name: [value] for name, value in mail.tags},
        },
    }


def _feedback_id(recipient: str, at: float) -> str:
    return f"0100{uuid.uuid5(uuid.NAMESPACE_OID, f'{recipient}/{at!r}')}-000000"


def _time(at: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
