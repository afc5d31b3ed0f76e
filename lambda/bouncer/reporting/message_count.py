"""The number of messages in a queue, from the attributes that SQS gives it."""

from collections.abc import Mapping

_KINDS = ("", "NotVisible", "Delayed")


def message_count(attributes: Mapping[str, str]) -> int:
    """Return the number of messages that are visible, in flight or delayed: approximately."""
    return sum(int(attributes.get(f"ApproximateNumberOfMessages{kind}", 0)) for kind in _KINDS)
