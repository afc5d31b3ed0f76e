"""200 cold intakes within five seconds, under the limits of S3 and SSM on calls.

The processes run one after the other here, each with a core of its own, as Lambda gives it one. A
call counts in the second at which it would have been made: the planned start of its process, and
the time that has gone since.
"""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from function_process import Subject, start

STOPPED = {"disposition": "STOP_RULE_SET"}
STARTS = 200
WITHIN_S = 5
RULES = 2_000
SLOWEST_MS = 2_000

Row = tuple[str, str, str, bool]

# Calls a second: S3 for each prefix of keys (S3 User Guide, "Performance design patterns"), SSM for
# an account (AWS General Reference, Systems Manager quotas).
MOST = {"GetObject": 5500, "GetParametersByPath": 40}


class BurstLimits:
    """The calls of all processes by operation and second, as far as they were allowed."""

    def __init__(self) -> None:
        self.calls: Counter[tuple[str, int]] = Counter()

    def allow(self, planned_s: float, operation: str, after_s: float) -> bool:
        """Count a call, made after the planned start; False if the service has too many by then."""
        call = operation, int(planned_s + after_s)
        if operation in MOST and self.calls[call] >= MOST[operation]:
            return False
        self.calls[call] += 1
        return True

    def busiest(self, operation: str) -> int:
        """Return the calls of an operation in its busiest second."""
        return max((n for (name, _), n in self.calls.items() if name == operation), default=0)


def burst(client: Path, ours: Path, event: str, objects: dict[str, bytes]) -> Iterator[Row]:
    """Yield what becomes of mails whose `event` must be stopped, by rules in `objects`."""
    handler = "bouncer.intake.handler"
    subject = Subject(folder=ours, handler=handler, event=event, answer=STOPPED, asks={})
    limits, slowest_ms, through = BurstLimits(), 0.0, 0
    for number in range(STARTS):
        allow = partial(limits.allow, number * WITHIN_S / STARTS)
        found, around, _ = start(client, subject, {}, objects, allow)
        slowest_ms = max(slowest_ms, found.answered_ms)
        through += around.answer != STOPPED
    starts = f"{STARTS} cold intakes in {WITHIN_S} s, {RULES:,} rules"
    yield f"{starts}: let through", str(through), "0", through == 0
    met = slowest_ms < SLOWEST_MS
    yield "  slowest first answer, a core each", f"{slowest_ms:.0f} ms", "under 2000 ms", met
    for name, service in (("GetObject", "S3"), ("GetParametersByPath", "SSM")):
        busiest = limits.busiest(name)
        words = f"  calls of {service} in the busiest second"
        yield words, f"{busiest}", f"at most {MOST[name]:,}", busiest < MOST[name]
