"""When a rule matches: a tree of `All`, `Any` and `Not` over leaves.

Each leaf is one question about one field of a mail. `condition_reader` reads conditions from a
rule's text, `index` answers them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from zoneinfo import ZoneInfo

import re2

from bouncer.rules.document import show

ADDRESS_FIELDS = ("sender", "recipient", "from", "to", "cc", "reply_to")
DOMAIN_FIELDS = ("sender_domain", "recipient_domain", "from_domain")
VERDICT_FIELDS = ("spf", "dkim", "dmarc", "spam", "virus")
VERDICT_WORDS = ("pass", "fail", "gray", "processing_failed", "disabled", "absent")
POLICY_WORDS = ("none", "quarantine", "reject", "absent")
CONTENT_FIELDS = ("size", "body", "attachment_name", "attachment_type", "attachment_size")
NESTING = ("all", "any", "not")
FIELDS = (
    *ADDRESS_FIELDS,
    *DOMAIN_FIELDS,
    "subject",
    "header",
    *VERDICT_FIELDS,
    "dmarc_policy",
    "source_ip",
    "helo",
    *CONTENT_FIELDS,
    "recipients",
    "time",
)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Matcher(StrEnum):
    """How a text is compared; `EQUALS` is the plain string, `PATTERN` one with `*` or `?`."""

    EQUALS = "equals"
    PATTERN = "is like"
    SUBDOMAIN = "is a subdomain of"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    REGEX = "regex"

    __hash__ = str.__hash__  # leaves are hashed by the thousand; an Enum's own hash is slow


@dataclass(frozen=True, slots=True)
class Text:
    """Does a value of `field` compare with `pattern`? A header is `header:<lower-case name>`."""

    field: str
    matcher: Matcher
    pattern: str

    def __str__(self) -> str:
        return f"{_field_label(self.field)} {self.matcher} {show(self.pattern)}"


@dataclass(frozen=True, slots=True)
class Word:
    """Is a verdict or policy this word?"""

    field: str
    word: str

    def __str__(self) -> str:
        return f"{self.field} is {self.word}"


@dataclass(frozen=True, slots=True)
class Network:
    """Did the connecting host's address belong to this network?"""

    network: IPv4Network | IPv6Network

    def __str__(self) -> str:
        return f"source_ip in {self.network}"


@dataclass(frozen=True, slots=True)
class Recipients:
    """Has the envelope more than `over` and fewer than `under` recipients?"""

    over: int | None
    under: int | None

    def __str__(self) -> str:
        if self.over is not None and self.under is not None and self.under - self.over == 2:  # noqa: PLR2004
            return f"recipients is {self.over + 1}"
        parts = (("over", self.over), ("under", self.under))
        return "recipients " + ", ".join(
            f"{key} {value}" for key, value in parts if value is not None
        )


@dataclass(frozen=True, slots=True)
class Present:
    """Is there a header of this (lower-case) name?"""

    name: str

    def __str__(self) -> str:
        return f"header {self.name} is present"


@dataclass(frozen=True, slots=True)
class Window:
    """Was the mail received on one of `days`, from `start` to before `end`, local time?

    Day 0 is Monday. A window whose end is not after its start goes on past midnight.
    """

    days: tuple[int, ...]
    start: time
    end: time
    zone: ZoneInfo

    def __str__(self) -> str:
        days = ",".join(DAYS[day] for day in self.days)
        return f"time is {days} {self.start:%H:%M}-{self.end:%H:%M} {self.zone.key}"


@dataclass(frozen=True, slots=True)
class All:
    """Holds when every part does."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Any:
    """Holds when one of its parts does."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Holds when its part does not."""

    part: "Condition"


Leaf = Text | Word | Network | Recipients | Present | Window
Condition = Leaf | All | Any | Not


def leaves(condition: Condition) -> Iterator[Leaf]:
    """Every leaf of a condition, in the order written."""
    match condition:
        case All(parts) | Any(parts):
            for part in parts:
                yield from leaves(part)
        case Not(part):
            yield from leaves(part)
        case _:
            yield condition


def regex_options() -> re2.Options:
    """How every pattern an operator writes is read: case-insensitive, silent, bounded in memory."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = 1 << 20
    return options


def _field_label(field: str) -> str:
    return field.replace("header:", "header ")
