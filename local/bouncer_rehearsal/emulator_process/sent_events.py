"""Publishes SES's events of a mail that was sent, to the destinations of its configuration set.

A mail is sent, and then delivered; SES's simulator addresses bounce or complain instead. Records
and detail types are those of the SES Developer Guide, "Contents of event data". Firehose, SNS,
EventBridge and CloudWatch are the emulated ones.
"""

import base64
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.utils import getaddresses, parseaddr
from typing import Any
from urllib.parse import parse_qs

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch, eventbridge, firehose, ses_v2, sns

Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[..., Awaitable[Answer]]

_OK = 200
_SIMULATED = {"bounce": "Bounce", "complaint": "Complaint"}
_DETAIL_TYPES = {
    "Send": "Email Sent",
    "Delivery": "Email Delivered",
    "Bounce": "Email Bounced",
    "Complaint": "Email Complaint Received",
}
_MEMBERS = {
    "Send": {},
    "Delivery": {"smtpResponse": "250 ok"},
    "Bounce": {"bounceType": "Permanent", "bounceSubType": "General"},
    "Complaint": {"complaintFeedbackType": "abuse"},
}


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A call that sent a mail; `headers` are its own, in lower case."""

    source: str
    recipients: list[str]
    configuration_set: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


def publishing(answer: Handler, read: Callable[[str, bytes], Sent | None]) -> Handler:
    """Return a handler that answers as `answer` does, and publishes the events of what it sent."""

    async def answer_and_publish(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Answer:
        answered = await answer(method, path, headers, body, query)
        sent = read(path, body) if answered[0] == _OK and method == "POST" else None
        if sent:
            _publish(sent, answered[2].decode())
        return answered

    return answer_and_publish


def read_classic(path: str, body: bytes) -> Sent | None:  # noqa: ARG001  # it has one path
    """Read a SendEmail or SendRawEmail of the classic API; None for any other call."""
    asked = {key: values[0] for key, values in parse_qs(body.decode("utf-8", "replace")).items()}
    action = asked.get("Action")
    if action not in ("SendEmail", "SendRawEmail"):
        return None
    headers = _headers(asked["RawMessage.Data"]) if action == "SendRawEmail" else {}
    beginning = "Destination." if action == "SendEmail" else "Destinations."
    named = [value for key, value in asked.items() if key.startswith(beginning)]
    numbers = [key.split(".")[2] for key in asked if re.fullmatch(r"Tags\.member\.\d+\.Name", key)]
    tags = {
        asked[f"Tags.member.{number}.Name"]: asked[f"Tags.member.{number}.Value"]
        for number in numbers
    }
    return _sent(asked.get("Source"), named, asked.get("ConfigurationSetName"), tags, headers)


def read_v2(path: str, body: bytes) -> Sent | None:
    """Read a SendEmail of the present API; None for any other call."""
    if path != "/v2/email/outbound-emails":
        return None
    asked = json.loads(body)
    raw = asked.get("Content", {}).get("Raw")
    headers = _headers(raw["Data"]) if raw else {}
    named = [each for group in asked.get("Destination", {}).values() for each in group]
    tags = {each["Name"]: each["Value"] for each in asked.get("EmailTags", [])}
    name = asked.get("ConfigurationSetName")
    return _sent(asked.get("FromEmailAddress"), named, name, tags, headers)


def _sent(
    source: str | None,
    recipients: list[str],
    configuration_set: str | None,
    tags: dict[str, str],
    headers: dict[str, str],
) -> Sent:
    """Add what a raw mail says itself, and the default configuration set of its identity."""
    source = source or headers.get("from", "")
    if not recipients:
        recipients = [address for _, address in getaddresses([headers.get("to", "")])]
    name = configuration_set or headers.get("x-ses-configuration-set") or _default_set(source)
    written = re.findall(r"([\w-]+)\s*=\s*([\w-]+)", headers.get("x-ses-message-tags", ""))
    return Sent(
        source=source,
        recipients=recipients,
        configuration_set=name,
        tags={**dict(written), **tags},
        headers=headers,
    )


def _headers(data: str) -> dict[str, str]:
    return {name.lower(): text for name, text in message_from_bytes(base64.b64decode(data)).items()}


def _default_set(source: str) -> str:
    address = parseaddr(source)[1]
    for name in (address, address.rpartition("@")[2]):
        if identity := ses_v2._identities.get(name):  # noqa: SLF001  # see requirements.in
            return str(identity.get("ConfigurationSetName") or "")
    return ""


def _publish(sent: Sent, answered: str) -> None:
    found = ses_v2._config_sets.get(sent.configuration_set) or {}  # noqa: SLF001
    named = re.search(r'MessageId["<>: ]+([^"<]+)', answered)
    for event in _events(sent, named[1] if named else ""):
        for destination in (found.get("EventDestinations") or {}).values():
            wanted = event["eventType"].upper() in destination["MatchingEventTypes"]
            if destination["Enabled"] and wanted:
                for member, publish in _TARGETS.items():
                    if member in destination:
                        publish(destination[member], event, sent)


def _events(sent: Sent, message_id: str) -> Iterator[dict[str, Any]]:
    local, _, domain = (sent.recipients or [""])[0].partition("@")
    simulated = _SIMULATED.get(local) if domain == "simulator.amazonses.com" else None
    for kind in ("Send", simulated or "Delivery"):
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        yield {
            "eventType": kind,
            "mail": {
                "timestamp": now,
                "messageId": message_id,
                "source": sent.source,
                "sendingAccountId": get_account_id(),
                "destination": sent.recipients,
                "headers": [{"name": name, "value": text} for name, text in sent.headers.items()],
                "tags": {name: [value] for name, value in _tags(sent).items()},
            },
            kind.lower(): _MEMBERS[kind] and {"timestamp": now, **_MEMBERS[kind]},
        }


def _tags(sent: Sent) -> dict[str, str]:
    """Return the tags of a mail, and those that SES sets itself."""
    return {
        **sent.tags,
        "ses:configuration-set": sent.configuration_set,
        "ses:from-domain": parseaddr(sent.source)[1].rpartition("@")[2],
    }


def _to_cloudwatch(target: dict[str, Any], event: dict[str, Any], sent: Sent) -> None:
    found = {"MESSAGE_TAG": _tags(sent), "EMAIL_HEADER": sent.headers, "LINK_TAG": {}}
    dimensions = {}
    for each in target["DimensionConfigurations"]:
        source, name = each["DimensionValueSource"], each["DimensionName"]
        key = name.lower() if source == "EMAIL_HEADER" else name
        dimensions[name] = found[source].get(key) or each["DefaultDimensionValue"]
    cloudwatch.record_metric("AWS/SES", event["eventType"], 1.0, "Count", dimensions)


def _to_firehose(target: dict[str, Any], event: dict[str, Any], sent: Sent) -> None:  # noqa: ARG001
    data = base64.b64encode(json.dumps(event).encode()).decode()
    name = target["DeliveryStreamArn"].rpartition("/")[2]
    firehose._put_record({"DeliveryStreamName": name, "Record": {"Data": data}})  # noqa: SLF001


def _to_sns(target: dict[str, Any], event: dict[str, Any], sent: Sent) -> None:  # noqa: ARG001
    sns.publish_internal(
        target["TopicArn"], json.dumps(event), "Amazon SES Email Event Notification"
    )


def _to_bus(target: dict[str, Any], event: dict[str, Any], sent: Sent) -> None:
    entry = {
        "Source": "aws.ses",
        "DetailType": _DETAIL_TYPES[event["eventType"]],
        "Resources": [f"arn:aws:ses:{get_region()}:{get_account_id()}:identity/{sent.source}"],
        "Detail": json.dumps(event),
        "EventBusName": target["EventBusArn"].rpartition("/")[2],
    }
    eventbridge._put_events({"Entries": [entry]})  # noqa: SLF001


_TARGETS = {
    "CloudWatchDestination": _to_cloudwatch,
    "KinesisFirehoseDestination": _to_firehose,
    "SnsDestination": _to_sns,
    "EventBridgeDestination": _to_bus,
}
