"""Reads a list from its document and brings it into look-up form.

A document looks like this; a CSV or text file alone is a list as well:

    description: People who left, and whom to write to instead.
    kind: addresses | domains | networks | words        # default addresses
    subdomains: true                                    # of domains only: theirs are meant, too
    entries: [ann@example.com, {address: bob@example.com, successor: carl@example.com}]
    file: departed.csv                                  # in place of entries
    upload: {key: uploads/departed.csv, sha256: 4f0c..., count: 2}     # in a parameter, for many
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from hashlib import sha256
from itertools import chain
from typing import NamedTuple

from bouncer.errors import BouncerError
from bouncer.mail.comparable import comparable
from bouncer.rules.column_name import column_name
from bouncer.rules.document import Node, Report
from bouncer.rules.document_parser import read_document
from bouncer.rules.entry_file import (
    LONGEST_FILE,
    Entry,
    heading,
    read_columns,
    read_entry_file,
    read_text,
)
from bouncer.rules.list_about import ListAbout, ReadList
from bouncer.rules.list_kind import ListKind
from bouncer.rules.list_rows import ListRows


class ListFile(NamedTuple):
    """The bytes of a file, and its name in errors."""

    label: str
    data: bytes


Read = Callable[[str], ListFile]


class UploadError(BouncerError):
    """An uploaded object is missing or may not be read; the text says which."""


# Returns the bytes of an uploaded object by its key, of a long one only the beginning that is too
# long already. Raises `UploadError` where asking again does not help.
Fetch = Callable[[str], bytes]

UPLOADS = "uploads/"

# Changes when the same document is read as another list, or has another look-up form: then lists
# are read again that did not change.
READING = 1

_KEYS = ("description", "kind", "subdomains", "entries", "file", "upload")
_PLACES = ("entries", "file", "upload")
_UPLOAD_KEYS = ("key", "sha256", "count")
_UPLOAD = re.compile(rf"{UPLOADS}[A-Za-z0-9][A-Za-z0-9_.-]{{0,199}}")
_SHA256 = re.compile("[0-9a-f]{64}")
_PUSH = "bouncer lists push, which writes object and parameter"


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


def read_list(
    text: str, *, document: str, read: Read | None = None, fetch: Fetch | None = None
) -> ReadList:
    """Return the list in a document.

    `read` returns the file that it names, if there are files beside it, and `fetch` the object that
    it names, if there are any. Raises `DocumentError` with all problems, and what the two raise.
    """
    root = read_document(document, text)
    entries = root.members(_KEYS, "a mapping with entries or file")
    kind = _kind(entries)
    subdomains = entries["subdomains"].flag() if "subdomains" in entries else False
    if subdomains and kind is not ListKind.DOMAINS:
        entries["subdomains"].fault("kind: domains beside it")
    if "description" in entries:
        entries["description"].text()
    places = [name for name in _PLACES if name in entries]
    if isinstance(root.value, dict) and len(places) != 1:
        root.fault("either entries or file", found=" and ".join(places) or "neither")
    root.report.settle()
    about = ListAbout(kind=kind or ListKind.ADDRESSES, subdomains=bool(subdomains))
    if "entries" in entries:
        return _of_entries(about, entries["entries"])
    place = entries[places[0]]
    if place.path == ("file",):
        return _of_file(about, _file(place, read), kind)
    return _of_upload(about, place, kind, fetch)


def _kind(entries: dict[str, Node]) -> ListKind | None:
    word = entries["kind"].word(tuple(map(str, ListKind))) if "kind" in entries else None
    return ListKind(word) if word else None


def _file(node: Node, read: Read | None) -> ListFile:
    """Return the file beside a document."""
    if read is None:
        expected = f"entries, or upload: a parameter has no files beside it; run {_PUSH}"
        node.fault(expected, found="a file")
    name = node.text("the name of a file beside this document, such as departed.csv")
    node.report.settle()
    return read(name or "") if read else ListFile("", b"")


def _of_upload(
    about: ListAbout, node: Node, kind: ListKind | None, fetch: Fetch | None
) -> ReadList:
    """Return the list in an uploaded object, which must be the one that the document describes."""
    if fetch is None:
        node.fault("entries or file: only parameters have uploads", found="an upload")
        node.report.settle()
    members = node.members(_UPLOAD_KEYS, "a mapping with key, sha256 and count")
    key = _matching(node, members, "key", _UPLOAD, f"{UPLOADS} and a name, in the rules' bucket")
    digest = _matching(node, members, "sha256", _SHA256, "64 digits 0-9 and a-f")
    count = _member(node, members, "count").number("the number of entries", least=1)
    node.report.settle()
    data = _fetched(members["key"], fetch)
    if len(data) <= LONGEST_FILE and sha256(data).hexdigest() != digest:
        members["sha256"].fault(f"the digest of {key}: run {_PUSH}")
        node.report.settle()
    found = _of_file(about, ListFile(key, data), kind)
    if found.about.entries != count:
        members["count"].fault(f"{found.about.entries}, the entries of {key}: run {_PUSH}")
        node.report.settle()
    return found


def _fetched(key: Node, fetch: Fetch | None) -> bytes:
    try:
        return fetch(str(key.value)) if fetch else b""
    except UploadError as error:
        key.fault(f"an object {key.value}: run {_PUSH}", found=str(error))
        key.report.settle()
        return b""


def _member(node: Node, members: Mapping[str, Node], name: str) -> Node:
    return members.get(name) or node.child(name, None)


def _matching(
    node: Node, members: Mapping[str, Node], name: str, form: re.Pattern[str], expected: str
) -> str:
    """Return the text of a member if it has this form; note any other."""
    member = _member(node, members, name)
    if isinstance(member.value, str) and form.fullmatch(member.value):
        return member.value
    member.fault(expected)
    return ""


def _of_file(about: ListAbout, file: ListFile, kind: ListKind | None) -> ReadList:
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
