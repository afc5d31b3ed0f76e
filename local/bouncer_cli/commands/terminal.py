"""Prints everything that the `bouncer` command says: nothing else writes to stdout or stderr.

A mail, an event, a rule or an answer of AWS may hold any character. Those that could control a
terminal, or that cannot be seen, are printed as escapes; only line ends stay as they are.
"""

import argparse
import io
import shutil
import sys
import textwrap
from collections.abc import Iterable
from typing import IO, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from bouncer.mail.text import escaped

_INDENT = 2  # of what goes on below


def say(text: str) -> None:
    """Print lines for the person at the terminal on stderr; stdout is for output."""
    _print(text, sys.stderr)


def put(line: str) -> None:
    """Print one line of output on stdout; a line end within it is an escape."""
    _print(escaped(line), sys.stdout)


def put_folded(line: str) -> None:
    """Print one line as `put` does, on a terminal folded between words and indented further."""
    line, width = escaped(line), _width(sys.stdout)
    indent = " " * (len(line) - len(line.lstrip()) + _INDENT)
    _print(_folded(line, width, indent) if 0 < width < len(line) else line, sys.stdout)


def put_bytes(raw: bytes) -> None:
    """Print bytes on stdout as they are; never on a terminal, which they may steer."""
    if sys.stdout.isatty():
        raise ValueError("stdout is a terminal")
    sys.stdout.flush()
    sys.stdout.buffer.write(raw)
    sys.stdout.buffer.flush()


def open_console() -> Console:
    """Return the console that reports print on: stdout, with styles only on a terminal."""
    if sys.stdout.isatty():
        return _TerminalConsole(soft_wrap=False, highlight=False)
    output: Any = _PipedOutput(sys.stdout)  # Rich calls a few methods of IO[str], no others
    return Console(file=output, soft_wrap=False, highlight=False)


def accept_any_text() -> None:
    """Let stdout and stderr write what their encoding lacks as an escape, never raise."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class Parser(argparse.ArgumentParser):
    """A parser of arguments whose help and errors are printed as everything else."""

    def _print_message(self, message: str, file: Any = None) -> None:
        if message:
            _print(message.removesuffix("\n"), file or sys.stderr)


def _print(text: str, stream: IO[str]) -> None:
    stream.write(f"{_lines(text)}\n")
    stream.flush()


def _lines(text: str) -> str:
    return text if text.isprintable() else "\n".join(map(escaped, text.split("\n")))


class _PipedOutput:
    """The standard output where it is not a terminal."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(_lines(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _TerminalConsole(Console):
    """A console whose only control characters are those of its own styles."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield segment if control else Segment(_lines(text), style)


def say_lines(lines: Iterable[str]) -> None:
    """Print lines on stderr, each folded between words to fit a terminal; elsewhere as it is."""
    width = _width(sys.stderr)
    for line in lines:
        say(_folded(line, width, " " * _INDENT) if 0 < width < len(line) else line)


def _width(stream: IO[str]) -> int:
    """Return the width of a terminal, 0 for any other stream."""
    return shutil.get_terminal_size().columns if stream.isatty() else 0


def _folded(line: str, width: int, indent: str) -> str:
    return textwrap.fill(
        line,
        max(width, 40),
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
