"""Shows results to people: a table with one row for each input.

Text from a mail loses its control and bidi characters before it reaches a terminal.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bouncer.judge import Judgement
from bouncer.mail.message import RECIPIENTS, SENDER, Message
from bouncer.rules.ruleset import Decision
from bouncer_cli.replay import Result
from bouncer_cli.replay_report import clean

_ROWS_AT_ONCE = 50
_STYLES = {
    "sent": "green",
    "queued": "green",
    "withheld": "yellow",
    "failed": "red",
    "error": "red",
}
_SHARES = {"MAIL": 30, "FROM": 25, "TO": 24, "DECISION": 32, "BOUNCE": 27}
_ASSUMED = " (assumed)"  # an address that was guessed from From, To or Cc
_WIDE = 140  # columns where the output is not a terminal


class TableReport:
    """One row per input, printed a few at a time: a long run shows its first rows at once."""

    def __init__(self, console: Console) -> None:
        self._console = console
        width = console.width if console.is_terminal else max(console.width, _WIDE)
        self._console.width = width
        scale = (width - 2 * len(_SHARES)) / sum(_SHARES.values())
        self._widths = {name: max(int(share * scale), 6) for name, share in _SHARES.items()}
        self._headed = False
        self._table = self._new_table()

    def _new_table(self) -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=not self._headed)
        for name, width in self._widths.items():
            table.add_column(name, width=width, no_wrap=True, overflow="ellipsis")
        return table

    def add(self, result: Result) -> None:
        """Add one row; for an input that was not read, print a line with the whole sentence."""
        if result.error is not None:
            self.close()
            width = self._widths["MAIL"]
            source = _fitting(clean(result.source), width)
            line = Text.assemble(f"{source:<{width}}  ", ("not read: ", "red"), clean(result.error))
            self._console.print(line, soft_wrap=True)
            return
        self._table.add_row(*_row(result, self._widths))
        if self._console.is_terminal or self._table.row_count >= _ROWS_AT_ONCE:
            self.close()

    def close(self) -> None:
        """Print the rows not yet shown."""
        if not self._table.row_count:
            return
        if self._console.is_terminal:
            self._console.print(self._table)
        else:
            with self._console.capture() as captured:
                self._console.print(self._table)
            lines = (line.rstrip() for line in captured.get().splitlines())
            self._console.file.write("".join(f"{line}\n" for line in lines))
        self._headed = True
        self._table = self._new_table()


def _row(result: Result, widths: Mapping[str, int]) -> list[Text]:
    source = Text(_fitting(clean(result.source), widths["MAIL"]))
    judgement = result.judgement
    decisions = judgement.decisions if judgement else ()
    return [
        source,
        Text(_sender(judgement.message, widths["FROM"]) if judgement else "<>"),
        Text(_recipients(judgement, widths["TO"]) if judgement else "nobody"),
        Text(_decided(decisions)),
        Text(_bounced(result), style=_STYLES.get(result.bounce.status, "")),
    ]


def _fitting(text: str, most: int) -> str:
    """Return a source that fits: its folders are cut first, then the middle of its name.

    The beginning of a name may hold a number, and its end the number within an mbox.
    """
    if len(text) <= most:
        return text
    name = text.rpartition("/")[2]
    if len(name) <= most - 3:
        return f"...{text[3 - most :]}"
    end = (most - 3) // 2
    return f"{name[: most - 3 - end]}...{name[-end:]}"


def _marked(address: str, mark: str, width: int) -> str:
    """Return an address with a mark behind it; where both are too long, the address is cut."""
    room = max(width - len(mark), 4)
    return (address if len(address) <= room else f"{address[: room - 3]}...") + mark


def _sender(message: Message, width: int) -> str:
    """Return the sender for a row: `<>` is the null sender, `unknown` one that nothing names."""
    if message.sender_unknown:
        return "unknown"
    address = clean(message.sender) or "<>"
    return _marked(address, _ASSUMED, width) if SENDER in message.assumed else address


def _recipients(judgement: Judgement, width: int) -> str:
    names = [decision.recipient for decision in judgement.decisions]
    if not names:
        return "nobody"
    more = f" +{len(names) - 1}" if len(names) > 1 else ""
    if RECIPIENTS in judgement.message.assumed:
        return _marked(clean(names[0]), more + _ASSUMED, width)
    return clean(names[0]) + more


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
