"""Dead jobs that the dead-letter queue refused: their bodies are kept in the ledger for a while.

The ids of their queue messages stand in the item of the lease, which every invocation reads: so
they are found without a scan of the table, and put into the dead-letter queue at the next chance.
"""

from collections.abc import Callable, Iterable
from itertools import islice

from bouncer.sending.ledger import Ledger
from bouncer.sending.ledger_errors import LedgerError
from bouncer.sending.outcomes import Outcomes
from bouncer.sending.queue import QueueError, WorkerQueue

_MOST_AT_ONCE = 10  # of one invocation, which has bounces to send


class KeptJobs:
    """Puts kept bodies into the dead-letter queue; `ticks` is a monotonic clock in seconds."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        jobs: WorkerQueue,
        outcomes: Outcomes,
        ticks: Callable[[], float],
    ) -> None:
        self._ledger = ledger
        self._jobs = jobs
        self._outcomes = outcomes
        self._ticks = ticks

    def bury(self, names: Iterable[str], *, until: float) -> None:
        """Bury up to ten by the ids of their queue messages, none after `until`.

        The first failure ends it and is reported: the others would most likely fail as well.
        """
        try:
            for name in islice(names, _MOST_AT_ONCE):
                if self._ticks() > until:
                    return
                self._bury(name)
        except (LedgerError, QueueError) as error:
            self._outcomes.worker_failed("bury", error)

    def _bury(self, name: str) -> None:
        """Put one body into the queue first, then forget it: at worst it is there twice."""
        body = self._ledger.kept_body(name)
        if body:  # the item may have gone after its 14 days
            self._jobs.bury({"messageId": name, "body": body})
        self._ledger.forget_body(name)
