"""Widths of a table's columns, from the cells seen so far and the width of the terminal.

Columns shrink in stages: addresses first, then the names of rules, then addresses again; at last
reasons and rules go on below. TO and then FROM are left out only where that is still too wide.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from rich.cells import cell_len

from bouncer.reasons import Reason

MAIL, FROM, TO, DECISION, BOUNCE = "MAIL", "FROM", "TO", "DECISION", "BOUNCE"
COLUMNS = (MAIL, FROM, TO, DECISION, BOUNCE)
GAP = 2

_LEFT_OUT: tuple[tuple[str, ...], ...] = ((), (TO,), (FROM, TO))
_LONGEST_REASON = max(len(f"withheld: {reason}") for reason in Reason)
_LONGEST_WORD = max(map(len, Reason))
_USUAL_REASON = len(f"withheld: {Reason.UNAUTHENTICATED}")
# A decision alone stays in one line; several, and rules beside it, may go on below.
_IN_ONE_LINE = re.compile(r", | \((?:shadow|unknown): ")


class Cell(NamedTuple):
    """A text in a column, and behind it a mark that is never cut.

    `short_mark` stands in place of the mark where both do not fit.
    """

    text: str
    mark: str = ""
    short_mark: str = ""

    @property
    def whole(self) -> str:
        """The text with its mark, nothing cut."""
        return self.text + self.mark


class Needs:
    """The widest cell of each column so far, and the longest part of it that stays in one line."""

    def __init__(self) -> None:
        self.whole = {name: len(name) for name in COLUMNS}
        self._unbroken = {DECISION: len(DECISION), BOUNCE: len(BOUNCE)}

    def see(self, cells: Mapping[str, Cell]) -> None:
        """Take the cells of one row into account."""
        for name, cell in cells.items():
            self.whole[name] = max(self.whole[name], cell_len(cell.whole))
        parts = _IN_ONE_LINE.split(cells[DECISION].text)
        self._unbroken[DECISION] = max(self._unbroken[DECISION], *map(cell_len, parts))
        bounce = min(cell_len(cells[BOUNCE].text), _LONGEST_REASON)
        self._unbroken[BOUNCE] = max(self._unbroken[BOUNCE], bounce)

    def widths(self, most: int) -> dict[str, int]:
        """Return the columns to show with their widths, `most` columns in all."""
        for hidden in _LEFT_OUT:
            shown = [name for name in COLUMNS if name not in hidden]
            widths = {name: min(self.whole[name], most) for name in shown}
            excess = sum(widths.values()) + GAP * (len(shown) - 1) - most
            for floors in self._stages():
                excess = _shrunk(widths, floors, excess)
            if excess <= 0:
                break
        return widths

    def _stages(self) -> Iterator[Mapping[str, int]]:
        """Yield the least width of the columns that shrink in each stage."""
        yield {MAIL: 16, FROM: 17, TO: 15}
        yield self._unbroken
        yield {DECISION: 19}
        yield {MAIL: 12, FROM: 13, TO: 11}
        yield {DECISION: 16, BOUNCE: _USUAL_REASON}
        yield {MAIL: 7, FROM: 8, TO: 8}
        yield {DECISION: 12, BOUNCE: _LONGEST_WORD}


def _shrunk(widths: dict[str, int], floors: Mapping[str, int], excess: int) -> int:
    """Narrow the widest columns down to their floors; return the excess that is left."""
    for _ in range(excess):
        wide = [name for name in widths if widths[name] > floors.get(name, widths[name])]
        if not wide:
            break
        widths[max(wide, key=lambda name: widths[name] - floors[name])] -= 1
        excess -= 1
    return excess
