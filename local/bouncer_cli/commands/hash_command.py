"""`bouncer hash`: shows an address as the journal of a deployment does, to look its lines up."""

import argparse

from bouncer.journal_address import Form
from bouncer_cli.commands.operation import add_deployment, as_sentences
from bouncer_cli.commands.terminal import put, say
from bouncer_cli.commands.usage import Commands

_MEANING = {
    Form.FULL: "lines have the address itself",
    Form.MASKED: "others of this domain may look the same",
    Form.HASHED: "lines before the present key have another word",
}


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    command = commands.add_parser(
        "hash",
        help="show an address as the journal has it",
        description="Show an address as the journal of a deployment has it, by the setting "
        "journal: to find the lines of a person in the logs and the archive.",
        epilog="example: bouncer hash ann@example.com",
    )
    command.add_argument("address", metavar="ADDRESS", help="the address as the mail has it")
    add_deployment(command)
    command.set_defaults(run=as_sentences(run))


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    from bouncer_cli.operations.operated_deployment import find_deployment  # noqa: PLC0415  # boto3

    shown = (
        find_deployment(options.settings, options.region, name=options.deployment)
        .loaded()
        .settings.addresses
    )
    put(shown.address(options.address))
    say(f"journal.addresses is {shown.form}: {_MEANING[shown.form]}")
    return 0
