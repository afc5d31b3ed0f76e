"""Counts calls as SES does, where they arrive: one in a second, account-wide."""

# A second, less a microsecond: adding 1.0 to a time may round down.
INTERVAL_S = 1.0 - 1e-6


class ArrivalRate:
    """The rate of one account in one region.

    A call is early if it arrives within a second of the last one that counted. With
    `counts_throttled` early calls count as well: the strictest way in which SES may count.
    """

    def __init__(self, *, counts_throttled: bool = False) -> None:
        self._counts_throttled = counts_throttled
        self._last: float | None = None

    def is_early(self, at: float, *, counts: bool = True) -> bool:
        """Tell whether a call that arrives `at` (seconds) is early, and count it if it `counts`."""
        # abs: a wall clock that was set back must not throttle until it has caught up.
        early = self._last is not None and abs(at - self._last) < INTERVAL_S
        if counts and (self._counts_throttled or not early):
            self._last = at
        return early
