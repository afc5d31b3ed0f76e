"""The `bouncer` command: a thin skin over what tests rules, checks and operates a deployment.

Every error is one readable sentence, never a traceback. The exit status is 0 when every input was
read, 1 when an input was not or the doctor found a problem, 2 for wrong usage or invalid rules.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import metadata
from typing import Never

from botocore.exceptions import BotoCoreError

from bouncer.errors import BouncerError
from bouncer_cli.commands import demo_command as demo
from bouncer_cli.commands import doctor_command as doctor
from bouncer_cli.commands import forget_command as forget
from bouncer_cli.commands import hash_command as hash_
from bouncer_cli.commands import init_command as init
from bouncer_cli.commands import jobs_command as jobs
from bouncer_cli.commands import lists_command as lists
from bouncer_cli.commands import mail_command as mail
from bouncer_cli.commands import pause_command as pause
from bouncer_cli.commands import replay_command as replay
from bouncer_cli.commands import report_command as report
from bouncer_cli.commands import resume_command as resume
from bouncer_cli.commands import rules_command as rules
from bouncer_cli.commands import ses_command as ses
from bouncer_cli.commands.terminal import Parser, accept_any_text, put, say
from bouncer_cli.entry_point import DISTRIBUTION, INTERRUPTED, WRONG_USAGE
from bouncer_cli.mail_by_source import IN_STDIN


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    accept_any_text()
    given = _named(sys.argv[1:] if arguments is None else arguments)
    if not given:
        _parser().print_help(sys.stderr)
        return WRONG_USAGE
    options = _parser().parse_args(given)
    try:
        return int(options.run(options))
    except BouncerError as error:
        say(str(error))
        return WRONG_USAGE
    except BrokenPipeError:  # `bouncer replay ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (OSError, BotoCoreError) as error:  # a full disk, no AWS region, ...
        say(str(error))
        return WRONG_USAGE
    except KeyboardInterrupt:
        say("stopped")
        return INTERRUPTED


def _named(arguments: Sequence[str]) -> list[str]:
    """Return arguments in which `-#3`, a mail in standard input, is not taken for an option."""
    return [f"./{each}" if each.startswith(IN_STDIN) else each for each in arguments]


def _parser() -> Parser:
    parser = Parser(
        prog="bouncer",
        description="Test mail rules on mail files, run a fake SES, check and run a deployment.",
        epilog="example: bouncer demo --out demo-out",
    )
    parser.add_argument(
        "--version", action=_Version, nargs=0, help="show the version of the package and exit"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")
    testing = (init, replay, demo, rules, lists, ses)
    for command in (*testing, doctor, report, pause, resume, jobs, mail, forget, hash_):
        command.add(commands)
    return parser


class _Version(argparse.Action):
    """Looks the version up when it is asked for, so that no other command waits for it."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> Never:
        """Print the version and exit."""
        put(f"bouncer {metadata.version(DISTRIBUTION)}")
        parser.exit()


if __name__ == "__main__":
    sys.exit(main())
