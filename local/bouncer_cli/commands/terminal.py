"""What commands say to a person."""

import argparse
import sys
from typing import TypeAlias

from bouncer.errors import BouncerError

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001
"""What `add_subparsers` returns, for which argparse has no public name."""


class UsageError(BouncerError):
    """The command line asks for something that can't be; the text says what instead."""


def say(text: str) -> None:
    """Tell the person on stderr; stdout is for the output, and mails control no terminal."""
    safe = "".join(char if char.isprintable() or char == "\n" else "?" for char in text)
    print(safe, file=sys.stderr)  # noqa: T201  # not part of the output
