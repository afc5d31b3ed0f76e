"""The simulated queue keeps the order and the visibility of SQS FIFO queues."""

import pytest

from bouncer_sim.world.fifo_queue import FifoQueue, HandleError, QueuedMessage


class Clock:
    """A time that a test sets."""

    now = 0.0


def queue(clock: Clock, *, most_receives: int = 0) -> tuple[FifoQueue, FifoQueue]:
    dead = FifoQueue("dead", now=lambda: clock.now, visibility_s=30, retention_s=1_000)
    made = FifoQueue(
        "queue",
        now=lambda: clock.now,
        visibility_s=100,
        retention_s=10_000,
        dead_letters=dead,
        most_receives=most_receives or 1_000,
    )
    return made, dead


def bodies(messages: list[QueuedMessage]) -> list[str]:
    return [message.body for message in messages]


def test_a_group_is_blocked_while_one_of_its_messages_is_in_flight() -> None:
    """Messages behind wait, those of another group do not; order stays after a time-out."""
    clock = Clock()
    made, _ = queue(clock)
    for number in range(12):
        made.send(f"m{number}", "g", str(number))
    made.send("other", "h", "other")
    assert bodies(made.receive(10)) == [f"m{number}" for number in range(10)]
    assert bodies(made.receive(10)) == ["other"]
    assert made.receive(10) == []
    clock.now = 100.0
    assert bodies(made.receive(10))[0] == "m0"


def test_a_receipt_handle_counts_until_the_message_is_visible_again() -> None:
    """A stale handle neither deletes nor changes anything."""
    clock = Clock()
    made, _ = queue(clock)
    made.send("m", "g", "1")
    (message,) = made.receive(10)
    stale = message.handle
    made.make_visible(stale, 0)
    with pytest.raises(HandleError):
        made.delete(stale)
    (again,) = made.receive(10)
    assert again.receives == 2
    made.delete(again.handle)
    assert made.messages == []


def test_the_same_message_within_five_minutes_is_one() -> None:
    """The deduplication id counts for five minutes, also after the message is gone."""
    clock = Clock()
    made, _ = queue(clock)
    first = made.send("m", "g", "same")
    assert made.send("m", "g", "same") is first
    made.receive(10)
    made.delete(first.handle)
    assert made.send("m", "g", "same") is first
    clock.now = 301.0
    assert made.send("m", "g", "same") is not first


def test_what_is_received_too_often_becomes_a_dead_letter_of_its_group() -> None:
    """The message that would be received once more moves, with its group and its id."""
    clock = Clock()
    made, dead = queue(clock, most_receives=2)
    made.send("m", "g", "1")
    for _ in range(2):
        (message,) = made.receive(10)
        made.make_visible(message.handle, 0)
    assert made.receive(10) == []
    (letter,) = dead.messages
    assert (letter.group, letter.message_id, letter.body) == ("g", "queue-1", "m")
