"""The stored copy of a mail: the raw mail that SES has put into S3 before it asks about it.

The event of SES has 10 KB of headers at most, and nothing of the body; the stored copy has all.
It is read only when something asks for it. The port is given as an argument: nothing here knows S3.
"""

from dataclasses import replace
from typing import NamedTuple, Protocol

from bouncer.errors import BouncerError
from bouncer.mail.message import Message, by_name


class StoredCopyError(BouncerError):
    """The stored copy can't be read, or is not what was expected; the text names it."""


class StoredCopy(Protocol):
    """The raw mail as SES received it; both methods raise `StoredCopyError`."""

    def head(self, size: int) -> bytes:
        """Return the first bytes, at most `size`."""

    def whole(self, most: int) -> bytes:
        """Return all bytes; an error if these are more than `most`."""


class RawCopy(NamedTuple):
    """The copy of a mail that is at hand, as in a replay."""

    raw: bytes

    def head(self, size: int) -> bytes:
        """Return the first bytes, at most `size`."""
        return self.raw[:size]

    def whole(self, most: int) -> bytes:
        """Return all bytes, unless these are more than `most`."""
        if len(self.raw) > most:
            found = f"found {len(self.raw)} bytes"
            raise StoredCopyError(f"stored mail: {found}, expected at most {most}")
        return self.raw


_SHORT_HEAD = 65_536  # bytes; nearly all mails have shorter headers


def with_all_headers(message: Message, copy: StoredCopy) -> Message:
    """Return a message with the headers of its stored copy; raises `StoredCopyError`.

    A header block that does not end within `header_block.MOST_BYTES` stays truncated, as far as it
    was read.
    """
    from bouncer.mail import header_block as blocks  # noqa: PLC0415  # few mails need it

    block, ended = b"", False
    for size in (_SHORT_HEAD, blocks.MOST_BYTES):
        head = copy.head(size)
        block = blocks.header_block(head)
        # An empty line behind the block; a byte order mark before it has three bytes.
        ended = len(head) < size or len(block) + 4 < len(head)
        if ended:
            break
    named, whole = blocks.read_headers(block)
    if not named:
        raise StoredCopyError("stored mail: found no headers in it, expected those of the mail")
    headers = by_name((name.lower(), value) for name, value in named)
    return replace(message, headers=headers, headers_truncated=not (ended and whole))
