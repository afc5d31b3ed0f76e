"""Encodes a line of the journal as JSON, shorter than CloudWatch Logs takes as one event.

CloudWatch Logs splits a longer line, and then reads neither the line nor its metrics. Strangers
choose the number of recipients and the length of addresses, so every member has its bound. Ordinary
lines are written whole.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# An event has at most 262,144 bytes (CloudWatch Logs User Guide, "quotas"). The encoding is ASCII,
# so that characters are bytes. What stands beside the lists has less than 60,000.
LONGEST_LINE = 240_000
_ORDINARY_LINE = 16_000  # a line up to this length is written as it is
_LISTS = 150_000  # for all lists of a line that is too long
_LONGEST_TEXT = 4_000  # characters of a text
_LONGEST_ENCODED = 8_000  # characters of its encoding
_SHORTEST_CUT = _LONGEST_ENCODED // 12  # characters, of which each may become two escapes

# Our lines have no circles to look for.
_encode = json.JSONEncoder(separators=(",", ":"), default=str, check_circular=False).encode

Line = Mapping[str, Any]


def encoded(line: Line) -> str:
    """Return a line as JSON of at most `LONGEST_LINE` bytes.

    In a long line, texts that are too long are cut and end with "...". If it is still too long, a
    shadow list that several decisions share is written once: the others have `shadow_as`, the
    position of the decision that has it. Of a list that is too long then, the rest is counted: a
    list `rules` has `rules_left_out` beside it.
    """
    text = _encode(line)
    if len(text) <= _ORDINARY_LINE:
        return text
    line = _with_short_texts(line)
    text = _encode(line)
    return text if len(text) <= LONGEST_LINE else _encode(_with_short_lists(line))


def _with_short_texts(value: Any) -> Any:
    match value:
        case str():
            return _cut(value)
        case Mapping():
            return {key: _with_short_texts(item) for key, item in value.items()}
        case list() | tuple():
            return [_with_short_texts(item) for item in value]
        case _:
            return value


def _cut(text: str) -> str:
    if len(text) > _LONGEST_TEXT:
        text = text[:_LONGEST_TEXT] + "..."
    if len(text) <= _SHORTEST_CUT or len(_encode(text)) <= _LONGEST_ENCODED:
        return text
    return text[:_SHORTEST_CUT] + "..."


def _with_short_lists(line: Line) -> dict[str, Any]:
    """Return a line whose lists share the room there is, the shorter ones served first."""
    short = dict(line)
    if "decisions" in short:
        short["decisions"] = _with_short_shadows(short["decisions"])
    lists = sorted((len(_encode(value)), key) for key, value in short.items() if _is_list(value))
    room = _LISTS
    for served, (_, key) in enumerate(lists):
        short |= _fitting(key, short[key], room // (len(lists) - served))
        room -= len(_encode(short[key]))
    return short


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple)


def _with_short_shadows(decisions: Iterable[Line]) -> list[dict[str, Any]]:
    """Return decisions whose shadow lists stand once, and together take half of the room."""
    positions: dict[tuple[str, ...], int] = {}
    short = []
    for position, decision in enumerate(decisions):
        first = positions.setdefault(tuple(decision["shadow"]), position)
        again = first != position and decision["shadow"]
        short.append({**decision, **({"shadow": [], "shadow_as": first} if again else {})})
    each = _LISTS // 2 // max(len(positions), 1)
    return [decision | _fitting("shadow", decision["shadow"], each) for decision in short]


def _fitting(key: str, items: Sequence[Any], room: int) -> dict[str, Any]:
    """Return the first items that fit into `room`, and the number of the others."""
    kept = []
    for item in items:
        room -= len(_encode(item)) + 1
        if room < 0:
            break
        kept.append(item)
    left_out = len(items) - len(kept)
    return {key: kept, f"{key}_left_out": left_out} if left_out else {key: kept}
