"""The setting `report` of a deployment: who gets the daily report, from whom and when."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bouncer.rules.address_reader import read_mailbox
from bouncer.rules.document import Node
from bouncer.rules.window_reader import read_clock, read_zone

_KEYS = ("to", "from", "at", "timezone")
_AT = time(7, 0)
_MOST = 20  # of the 50 that SES takes, so that an environment has room
_MOST_CHARACTERS = (
    1500  # of all addresses: an environment has 4,096 bytes, queues and logs included
)
_NOT_SCHEDULED = ("localtime", "Factory", "posixrules", "posix", "right")  # not of IANA's names
_DAYS = [date(2026, 1, 1) + timedelta(days=number) for number in range(366 * 4)]


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
    if (size := sum(map(len, (*to, sender or "")))) > _MOST_CHARACTERS:
        node.fault(f"at most {_MOST_CHARACTERS} characters of addresses", found=str(size))
    at = read_clock(entries["at"]) if "at" in entries else _AT
    zone = _zone(entries["timezone"]) if "timezone" in entries else ZoneInfo("UTC")
    if at is None or zone is None:
        return None
    if _is_skipped(at, zone):
        expected = f"a time that every day has: clocks in {zone.key} are put forward past it"
        entries.get("at", node).fault(expected, found=f"{at:%H:%M}")
    return ReportSetting(to=to, sender=sender, at=at, zone=zone.key)


def _zone(node: Node) -> ZoneInfo | None:
    """Return a time zone that EventBridge Scheduler knows as well."""
    zone = read_zone(node)
    if zone and zone.key.partition("/")[0] in _NOT_SCHEDULED:
        node.fault("a time zone such as Europe/Berlin")
        return None
    return zone


def _is_skipped(at: time, zone: ZoneInfo) -> bool:
    """Tell whether a day lacks this time by the clock, so that Scheduler would skip the day."""
    moments = (datetime.combine(day, at, zone) for day in _DAYS)
    return any(each.astimezone(UTC).astimezone(zone).time() != at for each in moments)


def _receivers(node: Node) -> tuple[str, ...]:
    items = list(node.items())
    if len(items) > _MOST:
        node.fault(f"at most {_MOST} addresses", found=str(len(items)))
    return tuple(address for item in items if (address := read_mailbox(item)))
