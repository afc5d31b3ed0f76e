"""Makes a list out of a file as another program exports it, and asks nothing that it can find out.

It finds the column with the entries and their kind, and whether the first row names the columns.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from bouncer.errors import BouncerError
from bouncer.rules.column_name import column_name
from bouncer.rules.document import Report, show
from bouncer.rules.entry_file import Row, file_rows, heading, read_text
from bouncer.rules.entry_reader import EntryRefused, entry_key
from bouncer.rules.list_about import ReadList
from bouncer.rules.list_kind import ListKind
from bouncer.rules.list_reader import ListFile, read_list
from bouncer.rules.matcher_reader import LIST_NAME

# In this order, as each address of a network could be a domain; words are never guessed.
_GUESSED = (ListKind.ADDRESSES, ListKind.NETWORKS, ListKind.DOMAINS)
_SAMPLE = 1000  # rows that are looked at
_WITH_NAME = re.compile(r"[^<>@]*<([^<>\s@]+@[^<>\s@]+)>\s*")
_LEAST_SHARE = 0.5  # of them, with an entry in one column
# Signs of an entry, whether valid or not: no name of a column has them, but for `E-mail 1 - Value`.
_OF_ENTRY = re.compile(r"[@/:]|\.\w|^[^\s\d]*+\d\S*+$")


class ImportRefusedError(BouncerError):
    """A list can't be made, or is there; the text says what to do."""


class ListImport(NamedTuple):
    """A list to write: its document, its file, and what was found in it.

    `column` names the column of the entries, "" for a file of one column without a name. `remarks`
    say what was taken for a name, although it could be an entry.
    """

    name: str
    document: str
    data: bytes
    found: ReadList
    column: str
    remarks: tuple[str, ...]

    def write(self, folder: Path, *, replace: bool = False) -> list[Path]:
        """Write both files and return their paths.

        Files that say the same already are left as they are. Raises `ImportRefusedError` if another
        list has the name: always if in further files, and without `replace` if in these.
        """
        files = {f"{self.name}.csv": self.data, f"{self.name}.yaml": self.document.encode()}
        paths = {folder / name: data for name, data in files.items()}
        there = sorted(path for path in folder.glob(f"{self.name}.*") if path.stem == self.name)
        for path in there:
            if path not in paths:
                raise _name_taken(path, "remove it")
            if not replace and path.read_bytes() != paths[path]:
                raise _name_taken(path, "write over it with --replace")
        folder.mkdir(parents=True, exist_ok=True)
        for path, data in paths.items():
            if path not in there or path.read_bytes() != data:
                unfinished = path.with_name(f"{path.name}.part")
                unfinished.write_bytes(data)
                unfinished.replace(path)
        return list(paths)


def _name_taken(path: Path, step: str) -> ImportRefusedError:
    return ImportRefusedError(
        f"{path}: found a list of this name, expected none: {step}, or name the list otherwise "
        "with --name"
    )


def list_import(
    file: ListFile, *, name: str, kind: ListKind | None, subdomains: bool, description: str
) -> ListImport:
    """Return the list in a file; `kind` None finds it out.

    Raises `ImportRefusedError`, and `DocumentError` with the lines that are not entries.
    """
    if not LIST_NAME.fullmatch(name):
        raise ImportRefusedError(
            f"--name: found {name!r}, expected letters, digits, dash and underscore, at most 100"
        )
    rows = _rows(file)
    shape = _shape(rows, kind)
    if shape is None:
        raise _no_column(file.label, rows, kind)
    document = _document(name, shape.kind, subdomains=subdomains, description=description)
    if not shape.named:
        _read(document, file, _lined((line, shape.turned(cells)[:1]) for line, cells in rows))
    ordered = list(shape.ordered(rows))
    found = _read(document, file, _lined(ordered))
    data = _csv(cells for _, cells in ordered)
    remarks = tuple(shape.remarks(file.label, rows[0]))
    return ListImport(name, document, data, found, shape.title(rows[0][1]), remarks)


def _read(document: str, file: ListFile, data: bytes) -> ReadList:
    return read_list(document, document=file.label, read=lambda _: file._replace(data=data))


def name_of(file: str) -> str:
    """Return the name of a list after its file: `Staff 2026.csv` makes `staff-2026`."""
    return re.sub(r"[^a-z0-9_]+", "-", Path(file).stem.lower()).strip("-") or "list"


