"""The values of a document by their place, and a report of everything wrong with them.

A reader asks a `Node` for the kind of value it expects. A node that holds another kind notes the
problem and the reader goes on, so that all problems of a document are reported at once.
`document_parser` makes the nodes.
"""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from bouncer.errors import DocumentError, Problem

Place = tuple[str | int, ...]

_SHOWN = 60  # characters of a wrong value worth repeating in an error
_WORD = re.compile(r"[\w-]{1,60}")


@dataclass(slots=True)
class Report:
    """The problems of one document; `below` is its place if it is part of another document."""

    document: str
    below: Place = ()
    lines: dict[Place, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def add(self, path: Place, *, found: str, expected: str, line: int | None = None) -> None:
        """Note one problem at `path`."""
        self.problems.append(self._at(path, found, expected, line or self.line(path)))

    def warn(self, path: Place, *, found: str, expected: str, line: int | None = None) -> None:
        """Note at `path` what is valid, but hardly meant so."""
        self.warnings.append(self._at(path, found, expected, line or self.line(path)))

    def _at(self, path: Place, found: str, expected: str, line: int | None) -> Problem:
        place = show_path((*self.below, *path))
        return Problem(
            document=self.document, place=place, line=line, found=found, expected=expected
        )

    def line(self, path: Place) -> int | None:
        """Return the line of the value at `path`, or of the nearest value around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)

    def settle(self) -> None:
        """Raise `DocumentError` if there are problems, with all of them in the order of lines."""
        if self.problems:
            raise DocumentError(tuple(sorted(self.problems, key=lambda p: p.line or 0)))


@dataclass(frozen=True, slots=True)
class Node:
    """A value in a document and its place; its methods add problems to the report, never raise."""

    value: object
    path: Place
    report: Report

    def fault(self, expected: str, *, found: str | None = None) -> None:
        """Note that this value is not the expected one."""
        self.report.add(self.path, found=found or show(self.value), expected=expected)

    def doubt(self, expected: str, *, found: str | None = None) -> None:
        """Note that this value is valid, but hardly meant so."""
        self.report.warn(self.path, found=found or show(self.value), expected=expected)

    def child(self, key: str | int, value: object) -> "Node":
        """Return the node of a value under `key`."""
        return Node(value, (*self.path, key), self.report)

    def entries(self, expected: str) -> dict[str, "Node"]:
        """Return the members of a mapping; note any other value and return an empty mapping."""
        if not isinstance(self.value, dict):
            self.fault(expected)
            return {}
        return {key: self.child(key, value) for key, value in self.value.items()}

    def members(self, known: Collection[str], expected: str) -> dict[str, "Node"]:
        """Return the members with known keys; note others and suggest the most similar key."""
        entries = self.entries(expected)
        for key in [key for key in entries if key not in known]:
            entries.pop(key).unknown(known)
        return entries

    def unknown(self, known: Collection[str]) -> None:
        """Note that the last key of the path is unknown, and suggest the most similar known key."""
        from difflib import get_close_matches  # noqa: PLC0415  # for mistakes only

        from bouncer.rules.synonyms import meant  # noqa: PLC0415

        key = str(self.path[-1])
        word = key.lower().replace("-", "_")
        same = meant(word, known)
        near = [same] if same else get_close_matches(word, known, n=1) or list(known)
        hint = near[0] if len(near) == 1 else f"one of {', '.join(near)}"
        self.fault(hint, found=f"unknown key {show(key)}")

    def items(self) -> Iterator["Node"]:
        """Yield the elements of a list, or the value itself if it is not a list."""
        if not isinstance(self.value, list):
            yield self
            return
        if not self.value:
            self.fault("at least one value", found="an empty list")
        for index, value in enumerate(self.value):
            yield self.child(index, value)

    def text(self, expected: str = "text (in quotes)") -> str | None:
        """Return the value if it is text; note any other."""
        if isinstance(self.value, str):
            return self.value
        self.fault(expected)
        return None

    def word(self, words: Collection[str]) -> str | None:
        """Return the value if it is one of `words`; note any other."""
        if isinstance(self.value, str) and self.value in words:
            return self.value
        self.fault(f"one of {', '.join(words)}")
        return None

    def flag(self) -> bool | None:
        """Return the value if it is true or false; note any other."""
        if isinstance(self.value, bool):
            return self.value
        self.fault("true or false")
        return None

    def number(self, expected: str, *, least: int = 0) -> int | None:
        """Return the value if it is a whole number of at least `least`; note any other."""
        if isinstance(self.value, int) and not isinstance(self.value, bool) and self.value >= least:
            return self.value
        self.fault(expected)
        return None


def show(value: object) -> str:
    """Return a value as errors quote it: text in quotes, cut if long, escaped if unprintable."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case dict():
            return "a mapping" if value else "an empty mapping"
        case list():
            return "a list" if value else "an empty list"
        case str():
            cut = value if len(value) <= _SHOWN else value[:_SHOWN] + "..."
            return f'"{cut}"' if cut.isprintable() else json.dumps(cut)
        case _:
            return str(value)[:_SHOWN]


def show_path(path: Place) -> str:
    """Return a path as people write it, `when.any[0].sender`, with other keys than words quoted."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += "." + (step if _WORD.fullmatch(step) else show(step))
    return text.removeprefix(".")
