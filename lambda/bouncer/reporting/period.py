"""The period of a report, and the time zone in which people read it."""

from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

_SHOWN = "%Y-%m-%d %H:%M"


class Period(NamedTuple):
    """The time from `start` to `end`, which are aware; `zone` is an IANA name such as UTC."""

    start: datetime
    end: datetime
    zone: str = "UTC"

    def __str__(self) -> str:
        """Return the period for people, in its time zone."""
        start, end = (each.astimezone(ZoneInfo(self.zone)) for each in (self.start, self.end))
        return f"{start:{_SHOWN}} to {end:{_SHOWN}} ({self.zone})"


def day_until(end: datetime, zone: str) -> Period:
    """Return the day until `end`: since the same time by the clock on the day before.

    So a day is an hour shorter or longer where clocks are changed, and no hour is in two reports.
    """
    local = end.astimezone(ZoneInfo(zone))
    return Period((local - timedelta(days=1)).astimezone(end.tzinfo), end, zone)


def days_until(end: datetime, days: int, zone: str) -> Period:
    """Return so many times 24 hours until `end`."""
    return Period(end - timedelta(days=days), end, zone)
