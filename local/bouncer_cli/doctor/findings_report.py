"""Shows findings once they are made: a table for people, JSON lines for programs."""

import json
from collections import Counter
from typing import Protocol

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bouncer.mail.text import shown
from bouncer_cli.doctor.finding import Finding, Level

_STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.PROBLEM: "bold red"}
_LEVEL_WIDTH, _CHECK_WIDTH = 7, 18


class Report(Protocol):
    """Takes findings one by one."""

    def add(self, finding: Finding) -> None:
        """Show one finding."""


class JsonReport:
    """One JSON object per line, in ASCII, with check, level, found and next (null if ok)."""

    def __init__(self, console: Console) -> None:
        self._file = console.file

    def add(self, finding: Finding) -> None:
        """Write one line."""
        line = {
            "check": finding.check,
            "level": finding.level,
            "found": finding.found,
            "next": finding.next_step or None,
        }
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()


class TableReport:
    """One line for each finding, folded within its column on a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def add(self, finding: Finding) -> None:
        """Print a finding; on a terminal its next step begins a line, to be copied."""
        found = shown(finding.found, 2000)
        then = shown(finding.next_step, 2000)
        if not self._console.is_terminal:
            text = f"{found} -> {then}" if then else found
            line = f"{finding.level:<{_LEVEL_WIDTH}}  {finding.check:<{_CHECK_WIDTH}}  {text}\n"
            self._console.file.write(line)
            return
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(width=_LEVEL_WIDTH)
        grid.add_column(width=_CHECK_WIDTH)
        grid.add_column(overflow="fold")
        grid.add_row(
            Text(finding.level, _STYLES[finding.level]),
            finding.check,
            Text(f"{found}\n-> {then}" if then else found),
        )
        self._console.print(grid)


class Summary:
    """Counts findings by their level."""

    def __init__(self) -> None:
        self._levels: Counter[Level] = Counter()

    def add(self, finding: Finding) -> None:
        """Count one finding."""
        self._levels[finding.level] += 1

    @property
    def problems(self) -> int:
        """The number of problems."""
        return self._levels[Level.PROBLEM]

    def __str__(self) -> str:
        return ", ".join(_counted(self._levels[level], level) for level in Level)


def _counted(count: int, level: Level) -> str:
    return f"{count} {level}" if level is Level.OK or count == 1 else f"{count} {level}s"
