"""Reads a list from its document and brings it into look-up form.

A document looks like this; a CSV or text file alone is a list as well:

    description: People who left, and whom to write to instead.
    kind: addresses | domains | networks | words        # default addresses
    subdomains: true                                    # of domains only: theirs are meant, too
    entries: [ann@example.com, {address: bob@example.com, successor: carl@example.com}]
    file: departed.csv                                  # in place of entries
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from typing import NamedTuple

from bouncer.errors import Problem
from bouncer.mail.comparable import comparable
from bouncer.rules.column_name import column_name
from bouncer.rules.document import Node, Report
from bouncer.rules.document_parser import read_document
from bouncer.rules.entry_file import Entry, heading, read_columns, read_entry_file, read_text
from bouncer.rules.list_kind import ListKind
from bouncer.rules.list_rows import ListRows
from bouncer.rules.named_list import ListAbout


class ListFile(NamedTuple):
    """The bytes of a file, and its name in errors."""

    label: str
    data: bytes


Read = Callable[[str], ListFile]

_KEYS = ("description", "kind", "subdomains", "entries", "file")


class ReadList(NamedTuple):
    """A list in look-up form, with what is valid in it, but hardly meant so."""

    about: ListAbout
    form: bytes
    warnings: tuple[Problem, ...]


def read_list_file(file: ListFile) -> ReadList:
    """Return the list in a CSV or text file; raises `DocumentError` with its problems."""
    report = Report(file.label)
    text = read_text(file.data, report)
    report.settle()
    found = read_entry_file(text or "", report)
    return _list(
        ListAbout(kind=found.kind or ListKind.ADDRESSES, columns=found.columns),
        found.entries,
        report,
    )


def read_list(text: str, *, document: str, read: Read) -> ReadList:
    """Return the list in a document; `read` returns the file that it names.

    Raises `DocumentError` with all problems, and what `read` raises.
    """
    root = read_document(document, text)
    entries = root.members(_KEYS, "a mapping with entries or file")
    kind = _kind(entries)
    subdomains = entries["subdomains"].flag() if "subdomains" in entries else False
    if subdomains and kind is not ListKind.DOMAINS:
        entries["subdomains"].fault("kind: domains beside it")
    if "description" in entries:
        entries["description"].text()
    if isinstance(root.value, dict) and ("entries" in entries) == ("file" in entries):
        found = "both" if "file" in entries else "neither"
        root.fault("either entries or file", found=found)
    root.report.settle()
    about = ListAbout(kind=kind or ListKind.ADDRESSES, subdomains=bool(subdomains))
    if "file" in entries:
        return _of_file(about, entries, kind, read)
    return _of_entries(about, entries["entries"])


def _kind(entries: dict[str, Node]) -> ListKind | None:
    word = entries["kind"].word(tuple(map(str, ListKind))) if "kind" in entries else None
    return ListKind(word) if word else None


def _of_file(
    about: ListAbout, members: dict[str, Node], kind: ListKind | None, read: Read
) -> ReadList:
    node = members["file"]
    name = node.text("the name of a file beside this document, such as departed.csv")
    node.report.settle()
    file = read(name or "")
    report = Report(file.label)
    text = read_text(file.data, report)
    report.settle()
    found = read_entry_file(text or "", report)
    if kind and found.kind not in (None, kind):
        of_file, expected = f"a column of {found.kind}", f"{kind}, the kind of the list"
        report.add((), line=found.line, found=of_file, expected=expected)
    about = about._replace(kind=kind or found.kind or about.kind, columns=found.columns)
    return _list(about, found.entries, report)


def _of_entries(about: ListAbout, node: Node) -> ReadList:
    items = list(node.items())
    columns = dict.fromkeys(chain.from_iterable(_columns(item, about.kind) for item in items))
    node.report.settle()
    about = about._replace(columns=tuple(columns))
    return _list(about, _written_entries(items, about), node.report)


def _columns(item: Node, kind: ListKind) -> tuple[str, ...]:
    """Return the names of the columns of one entry."""
    if not isinstance(item.value, dict):
        return ()
    beside = [key for key in item.value if heading(key) is not kind]
    return read_columns(beside, partial(item.report.add, item.path))


def _written_entries(items: list[Node], about: ListAbout) -> Iterator[Entry]:
    for item in items:
        cells = item.entries("an entry") if isinstance(item.value, dict) else {"": item}
        named = {key: cell for key, cell in cells.items() if not key or heading(key) is about.kind}
        if len(named) != 1:
            item.fault(f"one {about.kind.entry}: and columns beside it")
            continue
        values = {column_name(key): cell.text() for key, cell in cells.items() if key not in named}
        text = next(iter(named.values())).text("an entry, as text (in quotes)")
        if text is not None and None not in values.values():
            beside = (comparable(values.get(name) or "") for name in about.columns)
            line = item.report.line(item.path)
            yield Entry(item.path, line, comparable(text), tuple(beside))


def _list(about: ListAbout, entries: Iterator[Entry], report: Report) -> ReadList:
    rows = ListRows(about, report)
    for entry in entries:
        rows.add(entry)
    rows.settle()
    return ReadList(rows.about(), rows.form(), tuple(report.warnings))
