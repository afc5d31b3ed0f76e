"""`bouncer init`: writes a folder to deploy from, for a user who has the wheel alone."""

import argparse
import json
from collections.abc import Iterator
from typing import Any

from bouncer_cli.commands.terminal import put, put_folded, say_lines
from bouncer_cli.commands.usage import Commands, add_format


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    command = commands.add_parser(
        "init",
        help="write a folder of your own to deploy from",
        description="Write a folder with settings, starter rules and lists, and what CDK needs to "
        "deploy them. What is not given is looked up in AWS, if there are credentials; AWS is only "
        "read. No file is overwritten.",
        epilog="example: bouncer init bouncer --domain example.com",
    )
    command.add_argument("folder", metavar="DIR", help="the folder; a new one, or an empty one")
    command.add_argument(
        "--domain",
        action="append",
        default=[],
        metavar="DOMAIN",
        help="a domain whose mail is judged; may be repeated (default: the verified domain)",
    )
    command.add_argument(
        "--bounce-sender",
        metavar="ADDRESS",
        help="the address bounces come from (default: mailer-daemon@ the first domain)",
    )
    command.add_argument("--name", help="the name of the deployment (default: main)")
    command.add_argument(
        "--region",
        metavar="REGION",
        help="the AWS region (default: the region of the environment or AWS profile)",
    )
    add_format(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    from bouncer_cli.project.new_project import make_project  # noqa: PLC0415  # boto3 takes a second
    from bouncer_cli.project.project_settings import Wishes  # noqa: PLC0415

    wishes = Wishes(
        domains=tuple(options.domain), bounce_sender=options.bounce_sender, name=options.name
    )
    made = make_project(options.folder, wishes, region=options.region)
    if options.format == "json":
        put(json.dumps(made.as_json()))
        return 0
    for line in _lines(made.as_json()):
        put_folded(line)
    say_lines((*made.remarks, f"Next: read {made.folder / 'README.md'}"))
    return 0


def _lines(answer: dict[str, Any]) -> Iterator[str]:
    there = answer["files"] - answer["written"]
    already = f", {there} were there already" if there else ""
    yield f"{answer['folder']}: {answer['written']} files written{already}"
    where = f" in {answer['region']}" if answer["region"] else ""
    whose = f" of account {answer['account']}" if answer["account"] else ""
    yield f"  deployment: {answer['deployment']}{where}{whose}"
    yield f"  recipients: {', '.join(answer['recipients'])}"
    yield f"  bounce sender: {answer['bounce_sender']}"
    if answer["rule_set"]:
        state = "to be created and activated" if answer["creates_rule_set"] else "active"
        yield f"  rule set: {answer['rule_set']}, {state}"
