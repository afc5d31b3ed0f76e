"""A rule: the mail it means, and the action for that mail."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bouncer.rules.condition import Condition
from bouncer.rules.rejection import Rejection


class Mode(StrEnum):
    """Does a rule act, only record that it would, or nothing at all?"""

    ENFORCE = "enforce"
    SHADOW = "shadow"
    OFF = "off"


class Action(StrEnum):
    """What happens to a mail for one recipient."""

    ACCEPT = "accept"
    REJECT = "reject"
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One parsed rule; no `condition` matches every message, only reject has a `rejection`."""

    name: str
    description: str
    mode: Mode
    starts: datetime | None
    ends: datetime | None
    condition: Condition | None
    action: Action
    rejection: Rejection | None
