"""Spaces SendBounce calls, start to start, and makes every retry of them.

SES allows one call a second, account-wide, and counts at its own end. The caller waits until its
last slot is over before it returns: so the next invocation may start at once, in a new environment
that shares no memory. There is never a catch-up burst. Clock and sleep are arguments; both are in
seconds.
"""

from collections.abc import Callable
from typing import TypeVar

from bouncer.errors import BouncerError

T = TypeVar("T")

SPACING_S = 1.005  # a second, and the variation of the way to SES
_LONGEST_PAUSE_S = 16.0


class NotAcceptedError(BouncerError):
    """SES surely did not accept the call (a throttle, an outage): it may be made again."""


class OutOfTimeError(BouncerError):
    """The time for this batch is over before SES accepted the call."""


class Pacer:
    """One caller's pace: no two starts are closer than `SPACING_S`."""

    def __init__(self, *, now: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._now = now
        self._sleep = sleep
        self._free_at = now()

    def call(
        self,
        send: Callable[[], T],
        *,
        until: float,
        retried: Callable[[NotAcceptedError], None],
        connecting: bool = False,
    ) -> T:
        """Return the answer of `send`, tried again while SES does not accept it and time is left.

        No start is after `until`. When a call must first open a connection (`connecting`), SES
        receives it late; so the next second is counted from its answer. `retried` is called with
        every error that is followed by another attempt. Raises `OutOfTimeError` from the
        last `NotAcceptedError`; any other error passes at once.
        """
        pause = SPACING_S
        while True:
            self._start(until)
            try:
                return send()
            except NotAcceptedError as error:
                self._free_at = max(self._free_at, self._now() - SPACING_S + pause)
                if self._free_at > until:
                    raise OutOfTimeError(str(error)) from error
                retried(error)
                pause = min(pause * 2, _LONGEST_PAUSE_S)
            finally:
                if connecting:
                    self._free_at = max(self._free_at, self._now() + SPACING_S)

    def _start(self, until: float) -> None:
        if max(self._free_at, self._now()) > until:
            raise OutOfTimeError("the time of this invocation is nearly up")
        self.hold()
        self._free_at = self._now() + SPACING_S

    def hold(self) -> None:
        """Wait until the last slot is over."""
        while (left := self._free_at - self._now()) > 0:
            self._sleep(left)
