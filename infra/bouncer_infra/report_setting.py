"""The setting `report` of a deployment: who gets the daily report, from whom and when."""

import json
import re
from dataclasses import dataclass
from datetime import time
from zoneinfo import ZoneInfo

from bouncer.rules.address_reader import read_mailbox
from bouncer.rules.document import Node
from bouncer.rules.window_reader import read_clock, read_zone

_KEYS = ("to", "from", "at", "timezone")
_AT = time(7, 0)
_MOST = 20  # of the 50 that SES takes
_MOST_BYTES = 1500  # of the 4096 of a function's environment, which names much else
# Files beside the IANA's zones, which a machine may have and EventBridge Scheduler has not.
_NO_ZONE = re.compile(r"(?:right|posix)/.*|localtime|posixrules|Factory")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSetting:
    """A mail each day `at` a time in a time zone; without `sender` it comes from bounce_sender."""

    to: tuple[str, ...]
    sender: str | None = None
    at: time = _AT
    zone: str = "UTC"


def report_setting(node: Node) -> ReportSetting | None:
    """Read the setting; everything but `to` has a default."""
    expected = "a mapping with to, from, at and timezone"
    entries = node.members(_KEYS, expected)
    if "to" not in entries:
        if isinstance(node.value, dict):
            node.fault('at least "to": the addresses that get the report', found="none")
        return None
    to = _receivers(entries["to"])
    sender = read_mailbox(entries["from"]) if "from" in entries else None
    at = read_clock(entries["at"]) if "at" in entries else _AT
    zone = _zone(entries["timezone"]) if "timezone" in entries else None
    size = len(json.dumps([*to, sender or ""]))
    if size > _MOST_BYTES:
        expected = f"at most {_MOST_BYTES}: a function's environment holds 4 KB"
        entries["to"].fault(expected, found=f"addresses of {size} bytes")
    if at is None:
        return None
    return ReportSetting(to=to, sender=sender, at=at, zone=zone.key if zone else "UTC")


def _zone(node: Node) -> ZoneInfo | None:
    if isinstance(node.value, str) and _NO_ZONE.fullmatch(node.value):
        node.fault("a time zone such as Europe/Berlin")
        return None
    return read_zone(node)


def _receivers(node: Node) -> tuple[str, ...]:
    items = list(node.items())
    if len(items) > _MOST:
        node.fault(f"at most {_MOST} addresses", found=str(len(items)))
    return tuple(address for item in items if (address := read_mailbox(item)))
