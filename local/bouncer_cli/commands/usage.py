"""The shape all commands share: where they are declared, and the error for wrong usage."""

import argparse
from typing import TypeAlias

from bouncer.errors import BouncerError

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001
"""The type of `add_subparsers`'s result, for which argparse has no public name."""


class UsageError(BouncerError):
    """The command line asks for something impossible; the text says what to write instead."""


def add_format(command: argparse.ArgumentParser) -> None:
    """Declare the option that all commands with a table have."""
    command.add_argument(
        "--format",
        choices=("table", "json"),
        default="table",
        help="a table for people, or one JSON object per line for programs (default: table)",
    )
