"""`bouncer demo`: judges the shipped mails by the shipped rules and bounces them locally."""

import argparse
from dataclasses import replace
from pathlib import Path

from bouncer_cli import __path__ as package_path
from bouncer_cli.commands.mail_run import run_mails
from bouncer_cli.commands.rules_in_force import load
from bouncer_cli.commands.terminal import open_console, say_lines
from bouncer_cli.commands.usage import Commands
from bouncer_cli.mail_files import read_items
from bouncer_cli.raw_mail import Envelope
from bouncer_cli.replay_table import TableReport
from bouncer_cli.rule_files import FileSource
from bouncer_sim.clock import Clock, SimulatedClock, SystemClock

_PACKAGE = Path(package_path[0])
SAMPLES = _PACKAGE / "samples"
_IN_WHEEL = _PACKAGE / "starter_rules"
SHIPPED_RULES = _IN_WHEEL if _IN_WHEEL.is_dir() else _PACKAGE.parents[1] / "rules"


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    command = commands.add_parser(
        "demo",
        help="judge the sample mails and bounce them through a fake SES",
        description="Judge the shipped sample mails by the shipped rules, and send the bounces "
        "through queue and worker to a fake SES. Nothing leaves this machine.",
        epilog="example: bouncer demo --out demo-out",
    )
    command.add_argument(
        "--out",
        type=Path,
        default=Path("demo-out"),
        metavar="DIR",
        help="the folder to write the bounces to (default: demo-out)",
    )
    command.add_argument(
        "--real-time", action="store_true", help="send at SES's real pace, one bounce a second"
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    loaded = load(FileSource(SHIPPED_RULES))
    console = open_console()
    clock: Clock = SystemClock() if options.real_time else SimulatedClock(SystemClock().time())
    items = (
        replace(item, source=Path(item.source).stem)
        for item in read_items(sorted(map(str, SAMPLES.glob("*.eml"))), Envelope())
    )
    table = TableReport(console)
    summary = run_mails(items, loaded, [table], clock=clock, out=options.out)
    bounces = f"The bounces are in {options.out}: one .eml file each, for any mail program."
    say_lines([str(summary), *table.remarks(), bounces])
    return 1 if summary.errors else 0
