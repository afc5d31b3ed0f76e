"""The parameter of a list that is pushed: its entries, or the object that has them.

A small list stands in its parameter. A larger one is uploaded as it is, and the parameter names the
object, its digest and the number of its entries, so that the publisher never reads another one. An
object's key has the digest of its bytes: what is in force does not change while a list is pushed.
"""

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from bouncer.errors import DocumentError
from bouncer.rules.document import Report
from bouncer.rules.document_parser import read_document
from bouncer.rules.entry_file import EntryFile, read_entry_file, read_text
from bouncer.rules.list_about import ReadList
from bouncer.rules.list_reader import UPLOADS, read_list
from bouncer_cli.list_files import DOCUMENTS, FileList, read_list_at
from bouncer_cli.operations.push_plan import STANDARD_BYTES, reference_in

_STAYING = ("description", "kind", "subdomains")


class ListParameter(NamedTuple):
    """The text of a parameter, and the object that it names, if any: its key and its bytes."""

    text: str
    key: str = ""
    data: bytes = b""


def list_parameters(lists: Mapping[str, FileList]) -> dict[str, ListParameter]:
    """Return the parameters of valid lists; raises what `list_parameter` raises."""
    return {name: list_parameter(name, found.path) for name, found in lists.items()}


def list_parameter(name: str, path: Path) -> ListParameter:
    """Return the parameter of the list in a document, or in a CSV or text file.

    Raises `DocumentError` if it is invalid, and `SourceError` if a file can't be read.
    """
    found = read_list_at(path)
    if path.suffix.lower() not in DOCUMENTS:
        return _of_file(name, found, path, "")
    text = path.read_text(encoding="utf-8")
    members: dict[str, Any] = read_document(str(path), text).value  # type: ignore[assignment]  # valid
    if "file" not in members:
        return ListParameter(text)
    stays = "".join(
        f"{key}: {json.dumps(members[key], ensure_ascii=False)}\n"
        for key in _STAYING
        if key in members
    )
    return _of_file(name, found, path.with_name(members["file"]), stays)


def _of_file(name: str, found: ReadList, path: Path, stays: str) -> ListParameter:
    data = path.read_bytes()
    stays = stays if "kind: " in stays else f"{stays}kind: {found.about.kind}\n"
    if len(data) <= STANDARD_BYTES:
        text = f"{stays}entries:\n{''.join(_lines(data, found))}"
        if _is_small(text) and _form(text) == found.form:
            return ListParameter(text)
    digest = sha256(data).hexdigest()
    key = f"{UPLOADS}{name}-{digest}.csv"
    upload = f"upload:\n  key: {key}\n  sha256: {digest}\n  count: {found.about.entries}\n"
    return ListParameter(f"{stays}{upload}", key, data)


def _lines(data: bytes, found: ReadList) -> Iterator[str]:
    """Yield the entries of a file as lines of YAML."""
    file = _entries(data)
    for entry in file.entries:
        columns = zip(file.columns, entry.columns, strict=True)
        named = {found.about.kind.entry: entry.text, **dict(columns)}
        item: object = named if file.columns else entry.text
        yield f"  - {json.dumps(item, ensure_ascii=False)}\n"


def _entries(data: bytes) -> EntryFile:
    report = Report("")
    return read_entry_file(read_text(data, report) or "", report)


def _is_small(text: str) -> bool:
    return len(text.encode()) <= STANDARD_BYTES and not reference_in(text)


def _form(text: str) -> bytes:
    """Return the look-up form of a text, b"" if it can't say what its file says."""
    try:
        return read_list(text, document="").form
    except DocumentError:
        return b""
