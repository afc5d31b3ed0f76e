"""Reads the entries of a list from a file: CSV, or text with an entry in each line.

Whatever other programs export is welcome: a byte order mark, quotes, empty lines, lines that begin
with #, commas, semicolons or tabs between columns. The first row may name the columns; its first
cell then names the kind of list.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bouncer.mail.comparable import comparable
from bouncer.rules.document import Place, Report, show
from bouncer.rules.list_kind import ListKind

LONGEST_FILE = 100_000_000  # bytes
MOST_COLUMNS = 50
_BOMS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}

# Words that may stand above the entries of a list, in any case.
HEADINGS: Mapping[str, ListKind] = {
    **{str(kind): kind for kind in ListKind},
    **dict.fromkeys(("address", "email", "e-mail", "mail", "email address"), ListKind.ADDRESSES),
    "domain": ListKind.DOMAINS,
    "network": ListKind.NETWORKS,
    "word": ListKind.WORDS,
}


class Entry(NamedTuple):
    """One entry as it is written: its place in the document, its line, and its columns."""

    place: Place
    line: int | None
    text: str
    columns: tuple[str, ...]


class EntryFile(NamedTuple):
    """The rows of a file; `kind` stays None unless its first row names one."""

    kind: ListKind | None
    columns: tuple[str, ...]
    entries: Iterator[Entry]


def read_text(data: bytes, report: Report) -> str | None:
    """Return the text of a file; None after a problem."""
    if len(data) > LONGEST_FILE:
        found = f"more than {LONGEST_FILE:,} bytes"
        report.add((), found=found, expected="several lists, all named by in: [one, two]")
        return None
    expected = 'UTF-8 text (spreadsheets call it "CSV UTF-8")'
    if name := _BOMS.get(data[:2]):
        report.add((), line=1, found=f"{name} text", expected=expected)
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        report.add((), line=line, found="bytes that are not UTF-8", expected=expected)
        return None


def read_entry_file(text: str, report: Report) -> EntryFile:
    """Return the kind, the names of the columns and the entries of a file.

    Entries are read while they are iterated over, and problems are then added to the report.
    """
    rows = file_rows(text, report)
    first = next(rows, None)
    if first is None:
        return EntryFile(None, (), iter(()))
    line, cells = first
    kind = HEADINGS.get(cells[0].lower())
    if kind is None:
        return EntryFile(None, (), _entries(_before(first, rows), 0, report))
    columns = _columns(line, cells[1:], report)
    return EntryFile(kind, columns, _entries(rows, len(columns), report))


Row = tuple[int, list[str]]


def _before(first: Row, rows: Iterator[Row]) -> Iterator[Row]:
    yield first
    yield from rows


def file_rows(text: str, report: Report) -> Iterator[Row]:
    """Yield the rows that are not empty with the line each begins at, their cells tidied up."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            found = f"a row that is not CSV ({error})"
            expected = "quotes around a whole cell, and doubled quotes within it"
            report.add((), line=line, found=found, expected=expected)
            return
        if cells is None:
            return
        tidy = [comparable(cell) for cell in cells]
        while tidy and not tidy[-1]:
            tidy.pop()
        if tidy and not tidy[0].startswith("#"):
            yield line, tidy


def _delimiter(text: str) -> str:
    """Return the first character that may stand between columns: a spreadsheet chooses one."""
    match = re.search(r"[,;\t]", text[: text.find("\n") + 1 or len(text)])
    return match[0] if match else ","


def _columns(line: int, cells: list[str], report: Report) -> tuple[str, ...]:
    """Return the names of columns as placeholders have them: `full_name` for `Full name`."""
    names = [column_name(cell) for cell in cells]
    for cell, name in zip(cells, names, strict=True):
        if not name:
            expected = "the name of a column, such as successor"
            report.add((), line=line, found=show(cell), expected=expected)
        elif names.count(name) > 1:
            report.add((), line=line, found=f"two columns {name}", expected="each name once")
            break
    if len(names) > MOST_COLUMNS:
        found, expected = f"{len(names)} columns", f"at most {MOST_COLUMNS}"
        report.add((), line=line, found=found, expected=expected)
    return tuple(names)


def column_name(text: str) -> str:
    """Return the name of a column as a placeholder has it; "" if nothing is left of it."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def _entries(rows: Iterator[Row], columns: int, report: Report) -> Iterator[Entry]:
    for line, cells in rows:
        beside = cells[1:]
        if len(beside) > columns:
            expected = f"{columns + 1} (a first row such as address,successor names them)"
            report.add((), line=line, found=f"{len(cells)} columns", expected=expected)
            continue
        yield Entry((), line, cells[0], (*beside, *[""] * (columns - len(beside))))
