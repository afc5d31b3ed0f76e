"""The rows of the threat model (docs/security.md), and the tests that are marked as theirs.

`make guarantees` runs it to print both numbers; the status is 1 where they differ.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_PAGE = ROOT / "docs" / "security.md"
_ROW = re.compile(r"^\|.*\| `(tests/[\w/]+\.py::\w+)` \|$", re.MULTILINE)
_MARK = "pytest.mark.threat"


def rows() -> list[str]:
    """Return the test of each row, as pytest names it."""
    return _ROW.findall(_PAGE.read_text(encoding="utf-8"))


def marked() -> list[str]:
    """Return the tests that have the mark `threat`."""
    return [name for path in sorted((ROOT / "tests").rglob("test_*.py")) for name in _in_file(path)]


def _in_file(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    if _MARK not in text:
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            words = [ast.unparse(each) for each in node.decorator_list]
            if _MARK in words and node.name.startswith("test_"):
                yield f"{path.relative_to(ROOT)}::{node.name}"


if __name__ == "__main__":
    numbers = (len(rows()), len(marked()))
    print("threat rows and tests: {} and {} (equal)".format(*numbers))  # noqa: T201  # the output
    sys.exit(sorted(rows()) != sorted(marked()))
