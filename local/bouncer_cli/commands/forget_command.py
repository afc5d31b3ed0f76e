"""`bouncer forget`: takes a sender off suppression and out of the counters of the caps."""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bouncer.mail.address import is_recipient
from bouncer_cli.commands.operation import (
    NOT_DONE,
    add_consent,
    add_deployment,
    agreed,
    as_sentences,
    not_agreed,
)
from bouncer_cli.commands.terminal import put_folded, say
from bouncer_cli.commands.usage import Commands, UsageError

if TYPE_CHECKING:  # boto3 takes a second, for which --help does not wait
    from bouncer_cli.operations.operated_deployment import OperatedDeployment
    from bouncer_cli.operations.stopped_mails import StoredObject
    from bouncer_infra.deployment_settings import DeploymentSettings


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    command = commands.add_parser(
        "forget",
        help="take a sender off suppression, and out of counters and stored mail",
        description="Show what a deployment's ledger has about a sender, whether it is suppressed "
        "and since when, and which stored mails are from or to the address, and delete all of it. "
        "It also says which other places have the address, and until when.",
        epilog="example: bouncer forget ann@partner.example --dry-run",
    )
    command.add_argument(
        "address",
        metavar="ADDRESS",
        help="the sender; plus tags, case, SRS, BATV and VERP make no difference",
    )
    add_deployment(command)
    add_consent(command)
    command.set_defaults(run=as_sentences(run))


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    from bouncer_cli.operations.forgetting import (  # noqa: PLC0415  # boto3
        elsewhere,
        forget,
        remembered,
    )
    from bouncer_cli.operations.operated_deployment import find_deployment  # noqa: PLC0415
    from bouncer_cli.operations.stored_traces import delete_mail  # noqa: PLC0415
    from bouncer_infra.deployment_settings_reader import read_cdk_json  # noqa: PLC0415

    if not is_recipient(options.address):
        raise UsageError(
            f"ADDRESS: found {options.address}, expected one such as ann@partner.example"
        )
    deployment = find_deployment(options.settings, options.region, name=options.deployment)
    known = remembered(deployment, options.address)
    keys = list(dict.fromkeys(key for each in known for key in each.keys))
    days = deployment.loaded().settings.suppression_days
    lines = (line for each in known for line in each.lines(days))
    settings = read_cdk_json(options.settings, deployment=options.deployment)
    mails, problem = _stored_mails(deployment, settings, options.address)
    for line in (str(deployment), *lines, *_mail_lines(mails), *elsewhere(settings)):
        put_folded(line)
    if problem:
        say(f"stored mail was not looked through: {problem}")
    if not keys and not mails:
        say("nothing was changed")
        return NOT_DONE if problem else 0
    if not agreed(options, "Forget this sender?"):
        return not_agreed(options)
    forget(deployment, keys)
    for mail in mails:
        delete_mail(deployment, mail.key)
    more = f", and {_counted(mails)}" if mails else ""
    say(f"forgotten: {len(keys)} items of the ledger{more} were deleted")
    return NOT_DONE if problem else 0


def _stored_mails(
    deployment: "OperatedDeployment", settings: "DeploymentSettings", address: str
) -> "tuple[list[StoredObject], str]":
    """Return the mails of an address, and the sentence that says why they can't be looked for.

    The ledger is cleared all the same: the two need different permissions.
    """
    from bouncer_cli.doctor.account import NotFoundError, UnavailableError  # noqa: PLC0415  # boto3
    from bouncer_cli.operations.operated_account import sentence  # noqa: PLC0415
    from bouncer_cli.operations.stored_traces import traces  # noqa: PLC0415

    try:
        return list(traces(deployment, settings, address)), ""
    except (NotFoundError, UnavailableError) as error:
        return [], sentence(error)


def _mail_lines(mails: "list[StoredObject]") -> Iterator[str]:
    if mails:
        stopped = sum(mail.mail is not None for mail in mails)
        yield f"mail:       {_counted(mails)} from or to it, {stopped} of these stopped"


def _counted(mails: "list[StoredObject]") -> str:
    return "1 stored mail" if len(mails) == 1 else f"{len(mails)} stored mails"
