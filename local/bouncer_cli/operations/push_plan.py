"""The difference between documents in files and in SSM, and what makes it impossible to push.

It has no effects. Documents are known by their names below the prefix, such as `rules/NAME`.
"""

import difflib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from bouncer.sources.source import Document

STANDARD_BYTES = 4096  # a larger parameter is an advanced one (SSM User Guide)
_REFERENCE = re.compile(r"\{\{.*?\}\}", re.DOTALL)  # to another parameter: no value may have one


class Change(NamedTuple):
    """A document to write; a new one has None as `old`, one to remove has None as `text`."""

    name: str
    old: Document | None
    text: str | None

    @property
    def version(self) -> int:
        """The number of the version that was compared, 0 for none."""
        return int(self.old.version) if self.old else 0

    def lines(self) -> Iterator[str]:
        """Yield what changes, for people."""
        word = "new" if self.old is None else "removed" if self.text is None else "changed"
        yield f"{word + ':':<11}{self.name}{self._price()}"
        if self.old is not None:
            old, new = (_lines(text) for text in (self.old.text, self.text))
            names_and_lines = difflib.unified_diff(old, new, lineterm="")
            yield from (f"    {line}" for line in islice(names_and_lines, 2, None))

    def _price(self) -> str:
        size = len((self.text or "").encode())
        if size <= STANDARD_BYTES:
            return ""
        return f" ({size:,} bytes: an advanced parameter, which costs 0.05 USD a month)"


class PushPlan(NamedTuple):
    """Changes in the order in which they are made; `left` names documents without a file."""

    changes: tuple[Change, ...]
    unchanged: int
    left: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """Yield the difference, for people."""
        for change in self.changes:
            yield from change.lines()
        for name in self.left:
            yield f"stays:     {name} has no file here; --prune removes it"
        yield f"unchanged: {self.unchanged}"


def push_plan(
    files: Mapping[str, Document], stored: Mapping[str, Document], *, prune: bool
) -> PushPlan:
    """Return what a push changes: new and changed documents first, then those to remove."""
    written = [
        Change(name, stored.get(name), document.text)
        for name, document in sorted(files.items())
        if name not in stored or stored[name].text != document.text
    ]
    left = sorted(stored.keys() - files.keys())
    removed = [Change(name, stored[name], None) for name in left] if prune else []
    unchanged = len(files) - len(written)
    return PushPlan((*written, *removed), unchanged, () if prune else tuple(left))


def reference_in(text: str) -> str:
    """Return the first reference to another parameter, or ""."""
    found = _REFERENCE.search(text)
    return found[0] if found else ""


def obstacles(
    files: Mapping[str, Document], stored: Mapping[str, Document], *, prune: bool
) -> dict[str, list[str]]:
    """Return sentences for each document that SSM or the functions would not take as it is."""
    beside = _one_name_twice(files, {} if prune else stored)
    found = {
        name: [*_faults(document, stored.get(name)), *beside.get(name, ())]
        for name, document in sorted(files.items())
    }
    return {name: said for name, said in found.items() if said}


def _faults(document: Document, stored: Document | None) -> Iterator[str]:
    if found := reference_in(document.text):
        expected = "expected no double braces (SSM takes them for another parameter)"
        yield f"{document.label}: found {found:.60}, {expected}"
    if stored is not None and stored.secret:
        yield (
            f"{stored.label}: found a SecureString, expected a String (no function decrypts): run "
            f"aws ssm delete-parameter --name {stored.label}, and push again"
        )


def _one_name_twice(
    files: Mapping[str, Document], stored: Mapping[str, Document]
) -> dict[str, list[str]]:
    """Return a sentence for each file whose name differs from another one only in case."""
    same: dict[str, dict[str, str]] = defaultdict(dict)
    for documents in (stored, files):
        for name, document in documents.items():
            same[name.lower()][name] = document.label
    return {
        name: [
            f"{document.label}: found {label} beside it, expected names that differ in more than "
            "their case"
            for other, label in sorted(same[name.lower()].items())
            if other != name
        ]
        for name, document in files.items()
    }


def _lines(text: str | None) -> list[str]:
    """Return the lines of a text; one without a line end at its end has a line that says so."""
    if not text:
        return []
    *lines, last = text.split("\n")
    return [*lines, last, r"\ no line end at the end"] if last else lines
