"""The stored copy of a mail: the raw mail that SES has put into S3 before it asks about it.

The event of SES has 10 KB of headers at most, and nothing of the body; the stored copy has all.
It is read only when something asks for it. The port is given as an argument: nothing here knows S3.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple, Protocol

from bouncer.errors import BouncerError
from bouncer.mail.message import Message, by_name


class StoredCopyError(BouncerError):
    """The stored copy can't be read, or is not what was expected; the text names it.

    `size` is that of a copy which is too large to be read, in bytes, and None for other errors.
    """

    size: int | None = None


def too_large(place: str, size: int, most: int) -> StoredCopyError:
    """Return the error of a copy with more bytes than the caller takes."""
    error = StoredCopyError(f"{place}: found {size} bytes, expected at most {most}")
    error.size = size
    return error


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
            raise too_large("stored mail", len(self.raw), most)
        return self.raw


_SHORT_HEAD = 65_536  # bytes; nearly all mails have shorter headers
# Other line ends, such as LF LF in a mail that has CRLF, may end a header block for us alone.
_CLEAR_END = re.compile(rb"(?:\r{1,2}\n){2}|(?:\r{0,2}\n)?\Z")
_NOT_COMPARED = re.compile(r"[^!-~]+")  # folding and charsets, which SES may read in another way

_Headers = Mapping[str, tuple[str, ...]]


def with_all_headers(message: Message, copy: StoredCopy) -> Message:
    """Return a message with the headers of its stored copy too; raises `StoredCopyError`.

    A header block that does not end within `header_block.MOST_BYTES`, or where not every program
    would end it, or before one that SES passed on, stays truncated, as far as it was read.
    """
    from bouncer.mail import header_block as blocks  # noqa: PLC0415  # few mails need it

    block, ended = b"", False
    for size in (_SHORT_HEAD, blocks.MOST_BYTES):
        head = copy.head(size)
        block = blocks.header_block(head)
        # An empty line behind the block; a byte order mark before it has three bytes.
        ended = len(head) < size or len(block) + 4 < len(head)
        if ended:
            ended = b"\r" not in block or bool(_CLEAR_END.match(head.partition(block)[2]))
            break
    named, whole = blocks.read_headers(block)
    if not named:
        raise StoredCopyError("stored mail: found no headers in it, expected those of the mail")
    read = by_name((name.lower(), value) for name, value in named)
    truncated = not (ended and whole and _has_all(read, message.headers))
    return replace(message, headers=_joined(read, message.headers), headers_truncated=truncated)


def _has_all(read: _Headers, known: _Headers) -> bool:
    """Tell whether each header occurs as often in what was read as in what was known before."""
    return all(len(read.get(name, ())) >= len(values) for name, values in known.items())


def _joined(read: _Headers, known: _Headers) -> dict[str, tuple[str, ...]]:
    """Return what was read, and the values known before that are not in it: no mark gets lost."""
    joined = dict(read)
    for name, values in known.items():
        found = set(map(_compared, read.get(name, ())))
        lost = tuple(value for value in values if _compared(value) not in found)
        joined[name] = (*read.get(name, ()), *lost)
    return joined


def _compared(value: str) -> str:
    return _NOT_COMPARED.sub("", value) or value
