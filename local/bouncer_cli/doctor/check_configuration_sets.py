"""May SES send our bounces, and who hears of what becomes of them?

Configuration sets and event destinations came with the 2016 release of SES; they are listed and
described by that API, and by the present one, which knows kinds of destination the old does not.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from bouncer_cli.doctor.account import NotFoundError
from bouncer_cli.doctor.check_context import Case
from bouncer_cli.doctor.finding import NOT_KNOWN, REPAIR, Finding, Findings, ok, problem, warning

_SETS = "configuration sets"
_SET = "configuration set"
_EVENTS = "event destination"

_MOST_LISTED = 10

# Member of the SESv2 API -> what people call it.
_KINDS = {
    "CloudWatchDestination": "CloudWatch",
    "KinesisFirehoseDestination": "Firehose",
    "SnsDestination": "SNS",
    "EventBridgeDestination": "EventBridge",
    "PinpointDestination": "Pinpoint",
}


# What the deployment makes, and what is lost without.
_OURS = {
    "CloudWatchDestination": "the dashboard and the alarm on double bounces see nothing",
    "KinesisFirehoseDestination": "the archive does not know which bounces bounced",
}


def configuration_sets(case: Case) -> Findings:
    """All configuration sets of the region (ListConfigurationSets)."""
    listed = case.account.pages("ses", "list_configuration_sets", "ConfigurationSets")
    names = [member["Name"] for member in listed]
    more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    shown = (": " + ", ".join(names[:_MOST_LISTED]) + more) if names else ""
    yield ok(_SETS, f"{len(names)} in this region{shown}")


def configuration_set(case: Case) -> Findings:
    """Ours (DescribeConfigurationSet): there, sending, counting its reputation."""
    name = case.deployment.full_name
    try:
        answer = case.account.ask(
            "ses",
            "describe_configuration_set",
            ConfigurationSetName=name,
            ConfigurationSetAttributeNames=["eventDestinations", "reputationOptions"],
        )
    except NotFoundError:
        if case.stack.deployed:
            yield problem(_SET, f"no {name}", REPAIR)
        elif case.stack.hidden:
            yield warning(_SET, f"no {name}", NOT_KNOWN)
        else:
            yield ok(_SET, f"no {name} yet; the deployment makes it")
        return
    if case.stack.absent:
        remedy = "delete it, or choose another name in cdk.json"
        yield problem(_SET, f"{name} exists, and no stack that made it", remedy)
    options = answer.get("ReputationOptions", {})
    if options.get("SendingEnabled", True):
        events = ", ".join(shown["Name"] for shown in answer.get("EventDestinations", []))
        yield ok(_SET, f"{name} sends" + (f", with event destinations {events}" if events else ""))
    else:
        yield problem(_SET, f"{name} does not send", "enable sending for it in the SES console")
    if options and not options.get("ReputationMetricsEnabled"):
        remedy = "enable them in the SES console"
        yield warning(_SET, f"{name} publishes no reputation metrics", remedy)


def event_destinations(case: Case) -> Findings:
    """Where the events of our set go (GetConfigurationSetEventDestinations)."""
    try:
        answer = case.account.ask(
            "sesv2",
            "get_configuration_set_event_destinations",
            ConfigurationSetName=case.deployment.full_name,
        )
    except NotFoundError:
        return  # told already
    destinations = answer.get("EventDestinations", [])
    for member, lost in _OURS.items() if case.stack.deployed else ():
        if not any(member in destination for destination in destinations):
            yield problem(_EVENTS, f"none of {_KINDS[member]}, so {lost}", REPAIR)
    for destination in destinations:
        yield _event_destination(case, destination)


def _event_destination(case: Case, destination: Mapping[str, Any]) -> Finding:
    kinds = [word for member, word in _KINDS.items() if member in destination]
    name = f"{destination['Name']} ({' and '.join(kinds) or 'unknown kind'})"
    if _OURS.keys().isdisjoint(destination):
        return ok(_EVENTS, f"{name} is none of the deployment's")
    if not destination.get("Enabled", False):
        remedy = "enable it in the SES console"
        return problem(_EVENTS, f"{name} is disabled", remedy)
    types = destination.get("MatchingEventTypes", [])
    missing = sorted(_words(case.deployment.events) - _words(types))
    if missing:
        remedy = "add them in the SES console, or run cdk deploy if cdk.json has changed"
        return warning(_EVENTS, f"{name} gets no {', '.join(missing)} events", remedy)
    return ok(_EVENTS, f"{name} is enabled for {', '.join(types).lower()}")


def _words(types: Iterable[str]) -> set[str]:
    """Event types in either spelling: renderingFailure of cdk.json, RENDERING_FAILURE of SESv2."""
    return {name.replace("_", "").lower() for name in types}
