"""Shows results to people: a table with one row for each input.

On a terminal the table fits its width: addresses are cut, decisions and reasons never. Anywhere
else nothing is cut. In text from a mail, whatever could control a terminal or cannot be seen is an
escape.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bouncer.judge import Judgement
from bouncer.mail.message import RECIPIENTS, SENDER, Message
from bouncer.rules.ruleset import Decision
from bouncer_cli.replay import Result
from bouncer_cli.replay_layout import (
    ASSUMED,
    BOUNCE,
    COLUMNS,
    DECISION,
    FROM,
    GAP,
    MAIL,
    TO,
    Needs,
    shortened_address,
    shortened_source,
)
from bouncer_cli.replay_report import clean

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


class TableReport:
    """One row per input. The first rows are measured together, so that the columns fit them."""

    def __init__(self, console: Console, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._on_terminal = console.is_terminal  # rich finds it out anew each time
        self._clock = clock
        self._needs = Needs()
        self._waiting: list[tuple[Mapping[str, str], str]] = []
        self._since = 0.0
        self._header: tuple[str, ...] = ()

    @property
    def addresses_hidden(self) -> bool:
        """The terminal was too narrow for the addresses of senders, of recipients or of both."""
        return bool(self._header) and self._header != COLUMNS

    def add(self, result: Result) -> None:
        """Add one row; for an input that was not read, print a line with the whole sentence."""
        if result.error is not None:
            self.close()
            self._add_error(clean(result.source), clean(result.error))
            return
        cells = _row(result)
        self._needs.see(cells)
        if not self._waiting:
            self._since = self._clock()
        self._waiting.append((cells, _STYLES.get(result.bounce.status, "")))
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
        source = shortened_source(source, max(self._console.width // 3, 8))
        line = Text.assemble(f"{source}  ", ("not read: ", "red"), error)
        self._console.print(line, soft_wrap=True)

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
            firm = name in (DECISION, BOUNCE)
            table.add_column(
                name, width=width, no_wrap=not firm, overflow="fold" if firm else "ellipsis"
            )
        for cells, style in self._waiting:
            fitted = {**cells, MAIL: shortened_source(cells[MAIL], widths[MAIL])}
            for name in (FROM, TO):
                fitted[name] = shortened_address(cells[name], widths.get(name, 0))
            styles = {BOUNCE: style}
            table.add_row(*(Text(fitted[name], styles.get(name, "")) for name in shown))
        return table

    def _uncut(self) -> Iterable[str]:
        if not self._header:
            self._header = COLUMNS
            yield self._line({name: name for name in COLUMNS})
        for cells, _ in self._waiting:
            yield self._line(cells)

    def _line(self, cells: Mapping[str, str]) -> str:
        return (" " * GAP).join(self._padded(cells[name], name) for name in COLUMNS).rstrip() + "\n"

    def _padded(self, text: str, name: str) -> str:
        width = min(self._needs.whole[name], _WIDEST_PADDED)
        return text + " " * max(width - cell_len(text), 0)


def _row(result: Result) -> dict[str, str]:
    """Return the cells of a result, by the names of their columns."""
    judgement = result.judgement
    decisions = judgement.decisions if judgement else ()
    return {
        MAIL: clean(result.source),
        FROM: _sender(judgement.message) if judgement else "<>",
        TO: _recipients(judgement) if judgement else "nobody",
        DECISION: _decided(decisions),
        BOUNCE: _bounced(result),
    }


def _sender(message: Message) -> str:
    """Return the sender for a row: `<>` is the null sender, `unknown` one that nothing names."""
    if message.sender_unknown:
        return "unknown"
    assumed = ASSUMED if SENDER in message.assumed else ""
    return (clean(message.sender) or "<>") + assumed


def _recipients(judgement: Judgement) -> str:
    names = [decision.recipient for decision in judgement.decisions]
    if not names:
        return "nobody"
    more = f" +{len(names) - 1}" if len(names) > 1 else ""
    assumed = ASSUMED if RECIPIENTS in judgement.message.assumed else ""
    return clean(names[0]) + more + assumed


def _decided(decisions: Iterable[Decision]) -> str:
    """Return each distinct decision once, the most frequent first, with its count."""
    counts = Counter(_verb(decision) for decision in decisions).most_common()
    alone = len(counts) == 1
    texts = [text if alone or count == 1 else f"{count}x {text}" for text, count in counts]
    return ", ".join(texts)


def _verb(decision: Decision) -> str:
    action = f"{decision.action} {decision.rule.name}" if decision.rule else "no rule"
    shadow = ", ".join(f"{rule.action} {rule.name}" for rule in decision.shadow)
    return f"{action} (shadow: {shadow})" if shadow else action


def _bounced(result: Result) -> str:
    bounce = result.bounce
    if bounce.status == "none":
        return ""
    return f"{bounce.status}: {clean(bounce.reason)}" if bounce.reason else bounce.status
