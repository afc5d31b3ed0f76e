"""Settings with every kind of event destination, and with further configuration sets."""

from typing import Any

TOPIC = "arn:aws:sns:us-east-1:111122223333:events"
STREAM = "arn:aws:firehose:us-east-1:111122223333:deliverystream/events"
ROLE = "arn:aws:iam::111122223333:role/service/events"


def counts(**dimension: Any) -> dict[str, Any]:
    """A destination of CloudWatch with one dimension."""
    shown = {"name": "campaign", "source": "messageTag", "default": "none", **dimension}
    return {"name": "tags", "kind": "cloudwatch", "dimensions": [shown]}


def notices(topic: object = TOPIC, **more: Any) -> dict[str, Any]:
    return {"name": "ops", "kind": "sns", "topic": topic, **more}


def stream(**changes: Any) -> dict[str, Any]:
    own = {"name": "own", "kind": "firehose", "stream": STREAM, "role": ROLE, **changes}
    return {key: value for key, value in own.items() if value is not None}


def bus(name: object = "bus", **more: Any) -> dict[str, Any]:
    return {"name": name, "kind": "eventbridge", **more}


def set_of(*destinations: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "news", "destinations": list(destinations), **more}


ARCHIVED = stream(name="copies", stream="archive", role=None)
OWN = [counts(), ARCHIVED, stream(), notices(), bus("Default", events=["deliveryDelay"])]
NEWS = {
    **set_of(ARCHIVED, bus("Metrics"), identity="news.example"),
    "tls": "require",
    "reputation_metrics": False,
    "suppression": [],
    "sending": False,
    "redirect_domain": "click.example.com",
}
PLAIN = {"name": "plain", "identity": "plain.example", "suppression": ["COMPLAINT"]}
SENDING = {"destinations": OWN, "configuration_sets": [NEWS, PLAIN]}
