"""Writes a reply as a message (RFC 5322), as RFC 3834 section 3 recommends for automatic replies.

Pure, and imported by what sends or shows replies only: the intake need not import `email`.
"""

from collections.abc import Iterator
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from bouncer.jobs.reply import Reply
from bouncer.mail.quoted_mailbox import quoted_mailbox
from bouncer.rules.rejection import REFERENCE_FIELD

_LINE = 76  # characters of a line of a header, where there is a blank to fold at
_BODY = SMTP.clone(cte_type="7bit", raise_on_defect=True)


def mime(reply: Reply, *, date: datetime) -> bytes:
    """Return the message that is sent at `date`, which is aware; SES adds its Message-ID.

    Lines end with CR LF and have at most 998 octets of ASCII.
    """
    body = EmailMessage(policy=_BODY)
    body.set_content(f"{reply.text.rstrip()}\n", charset="utf-8")
    lines = (f"{name}: {_folded(name, value)}\r\n" for name, value in _headers(reply, date))
    return "".join(lines).encode("ascii") + body.as_bytes()


def _headers(reply: Reply, date: datetime) -> Iterator[tuple[str, str]]:
    """Yield the headers.

    Precedence is left out: RFC 3834 section 3.1.8 leaves it to those who know their receivers.
    X-Auto-Response-Suppress does for Exchange what Auto-Submitted does for all others.
    """
    yield "From", quoted_mailbox(reply.from_)
    yield "To", reply.sender
    yield "Subject", reply.subject
    yield "Date", format_datetime(date)
    if reply.in_reply_to:
        yield "In-Reply-To", reply.in_reply_to
    if reply.references:
        yield "References", " ".join(reply.references)
    yield "Auto-Submitted", "auto-replied"
    yield "X-Auto-Response-Suppress", "All"
    yield REFERENCE_FIELD, reply.reference


def _folded(name: str, value: str) -> str:
    """Return a value in ASCII, as encoded words (RFC 2047) if it has other letters.

    A text that only looks like encoded words is encoded, too: it would be read as something else.
    """
    plain = value.isascii() and "=?" not in value
    if plain and " " not in value:
        return value
    header = Header(value, "us-ascii" if plain else "utf-8", maxlinelen=_LINE, header_name=name)
    return header.encode(splitchars=" ", linesep="\r\n")
