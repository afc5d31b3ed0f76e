"""Writes messages for the person at the terminal."""

import sys


def say(text: str) -> None:
    """Print on stderr, with whatever could control a terminal replaced; stdout is for output."""
    safe = "".join(char if char.isprintable() or char == "\n" else "?" for char in text)
    print(safe, file=sys.stderr)  # noqa: T201  # not part of the output
