"""Faults an operator or a test plans for certain calls, and their spelling on a command line.

It only assigns faults to calls; the server makes them happen.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from bouncer.errors import BouncerError


class FaultKind(StrEnum):
    """The kinds of faults that a call can meet.

    `timeout_before`: no answer, nothing sent. `timeout_after`: it is sent, the answer lost.
    """

    THROTTLE = "throttle"
    UNAVAILABLE = "unavailable"
    INTERNAL_ERROR = "internal_error"
    TIMEOUT_BEFORE = "timeout_before"
    TIMEOUT_AFTER = "timeout_after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One planned fault; `call` counts signed calls that send from 1, throttled ones included.

    A call that comes too early is throttled, whatever was planned for it.
    """

    call: int
    kind: FaultKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """All planned faults; the first one planned for a call counts.

    A call without an answer has its connection held for `stall_s` seconds, or until the server
    stops, and then closed.
    """

    plan: tuple[Fault, ...] = ()
    stall_s: float = 0.0

    def of(self, call: int) -> FaultKind | None:
        """Return the kind of fault planned for a call, if any."""
        return next((fault.kind for fault in self.plan if fault.call == call), None)


class FaultError(BouncerError, ValueError):
    """A fault was misspelled; the text says how to write one."""


def parse_fault(text: str) -> Fault:
    """Read `KIND@CALL`, such as `throttle@2`; FaultError, a ValueError, if it is not one."""
    kind, at, call = text.partition("@")
    if not at or kind not in set(FaultKind) or not re.fullmatch(r"[1-9][0-9]{0,8}", call):
        kinds = ", ".join(FaultKind)
        raise FaultError(
            f"--fault: found {text!a}, expected KIND@CALL such as throttle@2; "
            f"KIND is one of {kinds}, CALL the number of a call, from 1"
        )
    return Fault(call=int(call), kind=FaultKind(kind))
