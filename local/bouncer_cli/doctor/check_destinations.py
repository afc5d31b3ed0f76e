"""Compares the event destinations that cdk.json names with those that a configuration set has."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bouncer_cli.doctor.check_context import CheckContext
from bouncer_cli.doctor.finding import (
    NOT_KNOWN,
    REPAIR,
    Finding,
    Findings,
    ok,
    problem,
    warning,
)
from bouncer_infra.destination_settings import ARCHIVE, Destination, Dimension, Kind

EVENTS = "event destination"
DEPLOY_OR_REPAIR = f"run cdk deploy if cdk.json has changed, else {REPAIR}"

Shown = Mapping[str, Any]

_STREAMS = "AWS::KinesisFirehose::DeliveryStream"
_EVENTS_STREAM = "ArchiveEventsStream"  # the other one is the journal's

# Member of the SESv2 API -> the name of the service it stands for.
SERVICES = {
    "CloudWatchDestination": "CloudWatch",
    "KinesisFirehoseDestination": "Firehose",
    "SnsDestination": "SNS",
    "EventBridgeDestination": "EventBridge",
    "PinpointDestination": "Pinpoint",
}
_MEMBERS = {
    Kind.CLOUDWATCH: "CloudWatchDestination",
    Kind.FIREHOSE: "KinesisFirehoseDestination",
    Kind.SNS: "SnsDestination",
    Kind.EVENTBRIDGE: "EventBridgeDestination",
}


def destinations_of(
    context: CheckContext, owner: str, wanted: Sequence[Destination], shown: Iterable[Shown]
) -> Findings:
    """Report every destination of cdk.json that is missing or different in the set `owner`."""
    there = {each["Name"]: each for each in shown}
    for each in wanted:
        found = there.get(each.name)
        place = f"{each.name} ({SERVICES[_MEMBERS[each.kind]]}) of {owner}"
        yield _missing(context, place) if found is None else _compared(context, place, each, found)


def _missing(context: CheckContext, place: str) -> Finding:
    if context.stack.hidden:
        return warning(EVENTS, f"{place} does not exist", NOT_KNOWN)
    if context.stack.pending:
        return ok(EVENTS, f"{place} does not exist yet; the deployment makes it")
    return problem(EVENTS, f"{place} does not exist", DEPLOY_OR_REPAIR)


def _compared(context: CheckContext, place: str, wanted: Destination, found: Shown) -> Finding:
    target = found.get(_MEMBERS[wanted.kind])
    if not isinstance(target, Mapping):
        remedy = "give it another name in cdk.json and run cdk deploy: its kind can't be changed"
        return problem(EVENTS, f"{place} is a destination of {services(found)}", remedy)
    enabled = bool(found.get("Enabled"))
    if enabled != wanted.enabled:
        states = {True: "enabled", False: "disabled"}
        said = f"{place} is {states[enabled]}, cdk.json says {states[wanted.enabled]}"
        return problem(EVENTS, said, DEPLOY_OR_REPAIR)
    if different := _target_difference(context, wanted, target):
        return problem(EVENTS, f"{place} {different}", DEPLOY_OR_REPAIR)
    types = found.get("MatchingEventTypes", [])
    if words(types) != words(wanted.events):
        said = f"{', '.join(types).lower()}, cdk.json says {', '.join(wanted.events)}"
        return warning(EVENTS, f"{place} gets {said}", DEPLOY_OR_REPAIR)
    return ok(EVENTS, f"{place} is as configured" + ("" if enabled else ", disabled"))


def _target_difference(context: CheckContext, wanted: Destination, target: Shown) -> str:
    """Return a part of a sentence, or an empty text if SES publishes where cdk.json says."""
    match wanted.kind:
        case Kind.CLOUDWATCH:
            dimensions = target.get("DimensionConfigurations", [])
            same = {_shown_dimension(each) for each in dimensions} == {
                _dimension(each) for each in wanted.dimensions
            }
            return "" if same else "has other dimensions than cdk.json says"
        case Kind.FIREHOSE:
            return _stream_difference(context, wanted, target)
        case Kind.SNS:
            topic = target.get("TopicArn")
            return "" if topic == wanted.topic else f"publishes to {topic}, not to {wanted.topic}"
        case Kind.EVENTBRIDGE:
            bus = str(target.get("EventBusArn"))
            return "" if bus.endswith(":event-bus/default") else f"publishes to {bus}"


def _stream_difference(context: CheckContext, wanted: Destination, target: Shown) -> str:
    stream, role = str(target.get("DeliveryStreamArn")), target.get("IamRoleArn")
    if wanted.stream == ARCHIVE:
        ours = context.stack.named(_STREAMS, _EVENTS_STREAM)
        right = not ours or stream.rpartition("/")[2] in ours
        return "" if right else f"publishes to {stream}, not to the archive"
    if stream != wanted.stream:
        return f"publishes to {stream}, not to {wanted.stream}"
    return "" if role == wanted.role else f"publishes as {role}, not as {wanted.role}"


def _dimension(each: Dimension) -> tuple[str, str, str]:
    return each.name, _word(each.source), each.default


def _shown_dimension(each: Shown) -> tuple[str, str, str]:
    source = _word(each.get("DimensionValueSource", ""))
    return each.get("DimensionName", ""), source, each.get("DefaultDimensionValue", "")


def services(destination: Shown) -> str:
    """Return the services that a destination publishes to, as people call them."""
    named = [word for member, word in SERVICES.items() if member in destination]
    return " and ".join(named) or "unknown kind"


def words(types: Iterable[str]) -> set[str]:
    """Return event types in one spelling: renderingFailure and RENDERING_FAILURE are the same."""
    return set(map(_word, types))


def _word(word: str) -> str:
    return word.replace("_", "").lower()
