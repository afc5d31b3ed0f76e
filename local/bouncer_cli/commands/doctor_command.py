"""`bouncer doctor`: what an account and region lack."""

import argparse
from pathlib import Path

from rich.console import Console

from bouncer_cli.commands.terminal import say
from bouncer_cli.commands.usage import Commands
from bouncer_sim.clock import SystemClock, now


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    command = commands.add_parser(
        "doctor",
        help="check an account and region before and after deploying",
        description="Look at an account and region, before or after deploying, and say what to do. "
        "Nothing is changed. Exit status 1 if there is a problem.",
        epilog="example: bouncer doctor --settings cdk.json --region eu-west-1",
    )
    command.add_argument(
        "--settings",
        type=Path,
        default=Path("cdk.json"),
        metavar="FILE",
        help="what the deployment is made from (default: cdk.json)",
    )
    command.add_argument(
        "--region", metavar="REGION", help="default: that of the environment or profile"
    )
    command.add_argument("--format", choices=("table", "json"), default="table")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run it; returns the exit status."""
    from bouncer_cli.doctor import findings_report as reports  # noqa: PLC0415  # boto3 takes a second
    from bouncer_cli.doctor.examination import examine  # noqa: PLC0415
    from bouncer_infra.deployment_settings_reader import read_cdk_json  # noqa: PLC0415

    deployment = read_cdk_json(options.settings)
    console = Console(soft_wrap=False, highlight=False)
    kind = reports.JsonReport if options.format == "json" else reports.TableReport
    report: reports.Report = kind(console)
    summary = reports.Summary()
    for finding in examine(deployment, region=options.region, now=now(SystemClock())):
        report.add(finding)
        summary.add(finding)
    if options.format == "table":
        say(str(summary))
    return 1 if summary.problems else 0
