"""Reads the raw header block of a mail into names and values, as leniently as mail is written.

Nothing here decides: what can't be a header is passed over, and the reader says if it gave up. The
block of a stored mail and the list in an event of SES lead to the same `Message`.
"""

import re
from typing import NamedTuple

from bouncer.mail.charset import guess
from bouncer.mail.mime import unfold

MOST_BYTES = 262_144  # of a header block; SES passes on 10 KB
MOST_JUNK = 100  # lines that are not headers, among them; text without headers has more

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ENDS = (b"\n\n", b"\r\r", b"\n\r\n")  # of header blocks
# Some programs write CRLF as CR CR LF, which is one line end and not two.
_DOUBLED = b"\r\r\n"
_LINE_END = rb"(?:\r\r\n|\r\n|\n|\r(?!\r?\n))"
_END_WITH_DOUBLED = re.compile(_LINE_END + _LINE_END)
_FROM_LINE = re.compile(rb"(?:\xef\xbb\xbf)?From ([^\r\n]*)(?:\r\r\n|\r\n|\n|\r|\Z)")

# RFC 5322 section 4.5 allows blanks before the colon. A line with a blank within its name, such as
# `>From bob@example.com Mon Nov 2 08:14:21`, and its continuations do not match.
_HEADER = re.compile(r"^([!-9;-~\0]++)[ \t]*+:(.*(?:\n[ \t].*)*)", re.MULTILINE)


class HeaderBlock(NamedTuple):
    """The headers of a mail as (name, unfolded value) in their order.

    `whole` is False if the reader gave up before the end: the headers behind are not known.
    """

    headers: list[tuple[str, str]]
    whole: bool


def from_line(raw: bytes) -> bytes | None:
    """Return the text behind `From ` in the line that an mbox puts above a mail, or None."""
    found = _FROM_LINE.match(raw)
    return found[1] if found else None


def header_block(raw: bytes) -> bytes:
    """Return a mail's unchanged header block, without byte order mark and `From ` line of an mbox.

    A block without an end is cut at `MOST_BYTES`.
    """
    found = _FROM_LINE.match(raw) if raw.startswith((b"From ", _BYTE_ORDER_MARK)) else None
    start = found.end() if found else len(_BYTE_ORDER_MARK) * raw.startswith(_BYTE_ORDER_MARK)
    if raw.startswith((b"\n", b"\r"), start):
        return b""
    return raw[start : _end(raw, start)]


def _end(raw: bytes, start: int) -> int:
    """Return the place of the first empty line's line end, or of the end of what is read."""
    last = end = min(len(raw), start + MOST_BYTES)
    first = raw.find(b"\n", start, last)
    crlf = first > 0 and raw.startswith(b"\r\n", first - 1)
    for mark in _ENDS[::-1] if crlf else _ENDS:  # the likely one first, the others before it
        found = raw.find(mark, start, end)
        end = found if found >= 0 else end
        if raw.find(b"\r", start, end + 1) < 0:
            return end
    if raw.find(_DOUBLED, start, end + len(_DOUBLED)) >= 0:
        ended = _END_WITH_DOUBLED.search(raw, start, last)
        return ended.start() if ended else last
    return end - 1 if raw.startswith(b"\r\n", end - 1) else end


def read_headers(block: bytes) -> HeaderBlock:
    """Return the headers in a block: lines that can't be headers are passed over.

    Line ends may be LF, CRLF, CR or mixed. Bytes outside ASCII are read as UTF-8, else as
    Windows-1252.
    """
    whole = len(block) < MOST_BYTES
    if b"\r" in block:
        block = block.replace(_DOUBLED, b"\n").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    text, mixed = _decoded(block.removeprefix(_BYTE_ORDER_MARK))
    found = _HEADER.findall(text)
    if _starts(text) > len(found) + MOST_JUNK:
        text = _before_junk(text)
        found, whole = _HEADER.findall(text), False
    if mixed:
        found = [(name, _guessed(value)) for name, value in found]
    if "\0" in text:
        found = [(name.replace("\0", ""), value) for name, value in found]
    return HeaderBlock(
        [(name, unfold(value) if "\n" in value else value.strip()) for name, value in found], whole
    )


def _decoded(block: bytes) -> tuple[str, bool]:
    """Return the text of a block, and True if its bytes still stand for themselves in it."""
    try:
        return block.decode("utf-8"), False
    except UnicodeDecodeError:
        return block.decode("latin-1"), True


def _guessed(value: str) -> str:
    return value if value.isascii() else guess(value.encode("latin-1"))


def _starts(text: str) -> int:
    """Return the number of lines that continue no other; more if they are few anyway."""
    lines = 1 + text.count("\n")
    return lines if lines <= MOST_JUNK else lines - text.count("\n ") - text.count("\n\t")


def _before_junk(text: str) -> str:
    """Return the text up to the line that is one too many of those that are not headers."""
    junk = 0
    place = 0
    for line in text.split("\n"):
        junk += line[:1] not in (" ", "\t") and _HEADER.match(line) is None
        if junk > MOST_JUNK:
            break
        place += len(line) + 1
    return text[:place]
