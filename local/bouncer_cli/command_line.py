"""The `bouncer` command: a thin skin over replay, the demo, the fake SES and the doctor.

Errors are one readable sentence each, never a traceback; exit status 0 when every input was read, 1
when some was not or the doctor found a problem, 2 for wrong usage or invalid rules.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from botocore.exceptions import BotoCoreError

from bouncer.errors import BouncerError
from bouncer_cli.commands import demo_command as demo
from bouncer_cli.commands import doctor_command as doctor
from bouncer_cli.commands import replay_command as replay
from bouncer_cli.commands import ses_command as ses
from bouncer_cli.commands.terminal import say

_WRONG_USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except BouncerError as error:
        say(str(error))
        return _WRONG_USAGE
    except BrokenPipeError:  # `bouncer replay ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (OSError, BotoCoreError) as error:  # a full disk, no AWS region, ...
        say(str(error))
        return _WRONG_USAGE
    except KeyboardInterrupt:
        say("stopped")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bouncer", description="Try mail rules on real mail before you trust them with yours."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (replay, demo, ses, doctor):
        command.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
