"""Each row of docs/security.md names a test that shows it, and each such test has a row."""

import re

from tests.threats.threat_table import ROOT, marked, rows


def test_each_row_has_a_test_of_its_own() -> None:
    """A row names a test that exists and has the mark; a marked test has one row."""
    assert len(rows()) > 50
    assert sorted(rows()) == sorted(set(rows())) == sorted(marked())


def test_every_line_of_a_table_is_a_row() -> None:
    """No row of a threat is without a test: all lines of the tables are read."""
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\|.*$", text, re.MULTILINE)
    tables = text.count("| threat | what stops it | test |")
    assert len(lines) == len(rows()) + 2 * tables


def test_each_row_is_short() -> None:
    """A threat and what stops it are one clause each."""
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    for line in re.findall(r"^\|.*\| `tests/.*$", text, re.MULTILINE):
        threat, stops, _ = line.strip("| ").split(" | ")
        assert 0 < len(threat) <= 120
        assert 0 < len(stops) <= 120
