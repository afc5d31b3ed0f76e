"""A limit of bounces: so many in a window of time, as `at_most` of a rule has it."""

from typing import NamedTuple

MINUTE_S = 60
HOUR_S = 3600
DAY_S = 24 * HOUR_S


class BounceLimit(NamedTuple):
    """The most bounces in any window of so many seconds."""

    bounces: int
    per_s: int

    def __str__(self) -> str:
        return f"{self.bounces} in {window_name(self.per_s)}"


def window_name(seconds: int) -> str:
    """Return a window as rules and settings have it: `10m`, `24h`."""
    hours, rest = divmod(seconds, HOUR_S)
    return f"{seconds // MINUTE_S}m" if rest else f"{hours}h"
