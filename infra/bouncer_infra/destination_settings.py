"""The event destinations that cdk.json names: data, readers, and the limits of SES.

SES publishes the events of mail that was sent with a configuration set to each of its destinations.
Nothing here imports CDK: `event_destinations` makes the resources.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from bouncer.metric_names import DEPLOYMENT
from bouncer.rules.document import Node
from bouncer_infra import deployment_values as values
from bouncer_infra.service_arn import (
    ROLE_EXPECTED,
    STREAM_EXPECTED,
    TOPIC_EXPECTED,
    NamedArn,
    role_arn,
    stream_arn,
    topic_arn,
)

T = TypeVar("T")

ARCHIVE = "archive"  # the word for our own stream, where others have an ARN

# The destinations that our own configuration set always has; CloudFormation names them in SES.
BUILT_IN = ("Metrics", "Feedback", "Events")
# SES sets the first two tags on every mail; mail may be sent with the third one.
METRICS_DIMENSIONS = ("ses:from-domain", "ses:configuration-set", DEPLOYMENT)

# SES Developer Guide, "Service quotas": destinations of a set, dimensions of a destination.
MOST_DESTINATIONS = 10
_MOST_DIMENSIONS = 10

_LONGEST_DIMENSION = 256
_AUTO = "ses:"  # begins the names of tags that SES sets itself

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
_NAME_EXPECTED = "1 to 64 letters, digits, _ and -"
_DIMENSION_EXPECTED = (
    "the name of a tag or a header: 1 to 256 letters, digits, _ and -, "
    f"or {_AUTO} and the name of a tag that SES sets"
)
# SES also takes @ and dots, CloudFormation does not (pattern of DefaultDimensionValue).
_DEFAULT_EXPECTED = "1 to 256 letters, digits, _ and -, as CloudFormation takes no others"


class Kind(StrEnum):
    """The service to which SES publishes."""

    CLOUDWATCH = "cloudwatch"
    FIREHOSE = "firehose"
    SNS = "sns"
    EVENTBRIDGE = "eventbridge"


_TAGS, _HEADER = "messageTag", "emailHeader"
SOURCES = (_TAGS, _HEADER, "linkTag")  # SES's words

# CDK, CloudWatchDimensionSource: "You can't use any of the following email headers".
_NO_DIMENSIONS = ("Received", "To", "From", "DKIM-Signature", "CC", "message-id", "Return-Path")

_SHARED = ("name", "kind", "events", "enabled")
_OWN: Mapping[str, tuple[str, ...]] = {
    Kind.CLOUDWATCH: ("dimensions",),
    Kind.FIREHOSE: ("stream", "role"),
    Kind.SNS: ("topic",),
    Kind.EVENTBRIDGE: (),
}
_ANY = tuple(key for keys in _OWN.values() for key in keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """A dimension of CloudWatch: the tag or header it is taken from, and its value without one."""

    name: str
    source: str
    default: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """One destination; `stream` is `ARCHIVE` or an ARN, and only then has a `role`."""

    name: str
    kind: Kind
    events: tuple[str, ...] = values.UNOBTRUSIVE_EVENTS
    enabled: bool = True
    dimensions: tuple[Dimension, ...] = ()
    stream: str | None = None
    role: str | None = None
    topic: str | None = None

    def counts_with(self, dimension_names: Collection[str], events: Collection[str]) -> bool:
        """Tell whether it counts some of these events in metrics with these dimensions."""
        own = {each.name for each in self.dimensions}
        return (
            self.kind is Kind.CLOUDWATCH
            and self.enabled
            and own == set(dimension_names)
            and not set(self.events).isdisjoint(events)
        )


def destinations(node: Node) -> tuple[Destination, ...]:
    """Read the destinations of one configuration set; an empty list is allowed."""
    if node.value == []:
        return ()
    found = [read for item in node.items() if (read := _destination(item))]
    refuse_repeated(node, (each.name for each in found), "each name once")
    _refuse_counted_twice(node, found)
    return tuple(found)


def refuse_repeated(node: Node, names: Iterable[str], expected: str) -> None:
    """Note names that stand twice; SES may not tell capital letters from small ones."""
    for name, count in Counter(map(str.lower, names)).items():
        if count > 1:
            node.fault(expected, found=f"{name} {count} times")


def refuse_many(node: Node, found: Sequence[Destination], *, built_in: int = 0) -> None:
    """Note more destinations than SES allows a configuration set."""
    most = MOST_DESTINATIONS - built_in
    if len(found) > most:
        beside = f", beside {built_in} of the deployment's own" if built_in else ""
        expected = f"at most {most} (SES allows a set {MOST_DESTINATIONS}{beside})"
        node.fault(expected, found=f"{len(found)} destinations")


def refuse_counted_anyway(node: Node, found: Sequence[Destination], events: Sequence[str]) -> None:
    """Note destinations of our own set that count what it counts anyway, of `events`."""
    for each in found:
        if each.counts_with(METRICS_DIMENSIONS, events):
            _fault_counted_twice(node, each, BUILT_IN[0])


def refuse_missing_archive(node: Node) -> None:
    """Note destinations that publish to an archive which the deployment does not have."""
    for each in node.items() if node.value else ():
        if isinstance(each.value, dict) and each.value.get("stream") == ARCHIVE:
            expected = "archive: true as well, or the ARN of a stream of your own"
            each.child("stream", ARCHIVE).fault(expected)


def named_arns(place: str, found: Sequence[Destination]) -> Iterator[NamedArn]:
    """Yield every ARN in destinations that stand at `place`."""
    for index, each in enumerate(found):
        within = f"{place}[{index}]"
        if each.topic:
            yield NamedArn(place=f"{within}.topic", arn=each.topic, here=False)
        if each.stream and each.stream != ARCHIVE:
            yield NamedArn(place=f"{within}.stream", arn=each.stream, here=True)
        if each.role:
            yield NamedArn(place=f"{within}.role", arn=each.role, here=True)


def _refuse_counted_twice(node: Node, found: Sequence[Destination]) -> None:
    for index, each in enumerate(found):
        for first in found[:index]:
            names = [dimension.name for dimension in first.dimensions]
            if first.enabled and each.counts_with(names, first.events):
                _fault_counted_twice(node, each, first.name)
                break


def _fault_counted_twice(node: Node, each: Destination, first: str) -> None:
    expected = "other dimensions: CloudWatch would count each event twice in one metric"
    node.fault(expected, found=f"{each.name} with the dimensions of {first}")


def _destination(node: Node) -> Destination | None:
    expected = "a mapping with name and kind"
    if not isinstance(node.value, dict):
        node.fault(expected)
        return None
    word = node.value.get("kind")
    own = _OWN[word] if isinstance(word, str) and word in _OWN else _ANY
    entries = given(node, (*_SHARED, *own), expected)
    name = needed(node, entries, "name", set_or_destination_name, _NAME_EXPECTED)
    kind = needed(
        node, entries, "kind", lambda child: child.word(_OWN), f"one of {', '.join(_OWN)}"
    )
    events = values.events(entries["events"]) if "events" in entries else values.UNOBTRUSIVE_EVENTS
    enabled = entries["enabled"].flag() if "enabled" in entries else True
    target = _target(node, entries, Kind(kind)) if kind else None
    if not (name and kind and target) or enabled is None:
        return None
    return replace(target, name=name, events=events, enabled=enabled)


def given(node: Node, keys: Sequence[str], expected: str) -> dict[str, Node]:
    """Return the members of a mapping that have a value: null stands for the default."""
    entries = node.members(keys, expected)
    return {key: child for key, child in entries.items() if child.value is not None}


def needed(
    node: Node,
    entries: Mapping[str, Node],
    key: str,
    read: Callable[[Node], T | None],
    expected: str,
) -> T | None:
    """Read the member of a mapping that has no default; note that it is missing."""
    if key in entries:
        return read(entries[key])
    node.report.add((*node.path, key), found="nothing", expected=expected)
    return None


def set_or_destination_name(node: Node) -> str | None:
    """Read the name of a configuration set or of an event destination."""
    if isinstance(node.value, str) and _NAME.fullmatch(node.value):
        return node.value
    node.fault(_NAME_EXPECTED)
    return None


def _target(node: Node, entries: Mapping[str, Node], kind: Kind) -> Destination | None:
    """Return a destination without a name yet, of the members that only its kind has."""
    match kind:
        case Kind.CLOUDWATCH:
            expected = "a list of dimensions, each with name, source and default"
            dimensions = needed(node, entries, "dimensions", _dimensions, expected)
            return Destination(name="", kind=kind, dimensions=dimensions) if dimensions else None
        case Kind.FIREHOSE:
            return _stream_target(node, entries)
        case Kind.SNS:
            topic = needed(node, entries, "topic", topic_arn, TOPIC_EXPECTED)
            return Destination(name="", kind=kind, topic=topic) if topic else None
        case Kind.EVENTBRIDGE:
            return Destination(name="", kind=kind)


def _stream_target(node: Node, entries: Mapping[str, Node]) -> Destination | None:
    if "stream" in entries and entries["stream"].value == ARCHIVE:
        if "role" in entries:
            expected = f'no "role" beside stream: {ARCHIVE}, for which the deployment makes one'
            entries["role"].fault(expected)
        return Destination(name="", kind=Kind.FIREHOSE, stream=ARCHIVE)
    stream = needed(node, entries, "stream", stream_arn, STREAM_EXPECTED)
    role = needed(node, entries, "role", role_arn, ROLE_EXPECTED)
    if not (stream and role):
        return None
    return Destination(name="", kind=Kind.FIREHOSE, stream=stream, role=role)


def _dimensions(node: Node) -> tuple[Dimension, ...]:
    items = list(node.items())
    if len(items) > _MOST_DIMENSIONS:
        expected = f"at most {_MOST_DIMENSIONS} (SES's limit)"
        node.fault(expected, found=f"{len(items)} dimensions")
    found = [read for item in items if (read := _dimension(item))]
    refuse_repeated(node, (each.name for each in found), "each dimension once")
    return tuple(found)


def _dimension(node: Node) -> Dimension | None:
    entries = given(node, ("name", "source", "default"), "a mapping with name, source and default")
    if not isinstance(node.value, dict):
        return None
    sources = f"one of {', '.join(SOURCES)}"
    source = needed(node, entries, "source", lambda child: child.word(SOURCES), sources)
    name = needed(node, entries, "name", _dimension_name, _DIMENSION_EXPECTED)
    default = needed(node, entries, "default", _default, _DEFAULT_EXPECTED)
    if not (source and name and default):
        return None
    if source != _TAGS and name.startswith(_AUTO):
        expected = f"source {_TAGS} beside a name that begins with {_AUTO}, as SES sets tags"
        entries["source"].fault(expected)
        return None
    if source == _HEADER and name.lower() in map(str.lower, _NO_DIMENSIONS):
        expected = f"a header that SES counts by, which are all but {', '.join(_NO_DIMENSIONS)}"
        entries["name"].fault(expected)
        return None
    return Dimension(name=name, source=source, default=default)


def _dimension_name(node: Node) -> str | None:
    text = node.value if isinstance(node.value, str) else ""
    if len(text) <= _LONGEST_DIMENSION and _TAG.fullmatch(text.removeprefix(_AUTO)):
        return text
    node.fault(_DIMENSION_EXPECTED)
    return None


def _default(node: Node) -> str | None:
    if isinstance(node.value, str) and _TAG.fullmatch(node.value):
        return node.value
    node.fault(_DEFAULT_EXPECTED)
    return None
