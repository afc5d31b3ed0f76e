"""Counts mails as SES does: so many recipients a second, and so many in 24 hours."""

from collections import deque

from bouncer_sim.fake_ses.refusal import ErrorCode, SesError

_DAY_S = 86_400.0


class SendingLimits:
    """The limits of one account in one region; times are in seconds.

    By default they are those that AWS gives an account first, once it is out of the sandbox.
    """

    def __init__(self, *, rate: float = 14.0, of_a_day: int = 50_000) -> None:
        self.rate = rate
        self.of_a_day = of_a_day
        self._sent: deque[tuple[float, int]] = deque()

    def count(self, recipients: int, *, at: float) -> None:
        """Count a mail that is sent `at`; raises Throttling if it is beyond a limit."""
        if self.used(at) + recipients > self.of_a_day:
            raise SesError(ErrorCode.THROTTLING, "Daily message quota exceeded.")
        if sum(number for then, number in self._sent if abs(at - then) < 1) >= self.rate:
            raise SesError(ErrorCode.THROTTLING, "Maximum sending rate exceeded.")
        self._sent.append((at, recipients))

    def used(self, at: float) -> int:
        """Return the recipients of the 24 hours before a time."""
        while self._sent and self._sent[0][0] <= at - _DAY_S:
            self._sent.popleft()
        return sum(number for _, number in self._sent)
