"""The parts that all commands share which change a deployment: its options, and the question."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from bouncer_cli.commands.terminal import say
from bouncer_cli.commands.usage import UsageError

NOT_DONE = 1  # the exit status of a command that did not do all that it was asked for


def add_deployment(command: argparse.ArgumentParser) -> None:
    """Declare the options that name a deployment, as for the doctor."""
    command.add_argument(
        "--settings",
        type=Path,
        default=Path("cdk.json"),
        metavar="FILE",
        help="the cdk.json with the deployment's settings (default: cdk.json)",
    )
    add_name(command)
    command.add_argument(
        "--region",
        metavar="REGION",
        help="the AWS region (default: that of the cdk.json, else of the environment or profile)",
    )


def add_name(command: argparse.ArgumentParser) -> None:
    """Declare the option that picks one of several deployments in a cdk.json."""
    command.add_argument(
        "--deployment",
        metavar="NAME",
        help="the deployment's name, if the cdk.json has several",
    )


def add_consent(command: argparse.ArgumentParser) -> None:
    """Declare the options of a command that changes something."""
    command.add_argument(
        "--dry-run", action="store_true", help="show what would be done, and change nothing"
    )
    command.add_argument("--yes", action="store_true", help="do it without asking")


def agreed(options: argparse.Namespace, question: str) -> bool:
    """Tell whether to go on: by `--yes`, or by the answer of the person at the terminal.

    Raises `UsageError` if nobody can be asked.
    """
    if options.dry_run:
        say("--dry-run: nothing was changed")
        return False
    if options.yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError(
            "found no terminal to ask at, expected --yes to do this, or --dry-run to look only"
        )
    say(f"{question} [y/N]")
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    say("nothing was changed")
    return False


def not_agreed(options: argparse.Namespace) -> int:
    """Return the exit status of a command that changed nothing: a dry run is what was asked for."""
    return 0 if options.dry_run else NOT_DONE


def as_sentences(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """Return a command's `run` that puts each failure of AWS to answer into one sentence."""

    def told(options: argparse.Namespace) -> int:
        from bouncer_cli.doctor.account import NotFoundError, UnavailableError  # noqa: PLC0415  # a second
        from bouncer_cli.operations.operated_account import sentence  # noqa: PLC0415

        try:
            return run(options)
        except (NotFoundError, UnavailableError) as error:
            say(sentence(error))
            return NOT_DONE

    return told
