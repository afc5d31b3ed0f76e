"""`bouncer resume`: ends what `bouncer pause` began."""

import argparse

from bouncer.publishing.occasion import Scope
from bouncer_cli.commands.operation import (
    NOT_DONE,
    add_consent,
    add_deployment,
    agreed,
    as_sentences,
    not_agreed,
)
from bouncer_cli.commands.terminal import put_folded, say
from bouncer_cli.commands.usage import Commands
from bouncer_sim.clock import SystemClock, now


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    command = commands.add_parser(
        "resume",
        help="end bouncer pause: the jobs that wait are sent",
        description="End what bouncer pause began: the jobs that wait are sent, as fast as rate "
        "allows. If the settings say sending: paused, it names the document to change.",
        epilog="example: bouncer resume --dry-run",
    )
    add_deployment(command)
    add_consent(command)
    command.set_defaults(run=as_sentences(run))


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    from bouncer_cli.operations.operated_deployment import find_deployment  # noqa: PLC0415  # boto3
    from bouncer_cli.operations.publish_now import publish_now  # noqa: PLC0415
    from bouncer_cli.operations.sending_hold import sending_hold  # noqa: PLC0415
    from bouncer_cli.operations.waiting_jobs import waiting_jobs  # noqa: PLC0415

    deployment = find_deployment(options.settings, options.region, name=options.deployment)
    hold = sending_hold(deployment)
    for line in (str(deployment), *hold.lines()):
        put_folded(line)
    for line in waiting_jobs(deployment, now(SystemClock())).lines(hold.loaded.settings):
        put_folded(line)
    if hold.held is not None:
        for line in hold.resuming():
            put_folded(line)
        if not agreed(options, "Resume sending?"):
            return not_agreed(options)
        hold.resume()
        say(f"deleted {hold.parameter}")
        for line in publish_now(deployment, Scope.SETTINGS):
            say(line)
    if hold.paused is not None:
        say("sending stays held:")
        for line in hold.way_out():
            say(line)
        return NOT_DONE
    say("sending is resumed" if hold.held else "sending is not held: nothing was changed")
    return 0
