"""`bouncer rules release NAME`: lets a rule act again that its `at_most` braked."""

import argparse

from bouncer.mail.text import escaped
from bouncer.publishing.occasion import Scope
from bouncer_cli.commands.operation import (
    add_consent,
    add_deployment,
    agreed,
    as_sentences,
    not_agreed,
)
from bouncer_cli.commands.terminal import put_folded, say
from bouncer_cli.commands.usage import Commands, UsageError


def add_release(verbs: Commands) -> None:
    """Declare the verb and its options."""
    command = verbs.add_parser(
        "release",
        help="let a rule act again that its at_most braked",
        description="Let a rule act again that its at_most braked. Its bounces are counted anew. "
        "Bounces that were withheld meanwhile are not sent.",
        epilog="example: bouncer rules release 200-departed --dry-run",
    )
    command.add_argument("name", metavar="NAME", help="the name of the rule")
    add_deployment(command)
    add_consent(command)
    command.set_defaults(run=as_sentences(run_release))


def run_release(options: argparse.Namespace) -> int:
    """Run `bouncer rules release` and return its exit status."""
    from bouncer_cli.operations.brake_release import braked_in, release_rule  # noqa: PLC0415  # boto3
    from bouncer_cli.operations.operated_deployment import find_deployment  # noqa: PLC0415
    from bouncer_cli.operations.publish_now import publish_now  # noqa: PLC0415

    deployment = find_deployment(options.settings, options.region, name=options.deployment)
    put_folded(str(deployment))
    braked = braked_in(deployment)
    put_folded(f"braked:  {', '.join(braked) or 'no rule'}")
    if braked and options.name not in braked:
        expected = f"expected one of {', '.join(braked)}"
        raise UsageError(escaped(f"{options.name} is not braked, {expected}"))
    if not braked:
        say(f"{escaped(options.name)} is not braked: nothing was changed")
        return 0
    put_folded(f"release: {options.name} acts again as its document says, within two minutes;")
    put_folded("         its bounces are counted anew")
    if not agreed(options, f"Release {options.name}?"):
        return not_agreed(options)
    release_rule(deployment, options.name)
    say(f"{options.name} is released")
    for line in publish_now(deployment, Scope.SETTINGS):
        say(line)
    return 0