class _Shape(NamedTuple):
    """The kind of the entries, the index of their column, and whether the first row is above it."""

    kind: ListKind
    column: int
    named: bool

    def ordered(self, rows: Sequence[Row]) -> Iterator[Row]:
        """Yield a row with the names of the columns, then the others, the entry in front of each.

        A file without names and with one column stays as it is.
        """
        width = max(len(cells) for _, cells in rows)
        if self.named:
            yield rows[0][0], self.turned(self._names(rows[0][1], width))
        elif width > 1:
            yield 0, self.turned(self._names([], width))
        for line, cells in rows[self.named :]:
            yield line, self.turned([*cells, *[""] * (width - len(cells))])

    def turned(self, cells: list[str]) -> list[str]:
        """Return a row with the entry in front."""
        entry = [_bare(cell, self.kind) for cell in cells[self.column :][:1]]
        return [*entry, *cells[: self.column], *cells[self.column + 1 :]]

    def title(self, first: list[str]) -> str:
        """Return the words that name the column, "" for the only one without a name."""
        if self.named and (name := "".join(first[self.column :][:1])):
            return f"column {name}"
        return f"column {self.column + 1}" if len(first) > 1 else ""

    def remarks(self, label: str, first: Row) -> Iterator[str]:
        """Yield a sentence about a first row that was taken for names, and may be none."""
        line, cells = first
        if self.named and (name := "".join(cells[self.column :][:1])) and heading(name) is None:
            yield f"{label}:{line}: {show(name)} is taken for the name of the column"

    def _names(self, first: list[str], width: int) -> list[str]:
        """Return a name for each column, none of them twice."""
        names: list[str] = []
        for index, cell in enumerate([*first, *[""] * (width - len(first))]):
            name = column_name(cell)
            names.append(name if name and name not in names else f"{name}column_{index + 1}")
        names[self.column] = self.kind.entry
        return names


def _rows(file: ListFile) -> list[Row]:
    report = Report(file.label)
    text = read_text(file.data, report)
    report.settle()
    rows = list(file_rows(text or "", report))
    report.settle()
    if not rows:
        raise ImportRefusedError(f"{file.label}: found no entry, expected at least one")
    return rows


def _shape(rows: Sequence[Row], kind: ListKind | None) -> _Shape | None:
    """Return the shape in which at least half of the first rows have an entry."""
    first, sample = rows[0][1], [cells for _, cells in rows[:_SAMPLE]]
    best: tuple[float, _Shape] | None = None
    for each in (kind,) if kind else _GUESSED:
        for column in range(max(map(len, sample))):
            named = _is_heading(first, column, each)
            below = sample[named:]
            hits = sum(_is_entry(cells, column, each) for cells in below)
            share = hits / len(below) if below else 0.0
            if share > best[0] if best else share >= _LEAST_SHARE:
                best = share, _Shape(each, column, named)
    return best[1] if best else None


def _no_column(label: str, rows: Sequence[Row], kind: ListKind | None) -> ImportRefusedError:
    """Return the error for a file without a column of this kind, with one cell as an example."""
    if kind is None:
        return ImportRefusedError(
            f"{label}: found no column of addresses, domains or networks, expected one: name the "
            "kind with --kind"
        )
    first = rows[0][1]
    column = next((at for at, cell in enumerate(first) if heading(cell) is kind), 0)
    named = _is_heading(first, column, kind)
    line, cells = rows[1] if named and rows[1:] else rows[0]
    cell = "".join(cells[column:][:1])
    title = _Shape(kind, column, named).title(first)
    return ImportRefusedError(
        f"{label}: found no column of {kind}; in line {line}, {title or 'column 1'} has "
        f"{show(cell)}, expected {_expected(kind, cell)}"
    )


def _expected(kind: ListKind, cell: str) -> str:
    try:
        entry_key(kind, cell)
    except EntryRefused as error:
        return str(error)
    return "entries of this kind in at least half of the rows"


def _is_heading(first: list[str], column: int, kind: ListKind) -> bool:
    """Tell whether the first row names this column: a cell like an entry never does."""
    cell = first[column] if column < len(first) else ""
    if heading(cell) is not None:
        return True
    return not _OF_ENTRY.search(cell) and not _is_entry(first, column, kind)


def _is_entry(cells: list[str], column: int, kind: ListKind) -> bool:
    if column >= len(cells) or (kind is ListKind.DOMAINS and "." not in cells[column]):
        return False
    with suppress(EntryRefused):
        return bool(entry_key(kind, _bare(cells[column], kind)))
    return False


def _bare(cell: str, kind: ListKind) -> str:
    """Return the address in a cell such as `Ann <ann@example.com>`, any other cell as it is."""
    found = _WITH_NAME.fullmatch(cell) if kind is ListKind.ADDRESSES else None
    return found[1] if found else cell


def _document(name: str, kind: ListKind, *, subdomains: bool, description: str) -> str:
    said = f"description: {json.dumps(description, ensure_ascii=False)}\n" if description else ""
    below = "subdomains: true\n" if subdomains else ""
    return f"{said}kind: {kind}\n{below}file: {name}.csv\n"


def _csv(rows: Iterable[list[str]]) -> bytes:
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\n").writerows(rows)
    return written.getvalue().encode()


def _lined(rows: Iterable[Row]) -> bytes:
    """Return rows as CSV, each at the line at which it began, for problems with those lines."""
    parts: list[bytes] = []
    at = 1
    for line, cells in rows:
        parts.append(b"\n" * (line - at) + _csv([cells]))
        at = max(line, at) + 1
    return b"".join(parts)
