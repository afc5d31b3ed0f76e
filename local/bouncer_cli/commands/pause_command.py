"""`bouncer pause`: holds all sending of a deployment until `bouncer resume`."""

import argparse

from bouncer.publishing.occasion import Scope
from bouncer_cli.commands.operation import (
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
        "pause",
        help="hold all sending: no bounce is sent, and jobs wait",
        description="Hold all sending of a deployment until bouncer resume. Jobs wait in the queue "
        "for the 24 hours of their mail. After 12 hours, mail goes on that would be bounced.",
        epilog="example: bouncer pause --why 'a rule bounces wanted mail' --dry-run",
    )
    command.add_argument(
        "--why", default="", metavar="TEXT", help="the reason, for whoever finds sending held"
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
    hold, moment = sending_hold(deployment), now(SystemClock())
    for line in (str(deployment), *hold.lines()):
        put_folded(line)
    for line in waiting_jobs(deployment, moment).lines(hold.loaded.settings):
        put_folded(line)
    if hold.held is not None:
        say("sending is held already: nothing was changed")
        return 0
    hold.expect_a_reader()
    for line in hold.pausing(moment):
        put_folded(line)
    if not agreed(options, "Hold sending?"):
        return not_agreed(options)
    ours = hold.hold(now=moment, why=options.why)
    for line in publish_now(deployment, Scope.SETTINGS):
        say(line)
    say("sending is held" if ours else "somebody else has held sending just now")
    say("bouncer resume ends it")
    return 0
