"""Every slip an operator makes gets a text of its own: one folder of `tests/invalid` each.

A folder holds the document (a rule, a list or settings: `rule.yaml`, `list.csv`) and
`expected.txt`, the exact text of the error, with `{fields}` for the list of all keys of a
condition. What no folder shows, the laws below promise.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bouncer.errors import BouncerError, DocumentError
from bouncer.operator_settings import Settings
from bouncer.rules.condition import NESTING
from bouncer.rules.document_parser import read_document
from bouncer.rules.fields import FIELDS
from bouncer.rules.list_about import ReadList
from bouncer.rules.list_reader import ListFile, read_list, read_list_file
from bouncer.rules.rejection_reader import KEYS
from bouncer.rules.rule import Rule
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset
from bouncer.settings_reader import overlaid

INVALID = Path(__file__).parents[1] / "invalid"
FOLDERS = sorted(path for path in INVALID.iterdir() if path.is_dir())


def document(folder: Path) -> Path:
    """The document in a folder."""
    (found,) = (path for path in folder.iterdir() if path.stem in ("rule", "settings", "list"))
    return found


def content(path: Path) -> str:
    """The text of a file, its line ends as they are."""
    return path.read_bytes().decode()


ALL_KEYS = ", ".join((*FIELDS, *NESTING))


def expected(folder: Path) -> str:
    """The exact text of the error about the document in a folder."""
    return content(folder / "expected.txt").replace("{fields}", ALL_KEYS)


def abbreviated(error: str) -> str:
    """The text of an error as its file has it: `{fields}` for the list that grows with fields."""
    return error.replace(ALL_KEYS, "{fields}")


def read(name: str, text: str) -> Rule | Settings | ReadList:
    """Read a document as what its name says it is; a list's file is called file.csv."""
    if name == "list.csv":
        return read_list_file(ListFile(name, text.encode()))
    if name.startswith("list"):
        return read_list(
            text, document=name, read=lambda file: ListFile(file, b""), fetch=lambda _: b"ann@a.b"
        )
    if name.startswith("settings"):
        return overlaid(Settings(), text, document=name)
    return read_rule("100-rule", text, document=name)


@pytest.mark.threat
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_an_invalid_document_is_refused_with_exactly_this_text(folder: Path) -> None:
    """The text names file, line and place, what was found and what was expected."""
    path = document(folder)
    with pytest.raises(DocumentError) as caught:
        read(path.name, content(path))
    assert f"{caught.value}\n" == expected(folder)


def test_every_problem_is_one_plain_sentence() -> None:
    """One line each, short enough to read, with nothing a terminal or a log could stumble over."""
    for folder in FOLDERS:
        for line in expected(folder).splitlines():
            assert line.isprintable()
            assert len(line) < 400
            assert line.startswith(document(folder).name)
            assert line.count(": found ") == 1
            assert line.count(", expected ") == 1


def test_there_is_a_folder_for_every_usual_slip() -> None:
    """The collection does not shrink unnoticed, and each folder is about something else."""
    assert len(FOLDERS) >= 45
    assert len({content(document(folder)) for folder in FOLDERS}) == len(FOLDERS)


def document_keys(text: str) -> set[str]:
    """The top-level keys of a valid document."""
    return set(read_document("rule.yaml", text).entries("a mapping"))


def refused_or_sound(text: str) -> None:
    """Read `text` as rule and as settings: it is refused, or valid and compiles whole."""
    for name in ("rule.yaml", "settings.yaml"):
        try:
            found = read(name, text)
        except BouncerError as error:
            problems = str(error).splitlines()
        else:
            problems = []
            if isinstance(found, Rule):
                Ruleset([found])
                conditions = {"when", "unless"} & document_keys(text)
                assert (found.condition is not None) == bool(conditions)
        assert all(problem.startswith(name) for problem in problems)


@settings(max_examples=150)
@given(st.text() | st.text(alphabet="{}[]:,-*&!|>'\"%@`#?\\\n\t ab0.<=~", max_size=40))
def test_no_text_raises_anything_but_a_document_error(text: str) -> None:
    """Any text in a parameter is valid or gives a list of problems."""
    refused_or_sound(text)


@settings(max_examples=100)
@given(st.sampled_from(FOLDERS), st.data())
def test_no_slip_of_the_finger_raises_anything_but_a_document_error(
    folder: Path, data: st.DataObject
) -> None:
    """A document cut off or with a stretch replaced is refused or valid, never a crash."""
    text = content(document(folder))[:400]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 10)))
    refused_or_sound(text[:start] + data.draw(st.text(max_size=3)) + text[end:])


MEANT = [
    "pass",
    "eve@example.com",
    "*@example.com",
    ".example.com",
    "5.7.1",
    "DoesNotExist",
    "mon",
    "192.0.2.0/24",
    "18:00",
    "Europe/Berlin",
    "{recipient}",
    "X-Name",
    "(",
    "on",
    "2026-12-01",
]
WORDS = [
    "contains",
    "starts_with",
    "ends_with",
    "regex",
    "in",
    "over",
    "under",
    "days",
    "between",
    "zone",
    "X-Name",
    "mode",
    "sending",
    "mood",
]
plain = st.sampled_from(MEANT) | st.none() | st.booleans() | st.integers(-1, 600)
scalars = plain | st.floats() | st.text(max_size=5)
keys = st.sampled_from([*FIELDS, *NESTING, *KEYS, *WORDS])
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(keys, inner, max_size=2),
    max_leaves=6,
)
bodies = st.dictionaries(keys, values, max_size=3) | values
documents = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(["when", "unless", "reject"], bodies),
        **dict.fromkeys(["mode", "from", "until", "description", "sending", "own_domains"], values),
        "drop": st.just({}),
    },
)


@settings(max_examples=150)
@given(documents)
def test_no_structure_of_known_keys_raises_anything_but_a_document_error(
    structure: dict[str, Any],
) -> None:
    """Right words in wrong places are refused or mean something; no condition gets lost."""
    refused_or_sound(json.dumps(structure))
    refused_or_sound(yaml.safe_dump(structure, allow_unicode=True))


@pytest.mark.parametrize("opening", ["[", "- ", "{a: ", "{", '{"a":', "? ", "!!seq [", "not:\n "])
def test_the_deepest_nesting_that_fits_in_a_parameter_is_refused(opening: str) -> None:
    """Neither parser's stack is exhausted by a document of nothing but openings."""
    text = (opening * 8192)[: 8192 - 8192 % len(opening)]
    with pytest.raises(DocumentError):
        read_rule("100-rule", text)
