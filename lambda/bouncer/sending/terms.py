"""The terms on which an invocation of the worker attempts its jobs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bouncer.jobs.job import Job
from bouncer.operator_settings import Settings
from bouncer.rules.bounce_limit import BounceLimit
from bouncer.sending import counters
from bouncer.sending.counters import Counters
from bouncer.sending.digest import Salt


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The terms of all attempts of one invocation.

    No call starts after `until`, on the monotonic clock. With `counting` the invocation took the
    lease over from a dead one, so that starts are counted. With `keeping` the ledger has room for
    bodies that the dead-letter queue refuses. `salt` is that of the ledger's table.
    Bounces count for the breaker from `counted_from` on, in epoch seconds. `limits` has that of
    each rule with `at_most`, and `braked` the rules that the publisher knows to be braked.
    """

    settings: Settings
    held: bool
    until: float
    counting: bool
    salt: Salt
    counted_from: int
    keeping: bool = True
    limits: Mapping[str, BounceLimit] = field(default_factory=dict)
    braked: tuple[str, ...] = ()

    def counters(self, job: Job) -> Counters:
        """Return the counters of a job."""
        caps, salt = self.settings.caps, self.salt
        return counters.counters(job, caps, salt, limits=self.limits, braked=self.braked)
