"""Reads one YAML or JSON document, strictly, remembering the line of every value.

YAML follows the 1.2 core schema: only `true`, `false`, `null` and numbers are not text, so `off`,
`no`, `18:00` and `2026-12-01` mean what they look like. Aliases, tags and repeated keys are
refused. This module knows nothing about rules; `Node` is how their readers look at a document.
"""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, Never

import yaml

from bouncer.errors import DocumentError, Problem
from bouncer.rules import yaml_errors as slip

Path = tuple[str | int, ...]

_SHOWN = 60  # characters of a wrong value worth repeating in an error
_DEEPEST = 100
_WORD = re.compile(r"[\w-]{1,60}")
_LONGEST = 8192  # bytes an SSM parameter holds; it also keeps the C parser's stack safe


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # C is optional
    """PyYAML's safe loader with the resolvers of YAML 1.2's core schema."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  # PyYAML's own shape


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""]
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), [*"tf"])
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]{1,18}$"), [*"-+0123456789"]
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]*\.[0-9]+$"), [*"-+.0123456789"]
)

_SCALARS: dict[str, Any] = {
    "tag:yaml.org,2002:null": lambda _: None,
    "tag:yaml.org,2002:bool": lambda text: text == "true",
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
    "tag:yaml.org,2002:str": str,
}


@dataclass(slots=True)
class Report:
    """Collects the problems of one document, which may stand `below` a place in another."""

    document: str
    below: Path = ()
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, path: Path, *, found: str, expected: str, line: int | None = None) -> None:
        """Note one problem at `path`."""
        self.problems.append(
            Problem(
                document=self.document,
                place=show_path((*self.below, *path)),
                line=line or self.line(path),
                found=found,
                expected=expected,
            )
        )

    def add_too_deep(self, line: int | None = None) -> None:
        """Note that the document nests deeper than anyone means to."""
        found, expected = "values nested too deeply", f"at most {_DEEPEST} levels"
        self.add((), line=line, found=found, expected=expected)

    def line(self, path: Path) -> int | None:
        """The line of the value at `path`, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)

    def settle(self) -> None:
        """Raise `DocumentError` with everything noted so far, if any, in document order."""
        if self.problems:
            raise DocumentError(tuple(sorted(self.problems, key=lambda p: p.line or 0)))


@dataclass(frozen=True, slots=True)
class Node:
    """A value in a document and where it stands; its methods note what is wrong and go on."""

    value: object
    path: Path
    report: Report

    def fault(self, expected: str, *, found: str | None = None) -> None:
        """Note that something else was expected here."""
        self.report.add(self.path, found=found or show(self.value), expected=expected)

    def child(self, key: str | int, value: object) -> "Node":
        """The value under `key`."""
        return Node(value, (*self.path, key), self.report)

    def entries(self, expected: str) -> dict[str, "Node"]:
        """The members of a mapping; anything else is noted and yields none."""
        if not isinstance(self.value, dict):
            self.fault(expected)
            return {}
        return {key: self.child(key, value) for key, value in self.value.items()}

    def members(self, known: Collection[str], expected: str) -> dict[str, "Node"]:
        """The members of a mapping with known keys; others are noted, with the likeliest meant."""
        entries = self.entries(expected)
        for key in [key for key in entries if key not in known]:
            entries.pop(key).unknown(known)
        return entries

    def unknown(self, known: Collection[str]) -> None:
        """Note that this key is none of `known`."""
        from difflib import get_close_matches  # noqa: PLC0415  # for mistakes only

        key = str(self.path[-1])
        near = get_close_matches(key.lower().replace("-", "_"), known, n=1) or list(known)
        hint = near[0] if len(near) == 1 else f"one of {', '.join(near)}"
        self.fault(hint, found=f"unknown key {show(key)}")

    def items(self) -> Iterator["Node"]:
        """The elements of a list, or the value itself when it is none."""
        if not isinstance(self.value, list):
            yield self
            return
        if not self.value:
            self.fault("at least one value", found="an empty list")
        for index, value in enumerate(self.value):
            yield self.child(index, value)

    def text(self, expected: str = "text (in quotes)") -> str | None:
        """The value if it is text."""
        if isinstance(self.value, str):
            return self.value
        self.fault(expected)
        return None

    def word(self, words: Collection[str]) -> str | None:
        """The value if it is one of a closed set of words."""
        if isinstance(self.value, str) and self.value in words:
            return self.value
        self.fault(f"one of {', '.join(words)}")
        return None

    def flag(self) -> bool | None:
        """The value if it is true or false."""
        if isinstance(self.value, bool):
            return self.value
        self.fault("true or false")
        return None

    def number(self, expected: str, *, least: int = 0) -> int | None:
        """The value if it is a whole number of at least `least`."""
        if isinstance(self.value, int) and not isinstance(self.value, bool) and self.value >= least:
            return self.value
        self.fault(expected)
        return None


