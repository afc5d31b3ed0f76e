"""`bouncer report`: prints what came, what was bounced, what waits and what needs a person."""

import argparse
import json
import re
from zoneinfo import ZoneInfo

from bouncer_cli.commands.operation import add_deployment, as_sentences
from bouncer_cli.commands.terminal import put, say
from bouncer_cli.commands.usage import Commands
from bouncer_sim.clock import SystemClock, now

_MOST_DAYS = 366


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    command = commands.add_parser(
        "report",
        help="report what came, what was bounced, what waits and what needs you",
        description="Report on the last days of a deployment, as its daily mail does: what needs "
        "you, mails, bounces and rules, what was withheld and why, what waits and what failed. It "
        "asks CloudWatch Logs Insights, which costs by the size of the logs. It changes nothing.",
        epilog="example: bouncer report --days 7 --timezone Europe/Berlin",
    )
    command.add_argument(
        "--days", type=_days, default=1, metavar="N", help="the last N times 24 hours (default: 1)"
    )
    command.add_argument(
        "--timezone",
        type=_zone,
        metavar="ZONE",
        help="the time zone to show times in (default: that of the setting report, else UTC)",
    )
    command.add_argument(
        "--format",
        choices=("text", "json"),
        default="text",
        help="text for people, or one JSON object for programs (default: text)",
    )
    add_deployment(command)
    command.set_defaults(run=as_sentences(run))


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    from bouncer.reporting.period import days_until  # noqa: PLC0415  # boto3
    from bouncer.reporting.report_json import report_values  # noqa: PLC0415
    from bouncer.reporting.report_text import report_text  # noqa: PLC0415
    from bouncer_cli.operations.deployment_report import deployment_report  # noqa: PLC0415
    from bouncer_cli.operations.operated_deployment import find_deployment  # noqa: PLC0415
    from bouncer_infra.deployment_settings_reader import read_cdk_json  # noqa: PLC0415

    wanted = read_cdk_json(options.settings, deployment=options.deployment)
    zone = options.timezone or (wanted.report.zone if wanted.report else "UTC")
    deployment = find_deployment(options.settings, options.region, name=options.deployment)
    moment = now(SystemClock())
    period = days_until(moment, options.days, zone)
    if options.days > wanted.log_days:
        say(f"--days: the logs are kept for {wanted.log_days} days (log_days in cdk.json)")
    say("asking CloudWatch Logs, which may take minutes")
    report = deployment_report(deployment, period, moment)
    if options.format == "json":
        put(json.dumps(report_values(report)))
    else:
        for line in report_text(report).splitlines():
            put(line)
    return 0


def _days(text: str) -> int:
    if re.fullmatch("[0-9]{1,3}", text) and 1 <= int(text) <= _MOST_DAYS:
        return int(text)
    raise argparse.ArgumentTypeError(
        f"found {text:.40}, expected a number of days, 1 to {_MOST_DAYS}"
    )


def _zone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (KeyError, OSError, ValueError):  # not found, a folder of zones, not even a path
        raise argparse.ArgumentTypeError(
            f"found {text:.40}, expected a time zone such as Europe/Berlin"
        ) from None
