"""The end of one job, as replay shows it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A job's outcome: `status` is sent, withheld or failed; `reason` says why, if not sent.

    While sending is held it is queued: the job would wait for an operator.
    """

    status: str
    reason: str | None = None
