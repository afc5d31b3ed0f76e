"""Finds the parts of a mail by their boundaries, without decoding or copying their bodies.

A stranger wrote the mail: depth, number of parts and headers are bounded, and the structure tells
which bound was reached. What lies beyond it is not known. Attached mails and archives are parts
like others, and are not opened. RFC 2046 section 5.1.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from bouncer.mail.header_block import MOST_BYTES, from_line, read_headers
from bouncer.mail.mime_header import DEFAULT_TYPE, MimeHeader, read_mime_header

DEEPEST = 10  # multiparts within one another
MOST_PARTS = 1_000
_MOST_LINES = 20_000  # that begin like a boundary
_LONGEST_BOUNDARY = 200  # characters; RFC 2046 allows 70
_PART_HEADERS = 16_384  # bytes of one part's headers
_ALL_HEADERS = 1_048_576
_BLANKS = b" \t\r"
_STRAY_LINE = re.compile(rb"^(?![!-9;-~\0]++[ \t]*+:|[ \t])", re.MULTILINE)  # not of a header
_NOT_BLANK = re.compile(rb"\S")
_QUOTED_FROM = re.compile(rb">From [^\n]*+\n")  # some programs leave it of an mbox
_LONE_RETURN = re.compile(rb"\r(?!\n)")
_DESCRIBED = re.compile(rb"^content-", re.MULTILINE | re.IGNORECASE)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Part(NamedTuple):
    """A part that has no parts itself: its description and the place of its body in the mail.

    `around` is the type of the multipart that it belongs to, "" for a part that is the whole mail.
    """

    header: MimeHeader
    start: int
    end: int
    around: str = ""


class Structure(NamedTuple):
    """The parts in their order; `bounds` names what kept others from being found, if anything."""

    parts: tuple[Part, ...]
    bounds: frozenset[str]


def mail_start(raw: bytes) -> int:
    """Return the place where a mail begins: behind a byte order mark and an mbox's `From ` line."""
    mark = len(_BYTE_ORDER_MARK) * raw.startswith(_BYTE_ORDER_MARK)
    if not raw.startswith(b"From ", mark) or from_line(raw[:MOST_BYTES]) is None:
        return mark
    return raw.find(b"\n", mark) + 1 or mark


def read_structure(raw: bytes) -> Structure:
    """Return the parts of a raw mail."""
    reader = _Reader(raw)
    parts = tuple(reader.parts(mail_start(raw), len(raw)))
    return Structure(parts, frozenset(reader.bounds))


