"""Keeps the outcomes of jobs that a worker reports, in place of its journal."""

from bouncer.jobs.job import Job
from bouncer.journal import error_text
from bouncer.operator_settings import Settings
from bouncer.sending.ending import Ending
from bouncer.sources.loaded import Loaded
from bouncer_sim.bounce_outcome import Outcome


class OutcomeRecorder:
    """Keeps the outcome of each job by its reference, in place of the worker's journal."""

    def __init__(self) -> None:
        self._outcomes: dict[str, Outcome] = {}

    def take(self) -> dict[str, Outcome]:
        """Return the outcomes since the last call."""
        taken, self._outcomes = self._outcomes, {}
        return taken

    def ended(self, ending: Ending, job: Job | None, settings: Settings, **_: object) -> None:  # noqa: ARG002
        """Keep the outcome, with the reason or the text of the error if it was not sent."""
        if job is not None:
            reason = error_text(ending.error) if ending.error else ending.reason or None
            self._outcomes[job.reference] = Outcome(status=str(ending.outcome), reason=reason)

    def wait(self, job: Job) -> None:
        """Keep that the job waits."""
        self._outcomes[job.reference] = Outcome(status="queued", reason="held")

    def begin(self, request_id: str) -> None:
        """Keep nothing: only a job's end is of interest here."""

    def documents(self, loaded: Loaded) -> None:
        """Keep nothing."""

    def retried(self, job: Job, error: Exception) -> None:
        """Keep nothing."""

    def handed_back(self, count: int, error: Exception) -> None:
        """Keep nothing."""

    def held(self, count: int, error: Exception) -> None:
        """Keep nothing."""

    def lease_busy(self, count: int, error: Exception) -> None:
        """Keep nothing."""

    def lease_taken_over(self) -> None:
        """Keep nothing."""

    def salt_made(self) -> None:
        """Keep nothing."""

    def stale_batch(self, count: int, error: Exception) -> None:
        """Keep nothing."""

    def worker_failed(
        self, stage: str, error: Exception, reference: str | None = None, **_: object
    ) -> None:
        """Keep nothing."""
