"""The ledger's tally of a day for the breaker: bounces sent, and those that bounced themselves.

Replies count as bounces do. Three items for each hour, as worker, repliers and feedback function
write at the same time. A double bounce
belongs to the hour in which its bounce was sent. The keys have the time from which on is counted:
after the breaker has tripped it is a later one, so that nothing counts twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bouncer.breaker import MOST_OF_ONE
from bouncer.sending.digest import digest
from bouncer.sending.lease import LEASE
from bouncer.sending.write import (
    SET_EXPIRES,
    Item,
    Write,
    expires,
    number,
    number_of,
    text,
    text_of,
)

_HOUR_S = 3600
_HOURS = 24
_KEPT = timedelta(days=2)
_MARK = "d"  # begins the attributes of double bounces


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """Bounces and replies of the last 24 hours, counted from `counted_from` on (epoch seconds).

    `doubled` has the organisation of each one that bounced, by the mark of its bounce.
    """

    counted_from: int
    sent: int
    doubled: Mapping[str, str]


def hour_of(now: datetime) -> int:
    """Return the hour, counted from the epoch."""
    return int(now.timestamp()) // _HOUR_S


def keys(counted_from: int, now: datetime) -> list[str]:
    """Return the keys of a day's items: 75, as the worker's clock may be in the next hour."""
    hours = range(hour_of(now) - _HOURS + 1, hour_of(now) + 2)
    of_hour = (_sent_key, _replied_key, _doubled_key)
    return [key(counted_from, hour) for hour in hours for key in of_hour]


def day(counted_from: int, items: Mapping[str, Item]) -> Day:
    """Return the day that its items show."""
    found: dict[str, str] = {}
    for item in items.values():
        found |= {name: text_of(item, name) for name in item if name.startswith(_MARK)}
    sent = sum(number_of(item, "sent") for item in items.values())
    return Day(counted_from=counted_from, sent=sent, doubled=found)


def count_sent(counted_from: int, now: datetime, *, replied: bool = False) -> Write:
    """Return the write that counts a bounce that was sent, or a reply."""
    key = _replied_key if replied else _sent_key
    return Write(
        key=key(counted_from, hour_of(now)),
        update=f"ADD #sent :bounce SET {SET_EXPIRES}",
        values={":bounce": number(1), **expires(now, _KEPT)},
    )


def with_double(known: Day, bounce_id: str, organisation: str) -> Day:
    """Return the day with one more double bounce, or as it is if this organisation has enough."""
    if sum(each == organisation for each in known.doubled.values()) >= MOST_OF_ONE:
        return known
    doubled = {**known.doubled, f"{_MARK}{digest(bounce_id)[:16]}": organisation}
    return Day(counted_from=known.counted_from, sent=known.sent, doubled=doubled)


def count_double(before: Day, after: Day, hour: int, now: datetime) -> list[Write]:
    """Return the writes that make a day `before` the one `after`, in the hour of the bounce."""
    return [
        Write(
            key=_doubled_key(before.counted_from, hour),
            update=f"SET #{mark} = :organisation, {SET_EXPIRES}",
            values={":organisation": text(after.doubled[mark]), **expires(now, _KEPT)},
        )
        for mark in after.doubled.keys() - before.doubled.keys()
    ]


def count_anew(known: Day, counted_from: int) -> Write:
    """Return the write after which all is counted anew, from a later time on."""
    return Write(
        key=LEASE,
        update="SET #counted_from = :new",
        condition="attribute_not_exists(#counted_from) OR #counted_from = :old",
        values={":new": number(counted_from), ":old": number(known.counted_from)},
    )


def _sent_key(counted_from: int, hour: int) -> str:
    return f"sent#{counted_from}#{hour}"


def _replied_key(counted_from: int, hour: int) -> str:
    return f"replied#{counted_from}#{hour}"


def _doubled_key(counted_from: int, hour: int) -> str:
    return f"doubled#{counted_from}#{hour}"
