"""Shows results: a table for people, one JSON object per line for programs, a summary at the end.

Whatever comes from a mail is cleaned of control and bidi characters before it reaches a terminal.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, Protocol

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bouncer.mail.text import printable
from bouncer.rules.rule import Action
from bouncer.rules.ruleset import Decision
from bouncer_cli.replay import Result

_ROWS_AT_ONCE = 50
_STYLES = {
    "sent": "green",
    "queued": "green",
    "withheld": "yellow",
    "failed": "red",
    "error": "red",
}
_SHARES = {"MAIL": 30, "FROM": 25, "TO": 24, "DECISION": 32, "BOUNCE": 27}
_WIDE = 140  # columns when nobody looks at a terminal


class Report(Protocol):
    """Takes results one by one."""

    def add(self, result: Result) -> None:
        """Show one result, now or with the next ones."""

    def close(self) -> None:
        """Show what is left."""


def as_json(result: Result) -> dict[str, Any]:
    """A result as the contract of `--format json` has it."""
    judgement = result.judgement
    return {
        "source": result.source,
        "message_id": judgement.message.message_id if judgement else None,
        "sender": judgement.message.sender if judgement else None,
        "disposition": str(judgement.disposition) if judgement else None,
        "decisions": [_decision(decision) for decision in judgement.decisions] if judgement else [],
        "bounce": {
            "status": result.bounce.status,
            "reason": result.bounce.reason,
            "recipients": list(result.bounce.recipients),
        },
        "error": result.error,
    }


def _decision(decision: Decision) -> dict[str, Any]:
    return {
        "recipient": decision.recipient,
        "action": decision.action,
        "rule": decision.rule.name if decision.rule else None,
        "shadow": [rule.name for rule in decision.shadow],
    }


class JsonReport:
    """One JSON object per line, in ASCII."""

    def __init__(self, console: Console) -> None:
        self._write = console.file.write

    def add(self, result: Result) -> None:
        """Write one line."""
        self._write(json.dumps(as_json(result)) + "\n")

    def close(self) -> None:
        """Nothing is left."""


class TableReport:
    """One row per input; a few rows at a time, so that long runs show from the start."""

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
        """Add one row; what could not be read is a line of its own, with the whole sentence."""
        if result.error is not None:
            self.close()
            width = self._widths["MAIL"]
            source = _end_of(_clean(result.source), width)
            line = Text.assemble(
                f"{source:<{width}}  ", ("not read: ", "red"), _clean(result.error)
            )
            self._console.print(line, soft_wrap=True)
            return
        self._table.add_row(*_row(result, self._widths["MAIL"]))
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


def _row(result: Result, width: int) -> list[Text]:
    source = Text(_end_of(_clean(result.source), width))
    judgement = result.judgement
    decisions = judgement.decisions if judgement else ()
    return [
        source,
        Text((_clean(judgement.message.sender) if judgement else "") or "<>"),
        Text(_recipients([decision.recipient for decision in decisions])),
        Text(_decided(decisions)),
        Text(_bounced(result), style=_STYLES.get(result.bounce.status, "")),
    ]


def _clean(text: str) -> str:
    return printable(text, 300)


def _end_of(text: str, most: int) -> str:
    """The end of a path says more than its beginning."""
    return text if len(text) <= most else f"...{text[3 - most :]}"


def _recipients(names: list[str]) -> str:
    if not names:
        return "nobody"
    more = f" +{len(names) - 1}" if len(names) > 1 else ""
    return _clean(names[0]) + more


def _decided(decisions: Iterable[Decision]) -> str:
    """Each distinct decision once, the frequent first, with a number where that says something."""
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
    return f"{bounce.status}: {_clean(bounce.reason)}" if bounce.reason else bounce.status


class Summary:
    """Counts results and says what they come to."""

    def __init__(self) -> None:
        self.total = 0
        self.errors = 0
        self._actions: Counter[str] = Counter()
        self._bounces: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add(self, result: Result) -> None:
        """Count one result."""
        self.total += 1
        self.errors += result.error is not None
        if result.bounce.status != "none":
            self._bounces[result.bounce.status][_clean(result.bounce.reason or "")] += 1
        if result.judgement is not None:
            actions = {str(decision.action or "no rule") for decision in result.judgement.decisions}
            self._actions[next(iter(actions)) if len(actions) == 1 else "mixed"] += 1

    def __str__(self) -> str:
        mails = "1 mail" if self.total == 1 else f"{self.total} mails"
        order = (*map(str, Action), "mixed", "no rule")
        words = {"accept": "accepted", "reject": "rejected", "drop": "dropped"}
        actions = [
            f"{self._actions[key]} {words.get(key, key)}" for key in order if self._actions[key]
        ]
        if self.errors:
            actions.append(f"{self.errors} not read")
        bounces = [_counted(status, reasons) for status, reasons in sorted(self._bounces.items())]
        return f"{mails}: {', '.join(actions)}" + (
            f"; bounces: {', '.join(bounces)}" if bounces else ""
        )


def _counted(status: str, reasons: Counter[str]) -> str:
    """How often a status came about, and for which reasons: `3 withheld (2 lists, 1 spam)`."""
    detail = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common() if reason)
    return f"{reasons.total()} {status}" + (f" ({detail})" if detail else "")
