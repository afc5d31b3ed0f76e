"""Tells from a file's first bytes, and from the end of its name, how its mails are read."""

import re
from enum import Enum, auto

from bouncer.mail.header_block import header_block, read_headers

ONE_MAIL = ".eml"  # even if its first line looks like an mbox
_LINES = (".jsonl", ".ndjson")
_BLANK = b"\xef\xbb\xbf \t\r\n"  # a byte order mark and white space


class Kind(Enum):
    """A way to read a file."""

    MAIL = auto()
    MBOX = auto()
    JSON = auto()
    JSON_LINES = auto()
    LOG = auto()  # what CloudWatch Logs exports as text
    GZIP = auto()
    ZIP = auto()
    OUTLOOK = auto()


_MAGIC = {
    b"\x1f\x8b": Kind.GZIP,
    b"PK\x03\x04": Kind.ZIP,
    b"PK\x05\x06": Kind.ZIP,  # an empty one
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": Kind.OUTLOOK,
}
# Formats that may hold mail and are not read: how each begins, its name, and what to do.
_UNREAD = (
    (0, b"!BDN", "an Outlook data file (.pst)", "run readpst and name the folder that it writes"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it and name the folder"),
    (0, b"Rar!\x1a\x07", "a RAR archive", "unpack it and name the folder"),
    (0, b"\xfd7zXZ\0", "an xz file", "run xz -dk and name the file that it writes"),
    (0, b"BZh", "a bzip2 file", "run bzip2 -dk and name the file that it writes"),
    (0, b"\x28\xb5\x2f\xfd", "a zstd file", "run zstd -d and name the file that it writes"),
    (257, b"ustar", "a tar archive", "unpack it and name the folder"),
)
_LOG = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:timestamp,message\b|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S{0,20}\s)"
)

# A text with one of the first or two of the second is a mail; a README has neither.
_OF_MAIL_ALONE = {
    *("received", "return-path", "from", "to", "message-id", "delivered-to", "x-original-to"),
    *("mime-version", "dkim-signature", "authentication-results", "envelope-to"),
}
_OF_MAIL = {"subject", "date", "cc", "bcc", "sender", "reply-to", "content-type", "x-mailer"}


def kind_of(head: bytes, name: str) -> Kind:
    """Return the kind of a file; any that is not known counts as a mail."""
    if head.startswith(tuple(_MAGIC)):
        return next(kind for magic, kind in _MAGIC.items() if head.startswith(magic))
    name = name.lower()
    if name.endswith(_LINES):
        return Kind.JSON_LINES
    text = head.lstrip(_BLANK)
    if text[:1] in (b"{", b"["):
        return Kind.JSON
    if head.lstrip(b"\r\n").startswith(b"From ") and not name.endswith(ONE_MAIL):
        return Kind.MBOX
    return Kind.LOG if _LOG.match(head) else Kind.MAIL


def unread_format(head: bytes) -> str | None:
    """Return the sentence about a format that may hold mail and is not read, or None."""
    for start, magic, name, remedy in _UNREAD:
        if head.startswith(magic, start):
            return f"found {name}, expected mails or events: {remedy}"
    return None


def looks_like_mail(head: bytes) -> bool:
    """Tell whether a file whose name says nothing has the headers of a mail."""
    if head.startswith((b"Return-Path:", b"Received:")):  # as every mail that SES stored
        return True
    names = {name.lower() for name, _ in read_headers(header_block(head)).headers}
    return bool(names & _OF_MAIL_ALONE) or len(names & _OF_MAIL) > 1
