"""The state of a deployment at the moment of a report: what waits, is in force, and is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bouncer.held import Held
from bouncer.rules.rule import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """The revision and settings that the publisher put in force, and what it refused.

    `causes` hold sending; without any, `sending` is false if the settings pause it. `rules` are the
    names of the rules that can match; None if unknown.
    """

    revision: str
    mode: Mode
    sending: bool = True
    causes: tuple[Held, ...] = ()
    problems: tuple[str, ...] = ()
    braked: tuple[str, ...] = ()
    rules: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The state of a deployment at one moment; `gaps` say what is not known, a sentence each.

    `waiting` jobs are in the queue, the oldest for `oldest_s` seconds as CloudWatch saw it last.
    `dead` has the number of dead letters by the key of the alarm that watches for them, `alarms`
    the keys of those in ALARM. None stands for what is not known.
    """

    waiting: int | None = None
    oldest_s: int | None = None
    dead: Mapping[str, int] = field(default_factory=dict)
    alarms: tuple[str, ...] | None = None
    in_force: InForce | None = None
    gaps: tuple[str, ...] = ()
