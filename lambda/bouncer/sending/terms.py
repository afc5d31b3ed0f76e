"""The terms on which an invocation of the worker attempts its jobs."""

from dataclasses import dataclass

from bouncer.operator_settings import Settings
from bouncer.sending.digest import Salt


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The terms of all attempts of one invocation.

    No call starts after `until`, on the monotonic clock. With `counting` the invocation took the
    lease over from a dead one, so that starts are counted. With `keeping` the ledger has room for
    bodies that the dead-letter queue refuses. `salt` is that of the ledger's table.
    Bounces count for the breaker from `counted_from` on, in epoch seconds.
    """

    settings: Settings
    held: bool
    until: float
    counting: bool
    salt: Salt
    counted_from: int
    keeping: bool = True
