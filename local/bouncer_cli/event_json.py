"""Finds SES event records in JSON: one value in a file, or one on each line."""

import json
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator

from bouncer_cli.event_wrapping import unwrapped
from bouncer_cli.input_stream import MEGABYTE, InputStream
from bouncer_cli.mail_item import Item

# Members of events that somebody may have saved; an object with none of them is not an event.
_EVENT_KEYS = {
    *("ses", "mail", "Records", "notificationType", "eventType", "SubscribeURL", "Sns"),
    *("eventSource", "EventSource", "Body"),
}


MOST_OF_A_VALUE = 16 * MEGABYTE
_MOST_SIGNS = 1_000_000  # commas and brackets: each value takes more memory than it has bytes
_SIGNS = b",[{:"
_TOO_LARGE = (
    f"found more than {MOST_OF_A_VALUE // MEGABYTE} MB of JSON in one value, expected one event on "
    "each line (jq -c '.events[]' or the like writes them so)"
)
_NOT_JSON = "found text that is not JSON, expected an SES event"


def items_in_text(source: str, raw: bytes) -> Iterator[Item]:
    """Yield the records of one JSON value, or of one value on each line."""
    if sum(map(raw.count, _SIGNS)) > _MOST_SIGNS:
        yield Item(source=source, error=_TOO_LARGE)
        return
    try:
        value = json.loads(raw)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            yield from _lines(source, raw.removeprefix(BOM_UTF8).split(b"\n"))
        else:
            yield Item(source=source, error=_bad_json(error))
    except (ValueError, RecursionError):
        yield Item(source=source, error=_NOT_JSON)
    else:
        yield from _records(source, value)


def items_in_lines(source: str, stream: InputStream) -> Iterator[Item]:
    """Yield the records of a stream with one JSON value on each line."""
    yield from _lines(source, stream.lines(MOST_OF_A_VALUE))


def _lines(source: str, lines: Iterable[bytes]) -> Iterator[Item]:
    empty = True
    for number, line in enumerate(lines, 1):
        if not line or line.isspace():
            continue
        empty = False
        if len(line) == MOST_OF_A_VALUE:
            yield Item(source=f"{source}#{number}", error=_TOO_LARGE)
            return
        try:
            value = json.loads(line.removeprefix(BOM_UTF8).decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            error = "found a line that is not JSON, expected an SES event"
            yield Item(source=f"{source}#{number}", error=error)
        else:
            yield from _records(f"{source}#{number}", value)
    if empty:
        yield Item(source=source, error="found an empty file, expected SES events")


def holds_event(record: object) -> bool:
    """Tell whether a record is a mail that SES received, or an event of a known kind."""
    return isinstance(record, dict) and not _EVENT_KEYS.isdisjoint(record)


def _bad_json(error: json.JSONDecodeError) -> str:
    return f"found invalid JSON in line {error.lineno} ({error.msg}), expected an SES event"


def _records(source: str, value: object) -> Iterator[Item]:
    """Yield each record of an event; a value without records stands for one record."""
    records = list(unwrapped(value))
    if not records:
        yield Item(source=source, error="found no records, expected an SES event")
    for number, record in enumerate(records, 1):
        name = source if len(records) == 1 else f"{source}#{number}"
        yield Item(source=name, record=record)
