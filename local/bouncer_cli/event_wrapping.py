"""Takes SES event records out of the wrappings of SNS, SQS, CloudWatch Logs and the AWS command.

A log holds much that is not a mail: of a log only records of received mail are taken.
"""

import json
from collections.abc import Iterator
from typing import Any

_DEEPEST = 8  # nobody wraps deeper
# The lists in an event, and in the output of `aws sqs receive-message`.
_LISTS = ("Records", "Messages")
# The members in which programs log an event, and Lambda a line in JSON.
_LOGGED = ("message", "event", "detail", "record", "body")
_DECODER = json.JSONDecoder()


def unwrapped(value: object, depth: int = 0) -> Iterator[object]:
    """Yield the SES records inside a value, and whatever else stands in the place of a record."""
    if isinstance(value, list):
        for item in value:
            yield from unwrapped(item, depth + 1)
        return
    if not isinstance(value, dict) or depth > _DEEPEST:
        yield value
        return
    inner = _inner(value)
    listed = next((found for name in _LISTS if (found := _list(value, name))), None)
    if inner is not None:
        yield from unwrapped(inner, depth + 1)
    elif listed:
        yield from unwrapped(listed, depth + 1)
    elif value.get("notificationType") == "Received" and "mail" in value:
        yield {"ses": {"mail": value["mail"], "receipt": value.get("receipt")}}
    elif _is_log(value):
        for event in value["events"]:
            yield from logged(event["message"], depth + 1)
    else:
        yield value


def logged(message: str, depth: int = 0) -> Iterator[object]:
    """Yield the received mails in one message of a log: JSON that may follow other text."""
    start = message.find("{")
    if start < 0:
        return
    try:
        value, _ = _DECODER.raw_decode(message, start)
    except (ValueError, RecursionError):
        return
    yield from _received(value, depth + 1)


def _received(value: object, depth: int) -> Iterator[object]:
    for record in unwrapped(value, depth):
        if not isinstance(record, dict) or depth > _DEEPEST:
            continue
        if "ses" in record:
            yield record
            continue
        for name in _LOGGED:
            if isinstance(record.get(name), dict | list):
                yield from _received(record[name], depth + 1)
            elif isinstance(record.get(name), str):
                yield from logged(record[name], depth + 1)


def _list(value: dict[str, Any], name: str) -> list[Any] | None:
    found = value.get(name)
    return found if isinstance(found, list) else None


def _is_log(value: dict[str, Any]) -> bool:
    """Tell whether a value is the output of `aws logs filter-log-events` or `get-log-events`."""
    events = _list(value, "events")
    return bool(events) and all(
        isinstance(event, dict) and isinstance(event.get("message"), str) for event in events or ()
    )


def _inner(value: dict[str, Any]) -> object | None:
    """Return the JSON value inside one SNS or SQS wrapping; None if `value` is not wrapped."""
    sns = value.get("Sns")
    text = sns.get("Message") if isinstance(sns, dict) else None
    if value.get("Type") == "Notification":
        text = value.get("Message")
    if text is None and isinstance(value.get("messageId"), str):
        text = value.get("body")
    if text is None and isinstance(value.get("MessageId"), str):
        text = value.get("Body")
    if not isinstance(text, str):
        return None
    try:
        return json.loads(text)  # type: ignore[no-any-return]  # any JSON value will do
    except (ValueError, RecursionError):
        return None
