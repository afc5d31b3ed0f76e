"""The columns of the table: they fit the terminal, and no two rows look alike in them."""

import io
import re
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from bouncer_cli.replay import Result
from bouncer_cli.replay_layout import Cell, Needs
from bouncer_cli.replay_table import TableReport
from tests.functions.replay_results import result_of


@pytest.mark.parametrize("columns", range(10, 200, 7))
def test_the_columns_fit_any_terminal(columns: int) -> None:
    """The columns and their gaps are never wider than a terminal of a usable width."""
    needs = Needs()
    for decision in ("no rule", "reject " + "r" * 40, "no rule (shadow: drop 1)", "2x drop 1, x"):
        needs.see(
            {
                "MAIL": Cell("m" * 50),
                "FROM": Cell("f" * 70),
                "TO": Cell("t" * 30),
                "DECISION": Cell(decision),
                "BOUNCE": Cell("failed: " + "x " * 90),
            }
        )
    widths = needs.widths(columns)
    assert {"MAIL", "DECISION", "BOUNCE"} <= widths.keys()
    assert all(width > 0 for width in widths.values())
    if columns >= 40:
        assert sum(widths.values()) + 2 * (len(widths) - 1) <= columns


def _table(results: Iterable[Result], columns: int) -> list[str]:
    console = Console(force_terminal=True, width=columns, no_color=True, file=io.StringIO())
    table = TableReport(console)
    for result in results:
        table.add(result)
    table.close()
    assert isinstance(console.file, io.StringIO)
    return re.sub(r"\x1b\[[0-9;]*m", "", console.file.getvalue()).splitlines()


_LOCAL = st.from_regex(r"[a-c]{1,20}(\.[a-c]{1,20})?", fullmatch=True)
_ADDRESS = st.builds("{}@{}.example".format, _LOCAL, _LOCAL)
_RULE = st.from_regex(r"[0-9]{3}-[a-c]{1,20}(-[a-c]{1,20})?", fullmatch=True)


@given(
    rows=st.lists(
        st.tuples(_ADDRESS, st.lists(_ADDRESS, min_size=1, max_size=1), st.none() | _RULE),
        min_size=2,
        max_size=8,
        unique_by=str,
    ),
    columns=st.integers(72, 160),
)
def test_rows_that_differ_differ_on_the_screen(
    rows: list[tuple[str, list[str], str | None]], columns: int
) -> None:
    """No line is wider than the terminal, reasons stand whole, and no two rows look alike."""
    results = [
        result_of(sender, *recipients, rule=rule, source=f"b#{number}")
        for number, (sender, recipients, rule) in enumerate(rows, 10)
    ]
    lines = _table(results, columns)
    assert all(cell_len(line) <= columns for line in lines)
    text = "\n".join(line.rstrip() for line in lines)
    shown = re.split(r"^b#\d\d", text, flags=re.MULTILINE)[1:]
    assert len(set(shown)) == len(rows)
    rejected = [row for row, (_, _, rule) in zip(shown, rows, strict=True) if rule]
    assert all("withheld: unauthenticated" in row for row in rejected)