def read(name: str, text: str, *, below: Path = ()) -> Node:
    """The root of the document called `name`; raises `DocumentError` if it is no document."""
    report = Report(name, below)
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > _LONGEST:
        expected = f"at most {_LONGEST}, as an SSM parameter holds no more"
        report.add((), found=f"{size} bytes", expected=expected)
        report.settle()
    parse = _read_json if text.lstrip().startswith("{") else _read_yaml
    value = parse(text, report)
    report.settle()
    return Node(value, (), report)


def _read_json(text: str, report: Report) -> object:
    def pairs(members: list[tuple[str, object]]) -> dict[str, object]:
        for index, (key, _) in enumerate(members):
            if any(key == other for other, _ in members[:index]):
                report.add((), found=f"the key {show(key)} twice", expected="each key once")
        return dict(members)

    def constant(word: str) -> Never:
        raise ValueError(word)

    try:
        value: object = json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except json.JSONDecodeError as error:
        found, expected = f"invalid JSON ({error.msg})", "JSON, as the document starts with {"
        report.add((), line=error.lineno, found=found, expected=expected)
    except RecursionError:
        report.add_too_deep()
    except ValueError as error:
        report.add((), found=show(str(error)), expected="a JSON number")
    else:
        if not _deeper(value, _DEEPEST):
            return value
        report.add_too_deep()
    return None


def _deeper(value: object, levels: int) -> bool:
    """Is something nested more than `levels` deep in this value?"""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper(item, levels - 1) for item in inner)


def _read_yaml(text: str, report: Report) -> object:
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        wrong = slip.of_parser(error, text)
        report.add((), line=wrong.line, found=wrong.found, expected=wrong.expected)
    except (yaml.YAMLError, UnicodeEncodeError):
        wrong = slip.of_characters(text)
        report.add((), line=wrong.line, found=wrong.found, expected=wrong.expected)
    except RecursionError:
        report.add_too_deep()
    else:
        if root is not None:
            return _Builder(report).build(root, ())
    return None


class _Builder:
    """Turns PyYAML's nodes into plain values, noting lines and whatever is not allowed."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._seen: set[int] = set()

    def build(self, node: Any, path: Path) -> object:
        if id(node) in self._seen:
            self._report.add(path, found="a YAML alias", expected="the value written out")
            return None
        self._seen.add(id(node))
        line = self._report.lines.setdefault(path, node.start_mark.line + 1)
        if len(path) > _DEEPEST:
            self._report.add_too_deep(line)
            self._report.settle()
        if node.tag != _plain_tag(node):
            tag = node.tag.replace("tag:yaml.org,2002:", "!!")
            self._report.add(path, found=f"the YAML tag {show(tag)}", expected="a plain value")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
        return _SCALARS[node.tag](node.value)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, object]:
        result: dict[str, object] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._report.add(
                    path, line=line, found="a list or mapping as key", expected="a text key"
                )
                continue
            key = str(key_node.value)
            if key in result:
                found = f"the key {show(key)} twice"
                self._report.add(path, line=line, found=found, expected="each key once")
            self._report.lines[*path, key] = line
            result[key] = self.build(value_node, (*path, key))
        return result


def _plain_tag(node: Any) -> str:
    """The tag a node has when none is written before it."""
    if isinstance(node, yaml.MappingNode):
        return "tag:yaml.org,2002:map"
    if isinstance(node, yaml.SequenceNode):
        return "tag:yaml.org,2002:seq"
    if not node.style:  # not in quotes
        for tag, pattern in _Loader.yaml_implicit_resolvers.get(node.value[:1], ()):
            if pattern.match(node.value):
                return tag
    return "tag:yaml.org,2002:str"


def show(value: object) -> str:
    """A short, safe rendering of a found value: text quoted, long or odd things cut and escaped."""
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


def show_path(path: Path) -> str:
    """A path as people write it: `when.any[0].sender`; keys that are no words stand in quotes."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += "." + (step if _WORD.fullmatch(step) else show(step))
    return text.removeprefix(".")
