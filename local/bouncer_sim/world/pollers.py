"""The pollers of an event source mapping: they ask the queue, and rest while nothing is visible."""

from botocore.exceptions import BotoCoreError, ClientError

from bouncer_sim.event_source_mapping import EventSourceMapping
from bouncer_sim.world.fifo_queue import FifoQueue
from bouncer_sim.world.timeline import Task, Timeline

_POLL_DELAY_S = 0.02  # from a message's becoming visible to a long poll's answer
_MOST_DOUBLINGS = 6  # a mapping that cannot poll waits up to 64 s


class Pollers:
    """The pollers of one queue; `begin` lets them poll for ever."""

    def __init__(self, timeline: Timeline, mapping: EventSourceMapping, queue: FifoQueue) -> None:
        self._timeline = timeline
        self._mapping = mapping
        self._queue = queue
        self._idle: list[Task] = []
        queue.changed = self._wake

    def begin(self, count: int) -> None:
        """Have so many pollers begin."""
        for _ in range(count):
            self._timeline.spawn(self._poll)

    def _poll(self) -> None:
        """Poll for ever; wait longer after each failure."""
        failed = 0
        while True:
            try:
                if not self._mapping.poll():
                    self._rest()
                failed = 0
            except (ClientError, BotoCoreError):
                failed = min(failed + 1, _MOST_DOUBLINGS)
                self._timeline.sleep(2.0**failed)

    def _rest(self) -> None:
        """Wait until a message may be visible."""
        visible_at = self._queue.next_visible_at()
        me = self._timeline.current
        self._idle.append(me)
        self._timeline.park(None if visible_at is None else visible_at + _POLL_DELAY_S)
        if me in self._idle:  # nobody woke it
            self._idle.remove(me)

    def _wake(self) -> None:
        for task in self._idle:
            self._timeline.wake(task, _POLL_DELAY_S)
        self._idle.clear()
