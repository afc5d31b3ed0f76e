"""Reads the entries of a list from a file: CSV, or text with an entry in each line.

Whatever other programs export is welcome: a byte order mark, quotes, empty lines, lines that begin
with #, commas, semicolons or tabs between columns, and the line `sep=;` of Excel. The first row may
name the columns; its first cell then names the kind of list, in one of several languages.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from bouncer.mail.comparable import comparable
from bouncer.mail.text import escaped
from bouncer.rules.column_name import column_name
from bouncer.rules.document import Place, Report, show
from bouncer.rules.list_kind import ListKind

LONGEST_FILE = 100_000_000  # bytes
MOST_COLUMNS = 50
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # the byte order marks
_LINE_END = re.compile(r"\r\n?|\n")

# Excel's line that names the separator, and the first separator that stands in a row outside of
# quotes: a spreadsheet chooses one. Above that row there may be empty lines and comments.
_NAMED_SEPARATOR = re.compile(r'"?sep=(\t|[^\w\s"])"?[^\S\r\n]*(?:\r\n?|\n|\Z)', re.IGNORECASE)
_EMPTY_LINE = re.compile(r'[,;\t \xa0]*+(?:"?#[^\r\n]*+)?[\r\n]')
_FIRST_SEPARATOR = re.compile(r'(?:[^",;\t\r\n]++|"[^"]*+")*+([,;\t])')

# The words that may stand above the entries of a list, without blanks and signs.
_WORDS = {
    ListKind.ADDRESSES: "address email emails mail mails emailaddress emailaddresses mailaddress "
    "adresse emailadresse emailadressen mailadresse adresseemail adressemail courriel correo "
    "correoelectrónico direccióndecorreo direccióndecorreoelectrónico indirizzo indirizzoemail "
    "endereçodeemail emailadres epost epostadress epostadresse adresemail メールアドレス 邮箱",
    ListKind.DOMAINS: "domain domäne domaine dominio domínio domein",
    ListKind.NETWORKS: "network ip ipaddress ipadresse netz netzwerk",
    ListKind.WORDS: "word wort mot palabra parola palavra woord",
}
HEADINGS: Mapping[str, ListKind] = {
    word: kind for kind, words in _WORDS.items() for word in (kind, *words.split())
}
_SIGNS = re.compile(r"[@:/]|\.\w")  # of an entry that is not a word


def heading(text: str) -> ListKind | None:
    """Return the kind of the entries below a heading such as `E-Mail`; None for another one."""
    return HEADINGS.get(column_name(text).replace("_", ""))


class Entry(NamedTuple):
    """One entry as it is written: its place in the document, its line, and its columns."""

    place: Place
    line: int | None
    text: str
    columns: tuple[str, ...]


class EntryFile(NamedTuple):
    """The rows of a file; `kind` stays None unless its first row, in `line`, names one."""

    kind: ListKind | None
    columns: tuple[str, ...]
    entries: Iterator[Entry]
    line: int = 1


def read_text(data: bytes, report: Report) -> str | None:
    """Return the text of a file; None after a problem."""
    if len(data) > LONGEST_FILE:
        found = f"more than {LONGEST_FILE:,} bytes"
        report.add((), found=found, expected="several lists, all named by in: [one, two]")
        return None
    encoding = "UTF-16" if data.startswith(_UTF_16) else "UTF-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(encoding, "ignore")
        found = f"bytes that are not {encoding.removesuffix('-sig')}"
    else:
        before, nul, _ = text.partition("\0")
        if not nul:
            return text
        found = "a NUL character, as in UTF-16 without a byte order mark"
    expected = 'UTF-8 text (spreadsheets call it "CSV UTF-8")'
    line = len(_LINE_END.findall(before)) + 1
    report.add((), line=line, found=found, expected=expected)
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
    kind = heading(cells[0])
    if kind is None and len(cells) > 1:
        _refuse_unnamed(line, cells, report)
        return EntryFile(None, (), iter(()))
    if kind is None:
        return EntryFile(None, (), _entries(_before(first, rows), 0, report))
    columns = read_columns(cells[1:], partial(report.add, (), line=line))
    return EntryFile(kind, columns, _entries(rows, len(columns), report), line)


Row = tuple[int, list[str]]


def _before(first: Row, rows: Iterator[Row]) -> Iterator[Row]:
    yield first
    yield from rows


def _refuse_unnamed(line: int, cells: list[str], report: Report) -> None:
    """Report a first row of several columns that does not begin with a heading."""
    found = f"{show(cells[0])} above the entries"
    expected = "address, domain, network or word"
    if of_entries := next(filter(heading, cells[1:]), None):
        expected = f"{show(of_entries)}, as the entries stand in the first column"
    elif _SIGNS.search(cells[0]):
        found = f"{len(cells)} columns"
        expected = "1 (a first row such as address,successor names them)"
    report.add((), line=line, found=found, expected=expected)


def _first_separator(text: str) -> re.Match[str] | None:
    place = 0
    while empty := _EMPTY_LINE.match(text, place):
        place = empty.end()
    return _FIRST_SEPARATOR.match(text, place)


class _Lines:
    """The lines of a file, without the empty ones and the comments between its rows.

    `row` is the number of the line at which the current row begins.
    """

    def __init__(self, text: str) -> None:
        named = _NAMED_SEPARATOR.match(text)
        first = named or _first_separator(text)
        self.separator = first[1] if first else ","
        self.row = 1
        self._lines = enumerate(io.StringIO(text, newline=""), 1)
        self._within_row = False
        if named:
            next(self._lines)

    def end_row(self) -> None:
        """Take the next line as the first one of a row."""
        self._within_row = False

    def __iter__(self) -> Iterator[str]:
        """Yield the lines as a CSV reader asks for them."""
        for number, line in self._lines:
            if not self._within_row:
                if line.startswith("#") or (line[0].isspace() and line.lstrip()[:1] in ("", "#")):
                    continue
                self.row, self._within_row = number, True
            yield line


def file_rows(text: str, report: Report) -> Iterator[Row]:
    """Yield the rows that are not empty with the line each begins at, their cells tidied up."""
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=lines.separator, skipinitialspace=True, strict=True)
    while True:
        lines.end_row()
        try:
            cells = next(reader, None)
        except csv.Error as error:
            _refuse_row(lines.row, error, report)
            return
        if cells is None:
            return
        tidy = [comparable(cell) for cell in cells]
        while tidy and not tidy[-1]:
            tidy.pop()
        if tidy and not tidy[0].startswith("#"):
            yield lines.row, tidy


def _refuse_row(line: int, error: csv.Error, report: Report) -> None:
    found = f"a row that is not CSV ({escaped(str(error))})"
    expected = "quotes around a whole cell, and doubled quotes within it"
    if "field limit" in str(error):
        found = f"a cell of more than {csv.field_size_limit():,} characters"
        expected = "a shorter one (from a quote on, a cell goes on up to the next quote)"
    report.add((), line=line, found=found, expected=expected)


def read_columns(cells: Sequence[str], note: Callable[..., None]) -> tuple[str, ...]:
    """Return the names of columns below these headings; `note` is called with each problem."""
    names = tuple(map(column_name, cells))
    if len(names) > MOST_COLUMNS:
        note(found=f"{len(names)} columns", expected=f"at most {MOST_COLUMNS}")
        return names
    for number, (cell, name) in enumerate(zip(cells, names, strict=True), 2):
        if not name:
            found = show(cell) if cell else f"no name above column {number}"
            note(found=found, expected="the name of a column, such as successor")
        elif names.count(name) > 1:
            note(found=f"two columns {name}", expected="each name once")
            break
    return names


def _entries(rows: Iterator[Row], columns: int, report: Report) -> Iterator[Entry]:
    for line, cells in rows:
        beside = cells[1:]
        if len(beside) > columns:
            expected = f"{columns + 1} (a first row such as address,successor names them)"
            report.add((), line=line, found=f"{len(cells)} columns", expected=expected)
            continue
        yield Entry((), line, cells[0], (*beside, *[""] * (columns - len(beside))))
