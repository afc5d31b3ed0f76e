"""Widths of a table's columns, from the cells seen so far and the width of the terminal.

Addresses shrink first, then the name of the mail; TO and then FROM are left out where no useful
part of them would fit. Decisions and reasons keep their words: what does not fit goes on below.
"""

import re
from collections.abc import Mapping

from rich.cells import cell_len

from bouncer.reasons import Reason

MAIL, FROM, TO, DECISION, BOUNCE = "MAIL", "FROM", "TO", "DECISION", "BOUNCE"
COLUMNS = (MAIL, FROM, TO, DECISION, BOUNCE)
GAP = 2
ASSUMED = " (assumed)"  # behind an address that was guessed from From, To or Cc

_LEAST = {MAIL: 13, FROM: 8, TO: 8}  # columns that still tell rows apart
_WEIGHT = {MAIL: 2, FROM: 1, TO: 1}  # of the columns that are left over
_LEFT_OUT: tuple[tuple[str, ...], ...] = ((), (TO,), (FROM, TO))
_LONGEST_REASON = max(len(f"withheld: {reason}") for reason in Reason)
# A decision alone stays in one line; several, and rules in shadow mode, may go on below.
_IN_ONE_LINE = re.compile(r", | \(shadow: ")
_LEAST_DECISION, _LEAST_MAIL = 12, 8


class Needs:
    """The widest cell of each column so far, and the longest part of it that stays in one line."""

    def __init__(self) -> None:
        self.whole = {name: len(name) for name in COLUMNS}
        self._unbroken = {DECISION: len(DECISION), BOUNCE: len(BOUNCE)}

    def see(self, cells: Mapping[str, str]) -> None:
        """Take the cells of one row into account."""
        for name, text in cells.items():
            self.whole[name] = max(self.whole[name], cell_len(text))
        plain, *others = _IN_ONE_LINE.split(cells[DECISION])
        parts = cells[DECISION].split() if others else [plain]
        self._unbroken[DECISION] = max(self._unbroken[DECISION], *map(cell_len, parts))
        bounce = min(cell_len(cells[BOUNCE]), _LONGEST_REASON)
        self._unbroken[BOUNCE] = max(self._unbroken[BOUNCE], bounce)

    def widths(self, most: int) -> dict[str, int]:
        """Return the columns to show with their widths, `most` columns in all."""
        if sum(self.whole.values()) + GAP * (len(COLUMNS) - 1) <= most:
            return dict(self.whole)
        firm = {**self._unbroken, DECISION: min(self._unbroken[DECISION], most * 2 // 5)}
        for hidden in _LEFT_OUT:
            shown = [name for name in COLUMNS if name not in hidden]
            left = most - GAP * (len(shown) - 1) - sum(firm.values())
            least = {name: min(_LEAST[name], self.whole[name]) for name in shown if name in _LEAST}
            if left >= sum(least.values()):
                return self._shared(shown, least | firm, left - sum(least.values()))
        return self._squeezed(most)

    def _shared(self, shown: list[str], widths: dict[str, int], left: int) -> dict[str, int]:
        """Share what is left among the columns that shrink; DECISION gets what they do not need."""
        for _ in range(left):
            growing = [name for name in shown if name in _LEAST and widths[name] < self.whole[name]]
            if growing:
                widths[min(growing, key=lambda name: widths[name] / _WEIGHT[name])] += 1
            elif widths[DECISION] < self.whole[DECISION]:
                widths[DECISION] += 1
        return {name: widths[name] for name in shown}

    def _squeezed(self, most: int) -> dict[str, int]:
        """Return the widths for a terminal in which even decisions and reasons must fold."""
        mail = min(_LEAST_MAIL, self.whole[MAIL])
        left = max(most - 2 * GAP - mail, 2 * _LEAST_DECISION)
        bounce = min(self._unbroken[BOUNCE], left - _LEAST_DECISION)
        return {MAIL: mail, DECISION: left - bounce, BOUNCE: bounce}


def shortened_source(text: str, most: int) -> str:
    """Return a source that fits: its folders are cut first, then the middle of its name.

    The beginning of a name may hold a number, and its end the number within an mbox.
    """
    if cell_len(text) <= most:
        return text
    folders = text.split("/")
    for first in range(1, len(folders)):
        rest = "/".join(["...", *folders[first:]])
        if cell_len(rest) <= most:
            return rest
    name = folders[-1]
    end = (most - 3) // 2
    return f"{name[: most - 3 - end]}...{name[-end:]}"


def shortened_address(text: str, most: int) -> str:
    """Return an address that fits; the mark behind one that is assumed is not cut."""
    mark = ASSUMED if text.endswith(ASSUMED) else ""
    address, room = text.removesuffix(mark), most - cell_len(mark)
    if not mark or cell_len(address) <= room or room < 2:  # noqa: PLR2004  # a letter and the mark
        return text
    return f"{address[: room - 1]}\N{HORIZONTAL ELLIPSIS}{mark}"
