"""Senders whose bounces SES refused a moment ago, for a cause that stops all their bounces alike.

Asking SES for each of their jobs would cost a second each, in which jobs of other senders wait.
"""

from bouncer.jobs.job import Job

KEPT_S = 60.0


class RefusedIdentities:
    """The refusal of each sender, kept for a minute; times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._refusals: dict[str, tuple[float, Exception]] = {}

    def note(self, job: Job, error: Exception, *, at: float) -> None:
        """Keep SES's refusal of the sender of this job."""
        self._refusals[_identity(job)] = (at, error)

    def refusal(self, job: Job, *, at: float) -> Exception | None:
        """Return the refusal of this job's sender, if it was less than a minute ago."""
        known = self._refusals.get(_identity(job))
        if known is None:
            return None
        if at - known[0] >= KEPT_S:
            del self._refusals[_identity(job)]
            return None
        return known[1]


def _identity(job: Job) -> str:
    return f"{job.bounce_sender.lower()} {job.bounce_sender_arn or ''}"