class _Reader:
    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._lines = _MOST_LINES
        self._headers = _ALL_HEADERS
        self.bounds: set[str] = set()

    def parts(self, start: int, end: int) -> Iterator[Part]:
        """Yield the parts that have none themselves, at most `MOST_PARTS`."""
        # The last is looked at first: place, end, depth, and the type of the part around it.
        waiting = [(start, end, 0, "")]
        left = MOST_PARTS + 1  # the mail itself
        while waiting:
            place, last, depth, around = waiting.pop()
            if not left:
                self.bounds.add("parts")
                return
            left -= 1
            longest = _PART_HEADERS if depth else MOST_BYTES
            default = "message/rfc822" if around == "multipart/digest" else DEFAULT_TYPE
            header, body = self._header(place, last, longest, default)
            if not _is_multipart(header):
                yield Part(header, body, last, around)
            elif depth == DEEPEST:
                self.bounds.add("depth")
            else:
                # From its headers on: what ends them early hides no part, such as a line of blanks.
                inner = list(self._inner(header.boundary, place, body, last, left))
                waiting += [(*found, depth + 1, header.media_type) for found in reversed(inner)]

    def _header(self, start: int, end: int, longest: int, default: str) -> tuple[MimeHeader, int]:
        """Return the description of a part and the place of its body.

        The body begins behind the empty line, or with the first line that can't be of a header.
        """
        raw = self._raw
        if raw.startswith((b"\n", b"\r\n"), start):
            return MimeHeader(default), raw.find(b"\n", start) + 1
        last = min(end, start + min(longest, self._headers))
        ends = [
            (place + 1, place + len(mark))
            for mark in (b"\n\n", b"\n\r\n")
            if (place := raw.find(mark, start, last)) >= 0
        ]
        empty, body = min(ends, default=(last, last))
        if (not ends and last < end) or _LONE_RETURN.search(raw, start, body):
            self.bounds.add("headers")
        self._headers -= body - start
        stray = self._stray(start, empty)
        header = self._described(start, stray, default)
        if stray == empty:
            return header, body
        if not _is_multipart(header) and _DESCRIBED.search(raw, stray, empty):
            self.bounds.add("headers")  # some programs read the description behind such a line
            header = self._described(start, body, default)
        return header, stray

    def _described(self, start: int, end: int, default: str) -> MimeHeader:
        headers, whole = read_headers(self._raw[start:end])
        header = read_mime_header(headers, default)
        if not whole or not header.whole:
            self.bounds.add("headers")
        return header

    def _stray(self, start: int, end: int) -> int:
        """Return the place of the first line that is not of a header, or the end."""
        quoted = _QUOTED_FROM.match(self._raw, start, end)
        stray = _STRAY_LINE.search(self._raw, quoted.end() if quoted else start, end)
        return stray.end() if stray else end

    def _inner(
        self, boundary: str, start: int, body: int, end: int, most: int
    ) -> Iterator[tuple[int, int]]:
        """Yield where the parts of a multipart begin and end; the last boundary may be missing."""
        if not boundary or len(boundary) > _LONGEST_BOUNDARY:
            self.bounds.add("boundary")
            return
        mark = b"--" + boundary.rstrip().encode("utf-8", "replace")
        if self._raw.find(b"\r" + mark, start, end) >= 0:
            self.bounds.add("boundary")  # a line for some programs only
        opened = -1
        found = closed = False
        for place, after, closing in self._marks(mark, start, end):
            if closed:
                self.bounds.add("boundary")  # behind the last one; some programs go on
                return
            if opened >= 0:
                yield opened, max(opened, place)
                most -= 1
            opened = -1 if closing else after
            found, closed = True, closing
            if most < 0:
                self.bounds.add("parts")
                return
        if opened >= 0:
            yield opened, end
        if not found and _NOT_BLANK.search(self._raw, body, end):
            self.bounds.add("boundary")  # text that programs may show in their own way

    def _marks(self, mark: bytes, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
        """Yield each boundary: the end of the text before it, the place behind it, if it closes."""
        raw = self._raw
        place = start if raw.startswith(mark, start) else self._next(mark, start, end)
        while place >= 0:
            if not self._lines:
                self.bounds.add("boundary")
                return
            self._lines -= 1
            after = place + len(mark)
            closing = raw.startswith(b"--", after)
            line_end = raw.find(b"\n", after, min(end, after + _LONGEST_BOUNDARY))
            last = line_end if line_end >= 0 else min(end, after + _LONGEST_BOUNDARY)
            behind = raw[after + 2 * closing : last].lstrip(_BLANKS)
            if not behind:
                before = place - 1 - raw.startswith(b"\r\n", place - 2)
                yield before, min(last + 1, end), closing
            elif b"\r" in raw[after : last - len(behind)]:
                self.bounds.add("boundary")  # its line ends here for some programs only
            place = self._next(mark, after, end)

    def _next(self, mark: bytes, start: int, end: int) -> int:
        """Return the place of the next line that begins with a boundary, or -1."""
        found = self._raw.find(b"\n" + mark, max(start - 1, 0), end)
        return found + 1 if found >= 0 else -1


def _is_multipart(header: MimeHeader) -> bool:
    return header.media_type.startswith("multipart/")
