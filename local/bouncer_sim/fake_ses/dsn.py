"""Writes the delivery status notification SES sends for a SendBounce call, as the mail it is.

A pure function: same arguments, same bytes. The layout is that of real notifications of SES (2015
and 2021); header fields that later hosts add, Received and signatures, are left out. The original's
headers are a stranger's bytes: whatever they hold, the result is valid 7-bit mail.
"""

import base64
import hashlib
from datetime import UTC, datetime
from email.generator import BytesGenerator
from email.message import Message
from email.policy import compat32
from email.utils import format_datetime
from io import BytesIO

from bouncer_sim.fake_ses.send_bounce_request import SendBounceRequest
from bouncer_sim.fake_ses.ses_account import ReceivedMail
from bouncer_sim.fake_ses.status_fields import message_fields, recipient_fields
from bouncer_sim.fake_ses.transfer import carry, fold

DEFAULT_EXPLANATION = "This message could not be delivered."

_POLICY = compat32.clone(linesep="\r\n", max_line_length=None)


def write(
    request: SendBounceRequest, original: ReceivedMail, *, bounce_id: str, region: str, at: float
) -> bytes:
    """Return the notification for a request SES admitted, CRLF line ends, ready to be sent.

    `bounce_id` becomes the Message-ID and the source of the boundary; `at` is the time of sending
    in epoch seconds. The envelope is: from the null sender, to the original's sender.
    """
    bodies = (
        _text_part(request.explanation or DEFAULT_EXPLANATION),
        _status_part(request, original, region),
        _headers_part(original.headers),
    )
    notification = _headed(request, original, bounce_id, region, datetime.fromtimestamp(at, UTC))
    _set_type(notification, _boundary(bounce_id, bodies))
    _add(notification, "Feedback-ID", f"1.{region}.{_digest(request.bounce_sender)}:AmazonSES")
    _add(notification, "X-SES-Outgoing", f"{datetime.fromtimestamp(at, UTC):%Y.%m.%d}-127.0.0.1")
    for body in bodies:
        notification.attach(body)
    return _bytes(notification)


def _headed(
    request: SendBounceRequest, original: ReceivedMail, bounce_id: str, region: str, at: datetime
) -> Message:
    notification = Message()
    _add(notification, "Return-Path", "<>")
    _add(notification, "Date", format_datetime(at).replace(", 0", ", "))
    _add(notification, "From", request.bounce_sender)
    _add(notification, "To", original.sender)
    _add(notification, "Message-ID", f"<{bounce_id}@{region}.amazonses.com>")
    _add(notification, "Subject", "Delivery Status Notification (Failure)")
    _add(notification, "MIME-Version", "1.0")
    return notification


def _set_type(notification: Message, boundary: str) -> None:
    notification["Content-Type"] = (
        f'multipart/report;\r\n\tboundary="{boundary}";\r\n\treport-type=delivery-status'
    )


def _text_part(explanation: str) -> Message:
    text = explanation.replace("\r\n", "\n").replace("\r", "\n")
    return _part("text/plain", text.encode(), "Notification", ascii_charset="us-ascii")


def _status_part(request: SendBounceRequest, original: ReceivedMail, region: str) -> Message:
    part = Message()
    part["Content-Type"] = "message/delivery-status"
    part["Content-Transfer-Encoding"] = "7bit"
    part["Content-Description"] = "Delivery Status Notification"
    part.attach(_block(message_fields(request.message_dsn, original.received_at, region)))
    for recipient in request.recipients:
        part.attach(_block(recipient_fields(recipient)))
    return part


def _block(fields: list[tuple[str, str]]) -> Message:
    block = Message()
    for name, value in fields:
        _add(block, name, value)
    return block


def _headers_part(headers: bytes) -> Message:
    lines = headers.replace(b"\r\n", b"\n").lstrip(b"\n")
    # Headers only: should a whole mail have been handed in, its body is not returned.
    block = lines.partition(b"\n\n")[0].rstrip(b"\n")
    return _part("text/rfc822-headers", block + b"\n\n", "Undelivered Message")


def _part(kind: str, body: bytes, description: str, ascii_charset: str | None = None) -> Message:
    payload, encoding, charset = carry(body)
    charset = charset or ascii_charset
    part = Message()
    part["Content-Type"] = f"{kind}; charset={charset}" if charset else kind
    part["Content-Transfer-Encoding"] = encoding
    part["Content-Description"] = description
    part.set_payload(payload)
    return part


def _add(message: Message, name: str, value: str) -> None:
    """Add a header field whose lines stay within RFC 5322's 998 characters."""
    message[name] = fold(name, value)


def _boundary(bounce_id: str, bodies: tuple[Message, ...]) -> str:
    """Return a boundary, shaped like SES's, that occurs in none of the bodies."""
    text = b"".join(_bytes(body) for body in bodies)
    attempt = 0
    while True:
        number = hashlib.sha256(f"{bounce_id}/{attempt}".encode()).hexdigest()
        boundary = f"----=_Part_{attempt}_{int(number[:8], 16)}.{int(number[8:18], 16)}"
        if boundary.encode() not in text:
            return boundary
        attempt += 1


def _digest(bounce_sender: str) -> str:
    return base64.b64encode(hashlib.sha256(bounce_sender.encode()).digest()).decode()


def _bytes(message: Message) -> bytes:
    written = BytesIO()
    BytesGenerator(written, mangle_from_=False, policy=_POLICY).flatten(message)
    return written.getvalue()
