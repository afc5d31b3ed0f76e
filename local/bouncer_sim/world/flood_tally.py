"""The counts of a flood: what became of whose jobs, when, and after how long."""

from collections import Counter
from dataclasses import dataclass, field
from statistics import median

from bouncer.reasons import Reason
from bouncer_sim.world.scenario import DAY_S

SENT = "sent"


@dataclass(slots=True)
class FloodTally:
    """The jobs that were `queued` and their `ends`, which the journal reported, by kind.

    `sent_at` and `waits` have the seconds from the beginning, and those since the mail was
    received, of each bounce of a kind. `lasted_s` is the time until the queue was empty.
    """

    queued: Counter[str] = field(default_factory=Counter)
    ends: dict[str, Counter[str]] = field(default_factory=dict)
    sent_at: dict[str, list[float]] = field(default_factory=dict)
    waits: dict[str, list[float]] = field(default_factory=dict)
    lasted_s: float = 0.0

    def end(self, kind: str, end: str, *, at_s: float, wait_s: float) -> None:
        """Count one end: `sent` or the reason of another."""
        self.ends.setdefault(kind, Counter())[end] += 1
        if end == SENT:
            self.sent_at.setdefault(kind, []).append(at_s)
            self.waits.setdefault(kind, []).append(wait_s)

    @property
    def reported(self) -> int:
        """The jobs whose end the journal has."""
        return sum(ends.total() for ends in self.ends.values())

    def ended(self, kind: str, end: str) -> int:
        """Return the number of jobs of a kind that ended so."""
        return self.ends.get(kind, Counter())[end]

    def expired(self, kind: str) -> int:
        """Return the number of jobs of a kind whose time ended while they waited."""
        return self.ended(kind, Reason.EXPIRED)

    def median_wait_s(self, kind: str) -> float:
        """Return the median of the waits for a bounce; infinite if there was none."""
        return median(self.waits.get(kind) or [float("inf")])

    def longest_wait_s(self, kind: str) -> float:
        """Return the longest wait for a bounce; infinite if there was none."""
        return max(self.waits.get(kind) or [float("inf")])

    def share_of_a_day(self, kind: str) -> float:
        """Return the largest part of a day's seconds in which a kind was sent its bounces."""
        days = Counter(int(at // DAY_S) for at in self.sent_at.get(kind, ()))
        return max(days.values(), default=0) / DAY_S
