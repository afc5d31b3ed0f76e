"""One SQS FIFO queue: order within groups, visibility, receive counts, dead letters.

A group is blocked while one of its messages is in flight. A receipt handle counts only until the
message is visible again. Sources: SQS Developer Guide, "FIFO queue delivery logic" and "Dead-letter
queues"; API reference, ChangeMessageVisibility.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice, takewhile

_DEDUPLICATION_S = 300


@dataclass(slots=True, kw_only=True)
class QueuedMessage:
    """A message in a queue; times are seconds since the epoch."""

    message_id: str
    body: str
    group: str
    sequence: int
    sent_at: float
    visible_at: float
    receives: int = 0
    first_received_at: float = 0.0
    handle: str = ""


class HandleError(Exception):
    """A receipt handle that does not stand for a message in flight."""


class FifoQueue:
    """A queue with its retention; `now` is the time in seconds.

    `changed` is called after each change by which a message may have become visible.
    """

    def __init__(
        self,
        name: str,
        *,
        now: Callable[[], float],
        visibility_s: float,
        retention_s: float,
        dead_letters: "FifoQueue | None" = None,
        most_receives: int = 0,
    ) -> None:
        self.name = name
        self.changed: Callable[[], None] = lambda: None
        self.sent: list[QueuedMessage] = []  # every message that was ever taken, in order
        self._now = now
        self._visibility_s = visibility_s
        self._retention_s = retention_s
        self._dead_letters = dead_letters
        self._most_receives = most_receives
        self._groups: dict[str, dict[str, QueuedMessage]] = {}
        self._taken_out: dict[str, dict[str, QueuedMessage]] = {}  # of each group, until deleted
        self._sequence = 0
        self._deduplicated: dict[str, QueuedMessage] = {}  # in the order of sending

    @property
    def messages(self) -> list[QueuedMessage]:
        """All messages in the queue, those in flight included, in the order of sending."""
        return [message for group in self._groups.values() for message in group.values()]

    def send(self, body: str, group: str, deduplication: str) -> QueuedMessage:
        """Put a message on the queue; the same one within five minutes is not put again."""
        self._forget_earlier()
        if known := self._deduplicated.get(deduplication):
            return known
        sequence = self._next_sequence()
        message = QueuedMessage(
            message_id=f"{self.name}-{sequence}",
            body=body,
            group=group,
            sequence=sequence,
            sent_at=self._now(),
            visible_at=self._now(),
        )
        self._deduplicated[deduplication] = message
        self._put(message)
        return message

    def _forget_earlier(self) -> None:
        """Forget the deduplication ids of messages that were sent five minutes ago or earlier."""
        until = self._now() - _DEDUPLICATION_S
        old = takewhile(lambda item: item[1].sent_at <= until, self._deduplicated.items())
        for name, _ in list(old):
            del self._deduplicated[name]

    def _put(self, message: QueuedMessage) -> None:
        self.sent.append(message)
        self._groups.setdefault(message.group, {})[message.message_id] = message
        self.changed()

    def _next_sequence(self) -> int:
        self._sequence += 1
        return self._sequence

    def receive(self, most: int) -> list[QueuedMessage]:
        """Take messages of the first group that is not blocked into flight."""
        for name, group in list(self._groups.items()):
            self._drop_expired(group)
            if not self._is_blocked(name) and (taken := list(self._taken(group, most))):
                return taken
        return []

    def _is_blocked(self, group: str) -> bool:
        return self._free_at(group) > self._now()

    def _drop_expired(self, group: dict[str, QueuedMessage]) -> None:
        """Drop messages whose time is over; none of those behind the first that stays is older."""
        sent_until = self._now() - self._retention_s
        old = list(takewhile(lambda message: message.sent_at <= sent_until, group.values()))
        for message in old:
            if message.visible_at <= self._now():
                self._remove(message)

    def _taken(self, group: dict[str, QueuedMessage], most: int) -> Iterator[QueuedMessage]:
        for message in list(islice(group.values(), most)):
            if self._dead_letters and message.receives >= self._most_receives:
                self._remove(message)
                self._dead_letters.take_over(message)
                continue
            message.receives += 1
            message.first_received_at = message.first_received_at or self._now()
            message.visible_at = self._now() + self._visibility_s
            message.handle = f"{message.message_id}/{message.receives}"
            self._taken_out.setdefault(message.group, {})[message.message_id] = message
            yield message

    def take_over(self, message: QueuedMessage) -> None:
        """Become the queue of a dead letter: it keeps id and group, its time starts again."""
        now, sequence = self._now(), self._next_sequence()
        self._put(
            replace(message, sent_at=now, visible_at=now, sequence=sequence, receives=0, handle="")
        )

    def make_visible(self, handle: str, after_s: float) -> None:
        """Have a message in flight visible after some seconds; raises `HandleError`."""
        self._in_flight(handle).visible_at = self._now() + after_s
        self.changed()

    def delete(self, handle: str) -> None:
        """Delete a message in flight; raises `HandleError`."""
        self._remove(self._in_flight(handle))
        self.changed()

    def _in_flight(self, handle: str) -> QueuedMessage:
        message_id = handle.rpartition("/")[0]
        for group in self._groups.values():
            message = group.get(message_id)
            if message and message.handle == handle and message.visible_at > self._now():
                return message
        raise HandleError(
            f"found the receipt handle {handle}, expected that of a message in flight"
        )

    def _remove(self, message: QueuedMessage) -> None:
        group = self._groups[message.group]
        del group[message.message_id]
        self._taken_out.get(message.group, {}).pop(message.message_id, None)
        if not group:
            del self._groups[message.group]
            self._taken_out.pop(message.group, None)

    def next_visible_at(self) -> float | None:
        """Return the time at which the first group is not blocked, or None of an empty queue."""
        return min(map(self._free_at, self._groups), default=None)

    def _free_at(self, group: str) -> float:
        """Return the time from which on no message of a group is in flight."""
        taken = self._taken_out.get(group, {}).values()
        return max((each.visible_at for each in taken), default=0.0)
