"""Finds SES event records in JSON, also inside the wrappings of SNS and SQS."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bouncer_cli.mail_item import Item


def items_in_text(source: str, raw: bytes) -> Iterator[Item]:
    """Yield the records of one JSON value, or of one value on each line."""
    try:
        value = json.loads(raw)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            lines = raw.decode("utf-8-sig", "replace").splitlines()
            yield from _lines(source, enumerate(lines, 1))
        else:
            yield Item(source=source, error=_bad_json(error))
    except (ValueError, RecursionError):
        yield Item(source=source, error="found text that is not JSON, expected an SES event")
    else:
        yield from _records(source, value)


def items_in_lines(source: str, path: Path) -> Iterator[Item]:
    """Yield the records of a file with one JSON value on each line."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        yield from _lines(source, enumerate(file, 1))


def _lines(source: str, lines: Iterator[tuple[int, str]]) -> Iterator[Item]:
    empty = True
    for number, line in lines:
        if not line.strip():
            continue
        empty = False
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            error = "found a line that is not JSON, expected an SES event"
            yield Item(source=f"{source}#{number}", error=error)
        else:
            yield from _records(f"{source}#{number}", value)
    if empty:
        yield Item(source=source, error="found an empty file, expected SES events")


def _bad_json(error: json.JSONDecodeError) -> str:
    return f"found invalid JSON in line {error.lineno} ({error.msg}), expected an SES event"


def _records(source: str, value: object) -> Iterator[Item]:
    """Yield each record of an event; a value without records stands for one record."""
    records = list(_unwrapped(value))
    if not records:
        yield Item(source=source, error="found no records, expected an SES event")
    for number, record in enumerate(records, 1):
        name = source if len(records) == 1 else f"{source}#{number}"
        yield Item(source=name, record=record)


def _unwrapped(value: object, depth: int = 0) -> Iterator[object]:
    """Yield the SES records inside SNS and SQS messages and in the notifications of SES."""
    if isinstance(value, list):
        for item in value:
            yield from _unwrapped(item, depth + 1)
        return
    if not isinstance(value, dict) or depth > 8:  # noqa: PLR2004  # nobody wraps deeper
        yield value
        return
    inner = _inner(value)
    if inner is not None:
        yield from _unwrapped(inner, depth + 1)
    elif isinstance(value.get("Records"), list) and value["Records"]:
        yield from _unwrapped(value["Records"], depth + 1)
    elif value.get("notificationType") == "Received" and "mail" in value:
        yield {"ses": {"mail": value["mail"], "receipt": value.get("receipt")}}
    else:
        yield value


def _inner(value: dict[str, Any]) -> object | None:
    """Return the JSON value inside one SNS or SQS wrapping; None if `value` is not wrapped."""
    sns = value.get("Sns")
    text = sns.get("Message") if isinstance(sns, dict) else None
    if value.get("Type") == "Notification":
        text = value.get("Message")
    if text is None and isinstance(value.get("messageId"), str):
        text = value.get("body")
    if not isinstance(text, str):
        return None
    try:
        return json.loads(text)  # type: ignore[no-any-return]  # any JSON value will do
    except (ValueError, RecursionError):
        return None
