"""Writes a reply as a message (RFC 5322), as RFC 3834 section 3 recommends for automatic replies.

Pure, and imported by what sends or shows replies only: the intake need not import `email`.
"""

from collections.abc import Iterator
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr

from bouncer.jobs.reply import Reply
from bouncer.mail.address import display_name, mailbox_address
from bouncer.mail.mime import decode_words
from bouncer.mail.text import printable
from bouncer.rules.rejection import REFERENCE_FIELD

_LINE = 76  # characters of a line of a header, where there is a blank to fold at
_NAME_LIMIT = 200  # characters of a display name
_BODY = SMTP.clone(cte_type="7bit", raise_on_defect=True)


def mime(reply: Reply, *, date: datetime) -> bytes:
    """Return the message that is sent at `date`, which is aware; SES adds its Message-ID.

    Lines end with CR LF and have at most 998 octets of ASCII.
    """
    body = EmailMessage(policy=_BODY)
    body.set_content(f"{reply.text.rstrip()}\n", charset="utf-8")
    lines = (f"{name}: {value}\r\n" for name, value in _headers(reply, date))
    return "".join(lines).encode("ascii") + body.as_bytes()


def _headers(reply: Reply, date: datetime) -> Iterator[tuple[str, str]]:
    """Yield the headers, in ASCII and folded.

    Addresses and ids are never encoded: no reader would find them again (RFC 2047 section 5).
    Precedence is left out: RFC 3834 section 3.1.8 leaves it to those who know their receivers.
    X-Auto-Response-Suppress does for Exchange what Auto-Submitted does for all others.
    """
    yield "From", _mailbox("From", reply.from_)
    if reply.reply_to:
        yield "Reply-To", _mailbox("Reply-To", reply.reply_to)
    yield "To", _folded("To", reply.sender)
    yield "Subject", _phrase("Subject", reply.subject)
    yield "Date", format_datetime(date)
    if reply.in_reply_to:
        yield "In-Reply-To", reply.in_reply_to
    if reply.references:
        yield "References", _folded("References", " ".join(reply.references))
    yield "Auto-Submitted", "auto-replied"
    yield "X-Auto-Response-Suppress", "All"
    yield REFERENCE_FIELD, reply.reference


def _mailbox(header: str, mailbox: str) -> str:
    """Return a mailbox whose display name is quoted or encoded if it has to be.

    An operator who needs other letters than ASCII writes the name as encoded words.
    """
    address = mailbox_address(mailbox)
    name = printable(decode_words(display_name(mailbox)), _NAME_LIMIT)
    if _is_plain(name):
        return _folded(header, formataddr((name, address)))
    return f"{_phrase(header, name)}\r\n <{address}>"


def _phrase(header: str, text: str) -> str:
    """Return a text in ASCII, as encoded words (RFC 2047) if it has other letters.

    A text that only looks like encoded words is encoded, too: it would be read as something else.
    """
    if _is_plain(text):
        return _folded(header, text)
    return Header(text, "utf-8", maxlinelen=_LINE, header_name=header).encode(linesep="\r\n")


def _is_plain(text: str) -> bool:
    return text.isascii() and "=?" not in text


def _folded(header: str, value: str) -> str:
    """Return a value in ASCII, folded at its blanks."""
    if " " not in value:
        return value
    folded = Header(value, "us-ascii", maxlinelen=_LINE, header_name=header)
    return folded.encode(splitchars=" ", linesep="\r\n")
