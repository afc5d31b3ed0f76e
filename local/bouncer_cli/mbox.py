"""Splits an mbox into its mails.

A separator is a line `From `, something like an address, and a date, at the beginning or after an
empty line (RFC 4155); any other `From ` is text. Programs differ in what stands before the date:
Thunderbird writes `-`, Takeout a number, Eudora `???@???`, msgconvert the whole From, mailing list
archives `bob at example.com`.

So a mail begins a paragraph, and nobody has to look at each line of what was attached.
"""

import re
from collections.abc import Iterable, Iterator

from bouncer_cli.input_stream import MOST_OF_A_MAIL

_MONTH = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DAY = rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_TIME = rb"\d{1,2}:\d\d(?::\d\d)?"
_ZONE = rb"(?: +(?:[A-Z]{1,5}|[+-]\d{4})){0,2}"
_SEPARATOR = re.compile(
    rb"From [^\r\n]{1,900}?\b"
    rb"(?:%(day)b,? +%(month)b +\d{1,2} +%(time)b%(zone)b +\d{4}"  # as ctime writes it
    rb"|%(day)b,? +\d{1,2} +%(month)b +\d{4} +%(time)b)"  # as in a Date header
    rb"%(zone)b(?: remote from \S{1,255})?(?: *\([A-Z]{1,5}\))? *[\r\n]*"
    % {b"day": _DAY, b"month": _MONTH, b"time": _TIME, b"zone": _ZONE}
)
_LONGEST_SEPARATOR = 1000
_EMPTY_LINES = re.compile(rb"(?:\r?\n)+")
_END_OF_PARAGRAPH = re.compile(rb"\n(?:\r?\n)+")
_ENDS = (b"\n\n", b"\n\r\n")
_LONGEST_PARAGRAPH = 1 << 16  # a longer one comes in pieces
# mboxrd; without it a body would change on its way
_QUOTED = re.compile(rb"^>(?=>*From )", re.MULTILINE)
# A mail larger than the bound is passed over, but an endless one is not read to its end.
_PASSED_OVER = 6 * MOST_OF_A_MAIL


class EndlessMailError(ValueError):
    """A mail has no end within the bound, so that the rest of the mbox is not read."""


def split_mails(chunks: Iterable[bytes]) -> Iterator[bytes | None]:
    """Yield each mail with its separator; None for a mail that is larger than SES takes."""
    mail = bytearray()
    size = 0
    after_empty = in_headers = True
    for text in _paragraphs(chunks):
        if after_empty and text.startswith(b"From ") and (size == 0 or _is_separator(text)):
            if size:
                yield _ended(mail, size)
            mail.clear()
            size = 0
            in_headers = True
        elif not in_headers and b">From " in text:
            text = _QUOTED.sub(b"", text)  # noqa: PLW2901  # the lines as they were sent
        blank = text[:1] in (b"\n", b"\r") and _EMPTY_LINES.fullmatch(text) is not None
        if blank and not size:
            continue
        after_empty = blank or text.endswith(_ENDS)
        in_headers = in_headers and not after_empty
        size += len(text)
        if size <= MOST_OF_A_MAIL:
            mail += text
        elif size > _PASSED_OVER:
            raise EndlessMailError
    if size:
        yield _ended(mail, size)


def _paragraphs(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the text up to each empty line, with the empty lines behind it."""
    rest = b""
    for chunk in chunks:
        text = rest + chunk
        place = 0
        while end := _EMPTY_LINES.match(text, place) or _END_OF_PARAGRAPH.search(text, place):
            yield text[place : end.end()]
            place = end.end()
        rest = text[place:]
        if len(rest) > _LONGEST_PARAGRAPH:
            cut = rest.rfind(b"\n") + 1 or len(rest) - 1  # so that what follows begins a line
            yield rest[:cut]
            rest = rest[cut:]
    if rest:
        yield rest


def _is_separator(text: bytes) -> bool:
    """Tell whether a paragraph's first line begins a mail."""
    line = text[: text.find(b"\n") + 1] or text
    return len(line) <= _LONGEST_SEPARATOR and _SEPARATOR.fullmatch(line) is not None


def _ended(mail: bytearray, size: int) -> bytes | None:
    return bytes(mail) if size <= MOST_OF_A_MAIL else None
