"""Parses one YAML or JSON document, strictly, remembering the line of every value.

YAML follows the 1.2 core schema: only `true`, `false`, `null` and numbers are not text, so `off`,
`no`, `18:00` and `2026-12-01` mean what they look like. Aliases, tags and repeated keys are
refused. This module knows nothing about rules.
"""

import json
import re
from typing import Any, Never

import yaml

from bouncer.mail.text import well_formed
from bouncer.rules import yaml_errors as slip
from bouncer.rules.document import Node, Place, Report, show

_DEEPEST = 100
_LONGEST = 8192  # bytes an SSM parameter holds; it also keeps the C parser's stack safe
_VALID_JSON = "valid JSON (a document that begins with { is read as JSON)"


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


def read_document(name: str, text: str, *, below: Place = ()) -> Node:
    """Return the root of the document called `name`; raise `DocumentError` for invalid text."""
    report = Report(name, below)
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > _LONGEST:
        holds = f"at most {_LONGEST}, as an SSM parameter holds no more"
        expected = f"{holds}: put long lists of entries into a CSV file (docs/rules.md#lists)"
        report.add((), found=f"{size} bytes", expected=expected)
        report.settle()
    parse = _read_json if text.lstrip().startswith("{") else _read_yaml
    value = parse(text, report)
    report.settle()
    if "\\u" in text.lower():  # only an escape can name one: UTF-8 has no bytes for it
        _refuse_surrogates(value, (), report)
        report.settle()
    return Node(value, (), report)


def _refuse_surrogates(value: object, path: Place, report: Report) -> None:
    """Note keys and texts with half of a surrogate pair, which nothing can store or send."""
    if isinstance(value, dict):
        for key, inner in value.items():
            _refuse_surrogates(key, path, report)
            _refuse_surrogates(inner, (*path, key), report)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _refuse_surrogates(inner, (*path, index), report)
    elif isinstance(value, str) and well_formed(value) != value:
        report.add(path, found=show(value), expected="text without halves of surrogate pairs")


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
        found, expected = f"invalid JSON ({error.msg})", _VALID_JSON
        report.add((), line=error.lineno, found=found, expected=expected)
    except RecursionError:
        _add_too_deep(report)
    except ValueError as error:
        report.add((), found=show(str(error)), expected="a JSON number")
    else:
        if not _deeper(value, _DEEPEST):
            return value
        _add_too_deep(report)
    return None


def _deeper(value: object, levels: int) -> bool:
    """Tell whether a value nests deeper than `levels`."""
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
        _add_too_deep(report)
    else:
        if root is not None:
            return _Builder(report).build(root, ())
    return None


class _Builder:
    """Turns PyYAML's nodes into plain values; notes their lines and what is not allowed."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._seen: set[int] = set()

    def build(self, node: Any, path: Place) -> object:
        if id(node) in self._seen:
            self._report.add(path, found="a YAML alias", expected="the value written out")
            return None
        self._seen.add(id(node))
        line = self._report.lines.setdefault(path, node.start_mark.line + 1)
        if len(path) > _DEEPEST:
            _add_too_deep(self._report, line)
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

    def _mapping(self, node: yaml.MappingNode, path: Place) -> dict[str, object]:
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
    """Return the tag a node has if the document does not write one before it."""
    if isinstance(node, yaml.MappingNode):
        return "tag:yaml.org,2002:map"
    if isinstance(node, yaml.SequenceNode):
        return "tag:yaml.org,2002:seq"
    if not node.style:  # not in quotes
        for tag, pattern in _Loader.yaml_implicit_resolvers.get(node.value[:1], ()):
            if pattern.match(node.value):
                return tag
    return "tag:yaml.org,2002:str"


def _add_too_deep(report: Report, line: int | None = None) -> None:
    found, expected = "values nested too deeply", f"at most {_DEEPEST} levels"
    report.add((), line=line, found=found, expected=expected)
