"""Reads windows of time: days of the week, hours between two times of day, and a time zone."""

import re
from datetime import time
from zoneinfo import ZoneInfo

from bouncer.rules.condition import DAYS, Condition, Window
from bouncer.rules.document import Node
from bouncer.rules.fields import Field
from bouncer.rules.matcher_reader import any_of


def read_windows(field: Field, node: Node) -> Condition | None:
    """Read a window or a list of windows, of which one must hold."""
    return any_of(node, lambda item: _window(field.name, item))


def _window(name: str, node: Node) -> Condition | None:
    entries = node.members(("days", "between", "zone"), "a mapping of days, between and zone")
    if not entries:
        if node.value == {}:
            node.fault("days or between")
        return None
    days = _days(entries["days"]) if "days" in entries else tuple(range(7))
    span = _span(entries["between"]) if "between" in entries else (time(0), time(0))
    zone = read_zone(entries["zone"]) if "zone" in entries else ZoneInfo("UTC")
    if not days or not span or not zone:
        return None
    if "days" not in entries and "between" not in entries:
        node.fault("days or between", found="only a zone")
        return None
    return Window(name, days, *span, zone)


def _days(node: Node) -> tuple[int, ...] | None:
    words = [item.word(DAYS) for item in node.items()]
    known = {DAYS.index(word) for word in words if word}
    return tuple(sorted(known)) if words and None not in words else None


def _span(node: Node) -> tuple[time, time] | None:
    if not isinstance(node.value, list) or len(node.value) != 2:  # noqa: PLR2004  # from, to
        node.fault('two times such as ["18:00", "08:00"]')
        return None
    start, end = (read_clock(node.child(index, value)) for index, value in enumerate(node.value))
    if start is None or end is None:
        return None
    if start == end:
        node.fault("two different times", found=f"{start:%H:%M} twice")
        return None
    return start, end


def read_clock(node: Node) -> time | None:
    """Return a time of day such as "18:00"."""
    text = node.value if isinstance(node.value, str) else ""
    match = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", text)
    if match:
        return time(int(match[1]), int(match[2]))
    node.fault('a time of day such as "18:00"')
    return None


def read_zone(node: Node) -> ZoneInfo | None:
    """Return a time zone by its IANA name."""
    if isinstance(node.value, str) and node.value:
        try:
            return ZoneInfo(node.value)
        except (KeyError, OSError, ValueError):  # not found, a folder of zones, not even a path
            pass
    node.fault("a time zone such as Europe/Berlin")
    return None
