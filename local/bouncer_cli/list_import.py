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
from bouncer.rules.document import Report
from bouncer.rules.entry_file import Row, file_rows, heading, read_text
from bouncer.rules.entry_reader import EntryRefused, entry_key
from bouncer.rules.list_about import ReadList
from bouncer.rules.list_kind import ListKind
from bouncer.rules.list_reader import ListFile, read_list
from bouncer.rules.matcher_reader import LIST_NAME

# In this order, as each address of a network could be a domain; words are never guessed.
_GUESSED = (ListKind.ADDRESSES, ListKind.NETWORKS, ListKind.DOMAINS)
_SAMPLE = 1000  # rows that are looked at


class ImportRefusedError(BouncerError):
    """A list can't be made, or is there; the text says what to do."""


class ListImport(NamedTuple):
    """A list to write: its document, its file, and what was found in it."""

    name: str
    document: str
    data: bytes
    found: ReadList

    def write(self, folder: Path) -> list[Path]:
        """Write both files and return their paths; raises `ImportRefusedError` if one is there.

        Files that say the same already are left as they are.
        """
        files = {f"{self.name}.csv": self.data, f"{self.name}.yaml": self.document.encode()}
        paths = {folder / name: data for name, data in files.items()}
        there = sorted(path for path in folder.glob(f"{self.name}.*") if path.stem == self.name)
        for path in there:
            if path not in paths or path.read_bytes() != paths[path]:
                raise ImportRefusedError(
                    f"{path}: found a list of this name, expected none: remove its files first, or "
                    "name the list otherwise with --name"
                )
        folder.mkdir(parents=True, exist_ok=True)
        for path, data in paths.items():
            if path not in there:
                path.write_bytes(data)
        return list(paths)


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
        raise ImportRefusedError(
            f"{file.label}: found no column of addresses, domains or networks, expected one: name "
            "the kind with --kind"
        )
    document = _document(name, shape.kind, subdomains=subdomains, description=description)
    if not shape.named:
        _read(document, file, _lined((line, shape.turned(cells)[:1]) for line, cells in rows))
    ordered = list(shape.ordered(rows))
    found = _read(document, file, _lined(ordered))
    return ListImport(name, document, _csv(cells for _, cells in ordered), found)


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
        return [*cells[self.column :][:1], *cells[: self.column], *cells[self.column + 1 :]]

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
    """Return the shape in which most of the first rows have an entry."""
    first, sample = rows[0][1], [cells for _, cells in rows[:_SAMPLE]]
    best: tuple[float, _Shape] | None = None
    for each in (kind,) if kind else _GUESSED:
        for column in range(max(map(len, sample))):
            named = _is_heading(first, column, each)
            below = sample[named:]
            hits = sum(_is_entry(cells, column, each) for cells in below)
            share = hits / len(below) if below else 0.0
            if share > (best[0] if best else 0.5):
                best = share, _Shape(each, column, named)
    return best[1] if best else None


def _is_heading(first: list[str], column: int, kind: ListKind) -> bool:
    cell = first[column] if column < len(first) else ""
    return heading(cell) is not None or not _is_entry(first, column, kind)


def _is_entry(cells: list[str], column: int, kind: ListKind) -> bool:
    if column >= len(cells) or (kind is ListKind.DOMAINS and "." not in cells[column]):
        return False
    with suppress(EntryRefused):
        return bool(entry_key(kind, cells[column]))
    return False


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
