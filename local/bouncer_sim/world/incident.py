"""Troubles of a world, as values: what goes wrong, at which call or in which period.

They are drawn or written before a run, as a plain list, so that a run can be repeated without some
of them. Nothing here happens by itself: the wire and the simulated Lambda make troubles come true.
"""

from dataclasses import dataclass
from enum import StrEnum


class Trouble(StrEnum):
    """The troubles a call can meet. "Before" means: the service never saw it, nothing was done."""

    THROTTLED = "throttled"
    FORBIDDEN = "forbidden (403)"
    MISSING = "deleted: the table or queue is not found"
    UNAVAILABLE = "unavailable (503)"
    BROKEN_BEFORE = "internal error (500), nothing done"
    BROKEN_AFTER = "internal error (500), done"
    UNREACHABLE = "unreachable"
    NO_CONNECTION = "connecting timed out"
    LOST_REQUEST = "the request was lost"
    LOST_ANSWER = "the answer was lost"
    CUT_BEFORE = "connection cut, nothing done"
    CUT_AFTER = "connection cut, done"
    LATE = "arrives late"
    SLOW = "answers slowly"
    CONFLICT = "conflicts with another transaction"
    PARTIAL = "done in part"
    CRASH_BEFORE = "the process dies before the call"
    CRASH_AFTER = "the process dies after the call"


class Mishap(StrEnum):
    """The troubles an invocation of a function can meet."""

    DELAYED = "throttled by Lambda, invoked later"
    TWICE = "invoked twice"
    KILLED = "killed"
    ANSWER_LOST = "the answer does not reach the caller"
    COLD = "in a new environment"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallIncident:
    """A trouble of the `nth` attempt (from 1) of one call, such as `dynamodb.put_item`.

    `seconds` is the delay of LATE and SLOW.
    """

    call: str
    nth: int
    trouble: Trouble
    seconds: float = 0.0

    def __str__(self) -> str:
        delay = f" by {self.seconds:g} s" if self.seconds else ""
        return f"{self.call} #{self.nth}: {self.trouble}{delay}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A trouble of all calls of a service, or of one call, from `start` to `end`.

    Both are seconds from the beginning of the run. `share` is the part of the calls that meet it,
    evenly spread.
    """

    place: str
    start: float
    end: float
    trouble: Trouble
    share: float = 1.0

    def hits(self, call: str, *, since: float, count: int) -> bool:
        """Tell whether the `count`th attempt of a call, made `since` the beginning, meets this."""
        return (
            self.start <= since < self.end
            and self.place in (call, call.partition(".")[0])
            and int(count * self.share) > int((count - 1) * self.share)
        )

    def __str__(self) -> str:
        part = "" if self.share == 1.0 else f", {self.share:.0%} of the calls"
        return f"{self.place} {self.start:g} s to {self.end:g} s: {self.trouble}{part}"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationIncident:
    """A trouble of the `nth` invocation (from 1) of `worker` or `intake`.

    `seconds` is the delay of DELAYED, the time of the second invocation for TWICE, and the age at
    which an invocation is KILLED. With `same_id` the second invocation repeats the request id.
    """

    function: str
    nth: int
    mishap: Mishap
    seconds: float = 0.0
    same_id: bool = False

    def __str__(self) -> str:
        same = ", same request id" if self.same_id else ""
        return f"{self.function} invocation #{self.nth}: {self.mishap}, {self.seconds:g} s{same}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockJump:
    """A change of the time of day in the `nth` environment (from 1) of a function.

    It happens `start` seconds from the beginning of the run, and is `seconds` forward.
    """

    function: str
    nth: int
    start: float
    seconds: float

    def __str__(self) -> str:
        return f"{self.function}{self.nth}: the clock jumps by {self.seconds:+g} s"


Incident = CallIncident | Outage | InvocationIncident | ClockJump
