"""Spaces SendBounce calls, and makes every retry of them.

SES allows one call a second, account-wide, and counts calls as they arrive. The way there takes a
different time for each call, so the next one starts a spacing after the last answer: SES had the
last call by then. From that wait the pacer takes off the time that the next call surely needs to
arrive. It never catches up in a burst. Clock and sleep are arguments; both are in seconds.
"""

from collections import deque
from collections.abc import Callable
from typing import TypeVar

from bouncer.errors import BouncerError

T = TypeVar("T")

SPACING_S = 1.0
_LONGEST_PAUSE_S = 16.0

# A request takes about half of a round trip to arrive. Half of the fastest one of many, on the
# same connection, is a time that no request has been seen to beat. Of few trips the fastest may be
# a slow one.
_TRIPS = 32
_LONGEST_HEAD_START_S = 0.05


class NotAcceptedError(BouncerError):
    """SES surely did not accept the call (a throttle, an outage): it may be made again."""


class UnansweredError(BouncerError):
    """No answer came, so that it is not known when, or whether, SES received the call."""


class OutOfTimeError(BouncerError):
    """The time for this batch is over before SES accepted the call."""


class TimeIsUpError(OutOfTimeError):
    """The time for this batch is over, and SES was not asked about this call."""

    def __init__(self) -> None:
        super().__init__("the time of this invocation is nearly up")


class Pacer:
    """One caller's pace: no call reaches SES within `spacing_s` of the last one.

    It must be the only caller: see `lease`.
    """

    def __init__(self, *, now: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._now = now
        self._sleep = sleep
        self._free_at = now()
        self._trips: deque[float] = deque(maxlen=_TRIPS)
        self._connected = False
        self.spacing_s = SPACING_S

    def after_stranger(self, *, at: float) -> None:
        """Wait a spacing from `at` on: another environment may have called just before."""
        self._free_at = max(self._free_at, at + self.spacing_s)

    def disconnected(self) -> None:
        """Take note that the next call opens a connection; earlier round trips tell nothing."""
        self._trips.clear()
        self._connected = False

    def approach(self, *, until: float, ahead_s: float) -> None:
        """Wait until `ahead_s` before the next slot; raises `OutOfTimeError`, as `call` would."""
        self._check(until)
        self._wait_until(self._free_at - ahead_s)

    def call(
        self,
        send: Callable[[], T],
        *,
        until: float,
        retried: Callable[[NotAcceptedError], None],
        check: Callable[[], None] = lambda: None,
    ) -> T:
        """Return the answer of `send`, tried again while SES does not accept it and time is left.

        No start is after `until`; just before each one `check` may raise. `retried` is called with
        every error that is followed by another attempt. Raises `OutOfTimeError` from the last
        `NotAcceptedError`; any other error passes at once.
        """
        pause = self.spacing_s
        while True:
            self._check(until)
            self._wait_until(self._free_at)
            check()
            try:
                return self._timed(send)
            except NotAcceptedError as error:
                self._free_at = max(self._free_at, self._now() + pause - self._head_start_s())
                if self._free_at > until:
                    raise OutOfTimeError(str(error)) from error
                retried(error)
                pause = min(pause * 2, max(_LONGEST_PAUSE_S, self.spacing_s))

    def _check(self, until: float) -> None:
        if max(self._free_at, self._now()) > until:
            raise TimeIsUpError

    def _timed(self, send: Callable[[], T]) -> T:
        """Make one call, and learn from its round trip when the next one may start."""
        began = self._now()
        answered = False
        try:
            answer = send()
        except UnansweredError:
            raise
        except BouncerError:
            answered = True
            raise
        else:
            answered = True
            return answer
        finally:
            self._learn(self._now() - began, answered=answered)

    def _learn(self, trip_s: float, *, answered: bool) -> None:
        if not answered:
            self.disconnected()
        elif self._connected:
            self._trips.append(trip_s)
        else:
            self._connected = True
        self._free_at = self._now() + self.spacing_s - self._head_start_s()

    def _head_start_s(self) -> float:
        if len(self._trips) < _TRIPS:
            return 0.0
        return min(min(self._trips) / 2, _LONGEST_HEAD_START_S)

    def _wait_until(self, moment: float) -> None:
        while (left := moment - self._now()) > 0:
            self._sleep(left)
