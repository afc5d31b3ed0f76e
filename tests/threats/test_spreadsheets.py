"""A value that begins with = + - or @ is a formula to a spreadsheet: none of ours begins so."""

import ast
import re
from pathlib import Path

import pytest

from bouncer_infra.analysis import QUESTIONS
from bouncer_infra.saved_queries import QUERIES

ROOT = Path(__file__).resolve().parents[2]
STRANGERS = r"\b(?:sender|recipients?(?:\.0)?|diagnosticcode)\b"  # fields that strangers write
SAFE = r"(?:concat\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)|count\([^()]*\))(?: as \w+)?"
WHOLE = {"why"}  # shows lines as they are; docs/operations.md says so


def shown(columns: str) -> list[str]:
    """Return the fields of strangers that stand in columns without a character before them."""
    return re.findall(STRANGERS, re.sub(SAFE, " ", columns, flags=re.IGNORECASE))


@pytest.mark.threat
def test_no_command_writes_a_table_for_spreadsheets() -> None:
    """The output of a command is text for people, or JSON.

    `lists import` copies a file of the operator, with nothing of a mail in it.
    """
    formats = set()
    for path in (ROOT / "local").rglob("*.py"):
        if path.name == "list_import.py":
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                assert "csv" not in [name.name for name in node.names], path
            if isinstance(node, ast.ImportFrom):
                assert node.module != "csv", path
            if isinstance(node, ast.Call) and any(
                isinstance(word, ast.Constant) and word.value == "--format" for word in node.args
            ):
                choices = next(each.value for each in node.keywords if each.arg == "choices")
                formats |= set(ast.literal_eval(choices))
    assert formats == {"table", "text", "json"}


@pytest.mark.threat
@pytest.mark.parametrize("name", sorted({path.stem for path in QUESTIONS.glob("*.sql")} - WHOLE))
def test_no_column_of_a_question_begins_with_a_strangers_text(name: str) -> None:
    """Athena keeps each answer as CSV; an address stands in angle brackets there."""
    text = (QUESTIONS / f"{name}.sql").read_text(encoding="utf-8")
    outermost = text[text.rindex("\nSELECT" if "\nSELECT" in text else "SELECT", 0, _end(text)) :]
    assert shown(outermost.partition("\nFROM")[0]) == []


def _end(text: str) -> int:
    """Return where the outermost FROM of a query stands: at the beginning of its last such line."""
    return text.rindex("\nFROM")


@pytest.mark.threat
@pytest.mark.parametrize("name", sorted(set(QUERIES) - WHOLE))
def test_no_column_of_a_query_begins_with_a_strangers_text(name: str) -> None:
    """Answers of Logs Insights can be exported as CSV, too."""
    columns = re.findall(r"^\| (?:fields|display|stats) (.+)$", QUERIES[name], re.MULTILINE)
    assert [found for line in columns for found in shown(re.sub(r" by .*", "", line))] == []


def test_a_bare_field_is_found() -> None:
    """The two tests above can fail."""
    assert shown("logged_at, sender, rules") == ["sender"]
    assert shown('concat("<", sender, ">") as to, recipients.0 as who') == ["recipients.0"]
