"""`bouncer doctor`: reports what an account and region lack for a deployment."""

import argparse

from bouncer_cli.commands.operation import add_deployment
from bouncer_cli.commands.terminal import open_console, say
from bouncer_cli.commands.usage import Commands, add_format
from bouncer_sim.clock import SystemClock, now


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    command = commands.add_parser(
        "doctor",
        help="check an account and region before and after deploying",
        description="Check an AWS account and region before or after deploying, and say the next "
        "step for each problem. It only reads. The exit status is 1 if there is a problem.",
        epilog="example: bouncer doctor --settings cdk.json --region eu-west-1",
    )
    add_deployment(command)
    add_format(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    from bouncer_cli.doctor import findings_report as reports  # noqa: PLC0415  # boto3 takes a second
    from bouncer_cli.doctor.examination import examine  # noqa: PLC0415
    from bouncer_infra.deployment_settings_reader import read_cdk_json  # noqa: PLC0415

    deployment = read_cdk_json(options.settings, deployment=options.deployment)
    console = open_console()
    kind = reports.JsonReport if options.format == "json" else reports.TableReport
    report: reports.Report = kind(console)
    summary = reports.Summary()
    for finding in examine(deployment, region=options.region, now=now(SystemClock())):
        report.add(finding)
        summary.add(finding)
    if options.format == "table":
        say(str(summary))
    return 1 if summary.problems else 0
