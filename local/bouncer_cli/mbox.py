"""Splits an mbox into its mails.

A separator is a line `From `, something like an address, and a date, at the beginning or after an
empty line (RFC 4155); any other `From ` is text. Programs differ in what stands before the date:
Thunderbird writes `-`, Takeout a number, Eudora `???@???`, msgconvert the whole From, mailing list
archives `bob at example.com`.
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
_QUOTED = re.compile(rb">+From ")  # mboxrd; without it a body would change on its way
_EMPTY = (b"\n", b"\r\n")
# A mail larger than the bound is passed over, but an endless one is not read to its end.
_PASSED_OVER = 6 * MOST_OF_A_MAIL


class EndlessMailError(ValueError):
    """A mail has no end within the bound, so that the rest of the mbox is not read."""


def split_mails(lines: Iterable[bytes]) -> Iterator[bytes | None]:
    """Yield each mail with its separator; None for a mail that is larger than SES takes."""
    mail = bytearray()
    size = 0
    after_empty = in_headers = True
    for line in lines:
        if after_empty and line.startswith(b"From ") and (size == 0 or _is_separator(line)):
            if size:
                yield _ended(mail, size)
            mail.clear()
            size = 0
            in_headers = True
        elif not in_headers and line[:1] == b">" and _QUOTED.match(line):
            line = line[1:]  # noqa: PLW2901  # the line as it was sent
        after_empty = line in _EMPTY
        if not size and after_empty:
            continue
        in_headers = in_headers and not after_empty
        size += len(line)
        if size <= MOST_OF_A_MAIL:
            mail += line
        elif size > _PASSED_OVER:
            raise EndlessMailError
    if size:
        yield _ended(mail, size)


def _is_separator(line: bytes) -> bool:
    return len(line) <= _LONGEST_SEPARATOR and _SEPARATOR.fullmatch(line) is not None


def _ended(mail: bytearray, size: int) -> bytes | None:
    return bytes(mail) if size <= MOST_OF_A_MAIL else None
