"""The receiver of everything that the worker reports: its journal, or a recorder in a replay."""

from collections.abc import Collection
from typing import Protocol

from bouncer.jobs.job import Job
from bouncer.operator_settings import Settings
from bouncer.sending.ending import Ending


class Outcomes(Protocol):
    """The reports about jobs; every ending is reported at least once, and counted at most once."""

    def ended(
        self,
        ending: Ending,
        job: Job | None,
        settings: Settings,
        *,
        record: str,
        wait_s: float = 0.0,
        again: bool = False,
        capped: Collection[str] = (),
        braked: Collection[str] = (),
    ) -> None:
        """Report the end of a job, which the ledger has noted.

        `record` is the id of the queue message; `job` is missing if that was not read as one. With
        `again` the end was reported before, or at least noted. `wait_s` is the time since the mail
        was received. `capped` are recipients that a cap took out of the job, and `braked` those
        whose rule is braked: they get no bounce.
        """

    def retried(self, job: Job, error: Exception) -> None:
        """Report that a call is made again."""

    def worker_failed(
        self,
        stage: str,
        error: Exception,
        reference: str | None = None,
        *,
        answer: str = "",
        again: bool = False,
    ) -> None:
        """Report an error of ours; `answer` is the end that could not be noted."""
