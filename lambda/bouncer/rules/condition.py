"""The condition of a rule: a tree of `All`, `Any` and `Not` over leaves.

Each leaf compares one field of a mail (fields.py) with one value. `condition_reader` reads a
condition from a rule's document, `index` finds the leaves that a message satisfies.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

import re2

from bouncer.mail.field_values import AtLeast
from bouncer.rules.document import show

if TYPE_CHECKING:  # what reads time zones takes time to import, and few rules name one
    from zoneinfo import ZoneInfo

NESTING = ("all", "any", "not")
HEADER = "header:"  # stands before a lower-case header name in the field of a leaf
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Matcher(StrEnum):
    """A way to compare texts; `EQUALS` is the plain string, `PATTERN` one with `*` or `?`."""

    EQUALS = "equals"
    PATTERN = "is like"
    SUBDOMAIN = "is a subdomain of"
    WITHIN = "within"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    REGEX = "regex"

    __hash__ = str.__hash__  # leaves are hashed by the thousand; an Enum's own hash is slow


@dataclass(frozen=True, slots=True)
class Text:
    """A value of `field`, or of a header if it starts with `HEADER`, compares with `pattern`."""

    field: str
    matcher: Matcher
    pattern: str

    def __str__(self) -> str:
        return f"{_field_label(self.field)} {self.matcher} {show(self.pattern)}"


@dataclass(frozen=True, slots=True)
class Member:
    """A value of `field`, or of a header if it starts with `HEADER`, is in the list `name`.

    The list must have `columns`, as the rule's texts show them.
    """

    field: str
    name: str
    columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{_field_label(self.field)} in list {self.name}"


@dataclass(frozen=True, slots=True)
class Word:
    """A verdict or policy is this word."""

    field: str
    word: str

    def __str__(self) -> str:
        return f"{self.field} is {self.word}"


@dataclass(frozen=True, slots=True)
class Network:
    """A host's address belongs to this network."""

    field: str
    network: IPv4Network | IPv6Network

    def __str__(self) -> str:
        return f"{self.field} in {self.network}"


@dataclass(frozen=True, slots=True)
class Number:
    """A number is greater than `over` and less than `under`."""

    field: str
    over: int | None
    under: int | None

    def __str__(self) -> str:
        if self.over is not None and self.under is not None and self.under - self.over == 2:  # noqa: PLR2004
            return f"{self.field} is {self.over + 1}"
        parts = (("over", self.over), ("under", self.under))
        return f"{self.field} " + ", ".join(
            f"{key} {value}" for key, value in parts if value is not None
        )

    def includes(self, count: int) -> bool:
        """Tell whether a number, or any that is at least it, is within the bounds."""
        return (self.over is None or count > self.over) and (
            self.under is None or (count < self.under and not isinstance(count, AtLeast))
        )


@dataclass(frozen=True, slots=True)
class Present:
    """There is a header of this (lower-case) name."""

    name: str

    def __str__(self) -> str:
        return f"header {self.name} is present"


@dataclass(frozen=True, slots=True)
class Window:
    """A moment is on one of `days`, from `start` to before `end`, local time in `zone`.

    Day 0 is Monday. A window whose end is not after its start goes on past midnight.
    """

    field: str
    days: tuple[int, ...]
    start: time
    end: time
    zone: "ZoneInfo"

    def __str__(self) -> str:
        days = ",".join(DAYS[day] for day in self.days)
        return f"{self.field} is {days} {self.start:%H:%M}-{self.end:%H:%M} {self.zone.key}"

    def includes(self, moment: datetime) -> bool:
        """Tell whether an aware moment is in the window."""
        local = moment.astimezone(self.zone)
        clock = local.time()
        if self.start < self.end:
            inside = self.start <= clock < self.end
        else:
            inside = clock >= self.start or clock < self.end
        return inside and local.weekday() in self.days


@dataclass(frozen=True, slots=True)
class All:
    """A condition that holds when every part does."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Any:
    """A condition that holds when one of its parts does."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """A condition that holds when its part does not."""

    part: "Condition"


Leaf = Text | Member | Word | Network | Number | Present | Window
Condition = Leaf | All | Any | Not


def leaves(condition: Condition) -> Iterator[Leaf]:
    """Yield every leaf of a condition, in the order written."""
    match condition:
        case All(parts) | Any(parts):
            for part in parts:
                yield from leaves(part)
        case Not(part):
            yield from leaves(part)
        case _:
            yield condition


def regex_options() -> re2.Options:
    """Return the options for patterns that operators write: no case, no log, bounded memory."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = 1 << 20
    return options


def _field_label(field: str) -> str:
    return f"header {field.removeprefix(HEADER)}" if field.startswith(HEADER) else field
