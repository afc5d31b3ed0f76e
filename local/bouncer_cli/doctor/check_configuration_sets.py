"""Checks our configuration set and the destinations to which SES publishes its events.

Configuration sets came with the 2016 release of SES; that API lists and describes them. The
present API describes the destinations, as it knows more kinds of them.
"""

from collections.abc import Sequence

from bouncer_cli.doctor.account import NotFoundError
from bouncer_cli.doctor.check_context import CheckContext
from bouncer_cli.doctor.check_destinations import (
    EVENTS,
    SERVICES,
    Shown,
    destinations_of,
    services,
    words,
)
from bouncer_cli.doctor.finding import (
    NOT_KNOWN,
    REPAIR,
    Finding,
    Findings,
    ok,
    problem,
    some,
    warning,
)
from bouncer_infra.destination_settings import BUILT_IN

_SETS = "configuration sets"
_SET = "configuration set"

_MOST_LISTED = 10

_FEEDBACK = "EventBridgeDestination"
_FEEDBACK_EVENTS = ("bounce", "complaint")
_ARCHIVE = "KinesisFirehoseDestination"

_DESTINATION = "AWS::SES::ConfigurationSetEventDestination"
_BUILT_IN = f"SendingConfigurationSet(?:{'|'.join(BUILT_IN)})"

# The destinations the deployment makes -> what goes missing without each.
_OURS = {
    "CloudWatchDestination": "the dashboard and the alarm on double bounces have no data",
    _ARCHIVE: "the archive does not show which of our bounces bounced",
    _FEEDBACK: "senders to whom a bounce bounced are not suppressed",
}


def configuration_sets(context: CheckContext) -> Findings:
    """List all configuration sets of the region (ListConfigurationSets)."""
    listed = context.account.pages("ses", "list_configuration_sets", "ConfigurationSets")
    names = [member["Name"] for member in listed]
    shown = f": {some(names, _MOST_LISTED)}" if names else ""
    yield ok(_SETS, f"{len(names)} in this region{shown}")


def configuration_set(context: CheckContext) -> Findings:
    """Check that our set exists, sends and publishes metrics (DescribeConfigurationSet)."""
    name = context.deployment.full_name
    try:
        answer = context.account.ask(
            "ses",
            "describe_configuration_set",
            ConfigurationSetName=name,
            ConfigurationSetAttributeNames=["eventDestinations", "reputationOptions"],
        )
    except NotFoundError:
        if context.stack.deployed:
            yield problem(_SET, f"{name} does not exist", REPAIR)
        elif context.stack.hidden:
            yield warning(_SET, f"{name} does not exist", NOT_KNOWN)
        else:
            yield ok(_SET, f"{name} does not exist yet; the deployment makes it")
        return
    if context.stack.absent:
        found = f"{name} exists, but the stack that made it does not"
        yield problem(_SET, found, "delete it, or set another name in cdk.json")
    options = answer.get("ReputationOptions", {})
    if options.get("SendingEnabled", True):
        events = ", ".join(shown["Name"] for shown in answer.get("EventDestinations", []))
        yield ok(_SET, f"{name} sends" + (f", with event destinations {events}" if events else ""))
    else:
        yield problem(_SET, f"{name} does not send", "enable sending for it in the SES console")
    if options and not options.get("ReputationMetricsEnabled"):
        remedy = "enable reputation metrics for it in the SES console"
        yield warning(_SET, f"{name} publishes no reputation metrics", remedy)


def event_destinations(context: CheckContext) -> Findings:
    """Check the destinations of our set (GetConfigurationSetEventDestinations)."""
    try:
        answer = context.account.ask(
            "sesv2",
            "get_configuration_set_event_destinations",
            ConfigurationSetName=context.deployment.full_name,
        )
    except NotFoundError:
        return  # the check above has reported it
    shown = answer.get("EventDestinations", [])
    wanted = context.deployment.destinations
    named = {each.name for each in wanted}
    others = [each for each in shown if each["Name"] not in named]
    built_in = _built_in(context, others)
    for member, lost in _OURS.items() if context.stack.deployed else ():
        if member == _ARCHIVE and not context.deployment.archive:
            continue
        if not any(member in destination for destination in built_in):
            yield problem(
                EVENTS, f"our set has no {SERVICES[member]} destination, so {lost}", REPAIR
            )
    for each in others:
        if each in built_in:
            yield _event_destination(context, each)
        else:
            yield ok(EVENTS, f"{each['Name']} ({services(each)}) is not in cdk.json")
    yield from destinations_of(context, context.deployment.full_name, wanted, shown)


def _built_in(context: CheckContext, others: Sequence[Shown]) -> list[Shown]:
    """Return the destinations that the deployment always makes.

    CloudFormation names them, and has the name in the physical id, which is not documented: if it
    tells none of them, their services do.
    """
    parts = [each.split("|") for each in context.stack.named(_DESTINATION, _BUILT_IN)]
    made = [each for each in others if any(each["Name"] in names for names in parts)]
    return made or [each for each in others if not _OURS.keys().isdisjoint(each)]


def _event_destination(context: CheckContext, destination: Shown) -> Finding:
    name = f"{destination['Name']} ({services(destination)})"
    if not destination.get("Enabled", False):
        return problem(EVENTS, f"{name} is disabled", "enable it in the SES console")
    types = destination.get("MatchingEventTypes", [])
    wanted = _FEEDBACK_EVENTS if _FEEDBACK in destination else context.deployment.events
    missing = sorted(words(wanted) - words(types))
    if missing:
        remedy = "run cdk deploy if cdk.json has changed, else add them in the SES console"
        return warning(EVENTS, f"{name} gets no {', '.join(missing)} events", remedy)
    return ok(EVENTS, f"{name} is enabled for {', '.join(types).lower()}")
