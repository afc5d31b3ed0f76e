"""A rule: a condition, and the action for mail that meets it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bouncer.errors import Problem
from bouncer.rules.bounce_limit import BounceLimit
from bouncer.rules.condition import Condition
from bouncer.rules.rejection import Rejection, Template
from bouncer.rules.reply_form import ReplyForm

OUTSIDE_SHARE = "outside share"  # in journal and JSON; `Rule.outside_share` has it for people


class Mode(StrEnum):
    """The mode of a rule or deployment: act, only record, or do nothing."""

    ENFORCE = "enforce"
    SHADOW = "shadow"
    OFF = "off"


class Action(StrEnum):
    """The action of a rule for one recipient of a mail."""

    ACCEPT = "accept"
    REJECT = "reject"
    DROP = "drop"
    REPLY = "reply"

    @property
    def lets_through(self) -> bool:
        """True if the mail goes on to the recipient."""
        return self in (Action.ACCEPT, Action.REPLY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule; without a `condition` it matches every message.

    `rejection` is set for the action reject only, `reply` for reply only. `document` is the file or
    parameter it was read from, and `warnings` has what in there is valid, but hardly meant so.
    `share` is in percent of correspondents. `passed_over` says why a rule that would act is in mode
    shadow, or is "".
    """

    name: str
    description: str
    mode: Mode
    starts: datetime | None
    ends: datetime | None
    condition: Condition | None
    action: Action
    rejection: Rejection | None
    reply: ReplyForm | None = None
    share: int | None = None
    at_most: BounceLimit | None = None
    passed_over: str = field(default="", compare=False)
    document: str = field(default="", compare=False)
    warnings: tuple[Problem, ...] = field(default=(), compare=False)

    @property
    def texts(self) -> Mapping[str, Template]:
        """The texts that the rule sends, each by its key."""
        found = self.rejection or self.reply
        return found.texts if found else {}

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """The list and the column of each placeholder in the texts that stands for one."""
        return tuple(pair for template in self.texts.values() for pair in template.columns)

    @property
    def recorded_as(self) -> str:
        """The words for a rule that only records: `shadow`, or the cause for which it is passed."""
        if self.passed_over == OUTSIDE_SHARE:
            return self.outside_share
        return self.passed_over or str(Mode.SHADOW)

    @property
    def outside_share(self) -> str:
        """The words for a mail whose correspondent a rule with a `share` does not act on."""
        return f"outside its share of {self.share}%"


def limits_of(rules: Iterable[Rule]) -> dict[str, BounceLimit]:
    """Return the limits of the rules that have `at_most`, whatever their mode, by their names."""
    return {rule.name: rule.at_most for rule in rules if rule.at_most}
