"""`bouncer ses`: a fake SES on loopback."""

import argparse
from pathlib import Path

from bouncer_cli.commands.terminal import Commands


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    command = commands.add_parser(
        "ses",
        help="run a fake SES that takes SendBounce calls",
        description="Run a fake SES on loopback until a signal; any SDK reaches it by "
        "AWS_ENDPOINT_URL_SES.",
        epilog="example: bouncer ses --verified example.com --out bounces mails/",
    )
    command.add_argument("--port", type=int, default=0, metavar="N", help="default: any free one")
    command.add_argument("--verified", action="append", default=[], metavar="ADDR_OR_DOMAIN")
    command.add_argument("--out", type=Path, metavar="DIR", help="where each bounce is written")
    command.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="KIND@CALL",
        help="such as throttle@2; repeat",
    )
    command.add_argument("mail", nargs="+", metavar="MAIL", help="what SES has received")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run it; returns the exit status."""
    from bouncer_cli.fake_ses_server import serve  # noqa: PLC0415  # only this command needs it

    return serve(
        options.mail,
        port=options.port,
        verified=options.verified,
        out=options.out,
        faults=options.fault,
    )
