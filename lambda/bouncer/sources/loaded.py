"""The rules and settings that are in force, compiled."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple, Protocol

from bouncer.held import Held, first_held
from bouncer.operator_settings import Settings
from bouncer.rules.bounce_limit import BounceLimit
from bouncer.rules.ruleset import Ruleset


class InForceLoader(Protocol):
    """A reader of what is in force."""

    def load(self) -> "Loaded":
        """Return it; raises `SourceError` if nothing was ever read."""


class Loaded(NamedTuple):
    """The rules and settings in force; `problems` are sentences about documents that were refused.

    `stale` tells that the source could not be read again, so that they may be out of date.
    `causes` are all documents that hold sending. `revision` is the id of the rules, "" if they come
    from documents. `limits` has `at_most` of the rules that have it; `braked` names rules that act
    as in mode shadow until an operator releases them.
    """

    ruleset: Ruleset
    settings: Settings
    problems: tuple[str, ...] = ()
    stale: bool = False
    causes: tuple[Held, ...] = ()
    revision: str = ""
    limits: Mapping[str, BounceLimit] = MappingProxyType({})
    braked: tuple[str, ...] = ()

    @property
    def held(self) -> Held | None:
        """The cause that has held sending the longest; None while bounces are sent."""
        return first_held(self.causes)

    @property
    def sending_held(self) -> bool:
        """No bounce is sent now, by the document `held` or by `sending: paused`."""
        return bool(self.causes) or not self.settings.sending

    def goes_on(self, now: datetime) -> bool:
        """Tell whether sending is held for so long that mail goes on that would be bounced."""
        return bool(self.causes) and any(cause.is_long(now) for cause in self.causes)
