"""Writes messages for the person at the terminal."""

import shutil
import sys
import textwrap
from collections.abc import Iterable


def say(text: str) -> None:
    """Print on stderr, with whatever could control a terminal replaced; stdout is for output."""
    safe = "".join(char if char.isprintable() or char == "\n" else "?" for char in text)
    print(safe, file=sys.stderr)  # noqa: T201  # not part of the output


def say_lines(lines: Iterable[str]) -> None:
    """Print lines on stderr, each folded between words to fit a terminal; elsewhere as it is."""
    width = shutil.get_terminal_size().columns if sys.stderr.isatty() else 0
    for line in lines:
        say(_folded(line, width) if 0 < width < len(line) else line)


def _folded(line: str, width: int) -> str:
    return textwrap.fill(
        line,
        max(width, 40),
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
