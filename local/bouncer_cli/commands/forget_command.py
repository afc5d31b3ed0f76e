"""`bouncer forget`: takes a sender off suppression and out of the counters of the caps."""

import argparse

from bouncer.mail.address import is_recipient
from bouncer_cli.commands.operation import (
    add_consent,
    add_deployment,
    agreed,
    as_sentences,
    not_agreed,
)
from bouncer_cli.commands.terminal import put_folded, say
from bouncer_cli.commands.usage import Commands, UsageError


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    command = commands.add_parser(
        "forget",
        help="take a sender off suppression, and out of all counters",
        description="Show what a deployment's ledger has about a sender, whether it is suppressed "
        "and since when, and delete it. It also says which other places have the address, and "
        "until when.",
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
    from bouncer_infra.deployment_settings_reader import read_cdk_json  # noqa: PLC0415

    if not is_recipient(options.address):
        raise UsageError(
            f"ADDRESS: found {options.address}, expected one such as ann@partner.example"
        )
    deployment = find_deployment(options.settings, options.region)
    known = remembered(deployment, options.address)
    keys = list(dict.fromkeys(key for each in known for key in each.keys))
    days = deployment.loaded().settings.suppression_days
    lines = (line for each in known for line in each.lines(days))
    for line in (str(deployment), *lines, *elsewhere(read_cdk_json(options.settings))):
        put_folded(line)
    if not keys:
        say("nothing was changed")
        return 0
    if not agreed(options, "Forget this sender?"):
        return not_agreed(options)
    forget(deployment, keys)
    say(f"forgotten: {len(keys)} items of the ledger were deleted")
    return 0
