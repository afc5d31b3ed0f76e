"""The worker's queue over moto, which keeps real time while the tests simulate theirs."""

from collections.abc import Iterable
from typing import Any

from bouncer.sending.queue import Record, WorkerQueue
from bouncer_sim.clock import Clock


class PatientQueue(WorkerQueue):
    """Lets simulated time pass instead of making a handed back job invisible."""

    def __init__(self, clock: Clock, *args: Any) -> None:
        super().__init__(*args)
        self._clock = clock

    def hand_back(self, records: Iterable[Record], *, delay_s: int) -> None:
        """Sleep `delay_s`, then have the records delivered again at once."""
        self._clock.sleep(delay_s)
        super().hand_back(records, delay_s=0)
