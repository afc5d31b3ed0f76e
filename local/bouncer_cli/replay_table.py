"""Shows results to people: a table with one row for each input.

On a terminal the table fits its width: addresses and the names of rules are cut, so that each still
tells its row from the others; reasons never are. Anywhere else nothing is cut. In text from a mail,
whatever could control a terminal or cannot be seen is an escape.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bouncer_cli.replay import Result
from bouncer_cli.replay_cells import cells_of
from bouncer_cli.replay_layout import (
    BOUNCE,
    COLUMNS,
    DECISION,
    FROM,
    GAP,
    MAIL,
    TO,
    Cell,
    Needs,
)
from bouncer_cli.replay_report import clean
from bouncer_cli.short_form import (
    ShortForms,
    cut_address,
    cut_rule,
    cut_source,
    short_decision,
)

_ROWS_AT_ONCE = 50
_LONGEST_WAIT_S = 0.5  # until the first rows are shown on a terminal
_WIDEST_PADDED = 60  # a cell beyond this pushes the rest of its own row only
_STYLES = {
    "sent": "green",
    "queued": "green",
    "withheld": "yellow",
    "failed": "red",
    "error": "red",
}


def _style(result: Result) -> str:
    """Return the colour of a row: that of its bounce, or of its reply if it has no bounce."""
    states = (result.bounce.status, *(end.status for end in result.replies))
    return next((_STYLES[state] for state in states if state in _STYLES), "")


class TableReport:
    """One row per input. The first rows are measured together, so that the columns fit them."""

    def __init__(self, console: Console, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._on_terminal = console.is_terminal  # rich finds it out anew each time
        self._clock = clock
        self._needs = Needs()
        self._forms = {
            MAIL: ShortForms(cut_source),
            FROM: ShortForms(cut_address),
            TO: ShortForms(cut_address),
        }
        self._rules = ShortForms(cut_rule)
        self._waiting: list[tuple[Mapping[str, Cell], str]] = []
        self._since = 0.0
        self._header: tuple[str, ...] = ()
        self._mark_shortened = False

    def remarks(self) -> Iterator[str]:
        """Yield what a reader must know of a table that the terminal was too narrow for."""
        if self._mark_shortened:
            yield "? behind an address: it is assumed, from the headers From, To or Cc."
        if self._header and self._header != COLUMNS:
            yield "This terminal is too narrow for addresses: widen it, use a pipe, or --explain."

    def add(self, result: Result) -> None:
        """Add one row; for an input that was not read, print a line with the whole sentence."""
        if result.error is not None:
            self.close()
            self._add_error(clean(result.source), clean(result.error))
            return
        cells = cells_of(result)
        self._needs.see(cells)
        if not self._waiting:
            self._since = self._clock()
        self._waiting.append((cells, _style(result)))
        if self._is_due():
            self.close()

    def _is_due(self) -> bool:
        if len(self._waiting) >= _ROWS_AT_ONCE:
            return True
        if not self._on_terminal:
            return False
        return bool(self._header) or self._clock() - self._since >= _LONGEST_WAIT_S

    def _add_error(self, source: str, error: str) -> None:
        if not self._on_terminal:
            self._console.file.write(f"{source}  not read: {error}\n")
            return
        source = self._forms[MAIL].of(source, max(self._console.width // 3, 8))
        line = Text.assemble(f"{source}  ", ("not read: ", "red"), error)
        first, *others = line.wrap(self._console, self._console.width - GAP, overflow="fold")
        for part in (first, *(Text.assemble(" " * GAP, other) for other in others)):
            self._console.print(part)

    def close(self) -> None:
        """Print the rows not yet shown."""
        if not self._waiting:
            return
        if self._on_terminal:
            self._console.print(self._fitted())
        else:
            self._console.file.write("".join(self._uncut()))
        self._waiting.clear()

    def _fitted(self) -> Table:
        widths = self._needs.widths(self._console.width)
        shown = tuple(widths)
        show_header, self._header = shown != self._header, shown
        table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, show_header=show_header)
        for name, width in widths.items():
            table.add_column(name, width=width, overflow="fold")
        for cells, style in self._waiting:
            fitted = {name: self._short(name, cells[name], widths[name]) for name in shown}
            styles = {BOUNCE: style}
            table.add_row(*(Text(fitted[name], styles.get(name, "")) for name in shown))
        return table

    def _short(self, name: str, cell: Cell, width: int) -> str:
        """Return a cell that fits its column, or is to go on below."""
        if cell_len(cell.whole) <= width:
            return cell.whole
        if name == BOUNCE:
            return cell.text + cell.short_mark
        if name == DECISION:
            return short_decision(cell.text, width, self._rules)
        self._mark_shortened |= cell.mark != cell.short_mark
        return self._forms[name].of(cell.text, width - cell_len(cell.short_mark)) + cell.short_mark

    def _uncut(self) -> Iterable[str]:
        if not self._header:
            self._header = COLUMNS
            yield self._line({name: Cell(name) for name in COLUMNS})
        for cells, _ in self._waiting:
            yield self._line(cells)

    def _line(self, cells: Mapping[str, Cell]) -> str:
        return (" " * GAP).join(
            self._padded(cells[name].whole, name) for name in COLUMNS
        ).rstrip() + "\n"

    def _padded(self, text: str, name: str) -> str:
        width = min(self._needs.whole[name], _WIDEST_PADDED)
        return text + " " * max(width - cell_len(text), 0)
