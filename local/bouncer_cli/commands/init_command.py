"""`bouncer init`: writes a folder to deploy from, for a user who has the wheel alone."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bouncer_cli.commands.terminal import put, put_folded, say_lines
from bouncer_cli.commands.usage import Commands, UsageError, add_format

if TYPE_CHECKING:  # boto3 takes a second
    from bouncer_cli.project.project_account import KnownAccount
    from bouncer_cli.project.project_settings import ProjectSettings


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
    from bouncer_cli.project import project_account as account  # noqa: PLC0415  # boto3 takes a second
    from bouncer_cli.project.package_origin import package_origin  # noqa: PLC0415
    from bouncer_cli.project.project_files import project_files  # noqa: PLC0415
    from bouncer_cli.project.project_folder import leftovers, write_folder  # noqa: PLC0415
    from bouncer_cli.project.project_settings import Wishes, project_settings  # noqa: PLC0415

    if not options.folder:
        raise UsageError("DIR: found nothing, expected the name of a folder")
    if options.region is not None and not account.is_region(options.region):
        raise UsageError(f"--region: found {options.region!r}, expected one such as eu-west-1")
    known = account.look_into_account(options.region)
    wishes = Wishes(
        domains=tuple(options.domain), bounce_sender=options.bounce_sender, name=options.name
    )
    settings = project_settings(wishes, known)
    folder = Path(options.folder)
    files = project_files(settings, region=known.region, origin=package_origin())
    written = write_folder(folder, files)
    left = [f"{path}: left by a run that was killed; delete it" for path in leftovers(folder)]
    answer = {
        "folder": str(folder),
        "files": len(files),
        "written": written,
        **_chosen(settings, known),
        "remarks": [*settings.remarks, *left],
    }
    if options.format == "json":
        put(json.dumps(answer))
        return 0
    for line in _lines(answer):
        put_folded(line)
    say_lines((*answer["remarks"], f"Next: read {folder / 'README.md'}"))
    return 0


def _chosen(settings: "ProjectSettings", known: "KnownAccount") -> dict[str, Any]:
    return {
        "deployment": settings.deployment,
        "region": known.region,
        "account": known.account,
        "recipients": settings.recipients,
        "bounce_sender": settings.bounce_sender,
        "rule_set": settings.context.get("rule_set"),
        "creates_rule_set": settings.context.get("create_rule_set", False),
    }


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
