"""Dead jobs that the dead-letter queue refused: kept in the ledger, and put there later."""

from contextlib import ExitStack

import pytest

from tests.functions.worker.lone_worker import WRITE, LoneWorker


@pytest.fixture
def lone(stack: ExitStack) -> LoneWorker:
    """A worker with nothing to do."""
    return LoneWorker(stack)


def keep(lone: LoneWorker, bodies: int) -> None:
    """Have the ledger keep some bodies that are not jobs."""
    lone.queue.down = True
    assert lone.deliver(*["{}"] * bodies) == []
    lone.said()


def kept(lone: LoneWorker) -> list[str]:
    return sorted(lone.item("lease").get("kept", []))


def test_the_next_invocation_for_another_job_buries_it(lone: LoneWorker) -> None:
    """No operator has to look for it, and no table is scanned."""
    keep(lone, 1)
    assert kept(lone) == ["q1"]
    lone.queue.down = False
    assert lone.deliver(lone.job(), first=7) == []
    assert lone.said() == [("sent", "")]
    assert [each["MessageGroupId"] for each in lone.queue.dead] == ["q1"]
    assert kept(lone) == []


def test_a_queue_that_still_refuses_is_asked_once_an_invocation(lone: LoneWorker) -> None:
    """Each failure is reported, so that its alarm goes on; bounces are sent all the same."""
    keep(lone, 3)
    assert lone.deliver(lone.job(), first=7) == []
    assert lone.said() == [("sent", ""), ("worker_failed", "bury")]
    assert kept(lone) == ["q1", "q2", "q3"]


def test_many_are_buried_ten_at_a_time(lone: LoneWorker) -> None:
    """An invocation has bounces to send."""
    keep(lone, 12)
    lone.queue.down = False
    lone.deliver(lone.job(), first=20)
    assert len(lone.queue.dead) == 10
    lone.deliver(lone.job(message_id="m2"), first=21)
    assert sorted(each["MessageGroupId"] for each in lone.queue.dead) == sorted(
        f"q{number}" for number in range(1, 13)
    )
    assert kept(lone) == []


def test_one_that_could_not_be_forgotten_is_buried_again(lone: LoneWorker) -> None:
    """At worst a dead letter is there twice, and never nowhere."""
    keep(lone, 1)
    lone.queue.down = False
    lone.table.fail(":one", "before", times=5)
    lone.deliver(lone.job(), first=7)
    assert lone.said() == [("sent", ""), ("worker_failed", "bury")]
    lone.deliver(lone.job(message_id="m2"), first=8)
    assert [each["MessageBody"] for each in lone.queue.dead] == ["{}", "{}"]
    assert kept(lone) == []


def test_a_lost_answer_keeps_it_all_the_same(lone: LoneWorker) -> None:
    """Body and note are one transaction, and a repeat of it changes nothing."""
    lone.table.fail(":body", "after", times=2)
    keep(lone, 1)
    assert kept(lone) == ["q1"]
    assert lone.item("job#q1")["body"] == "{}"


def test_an_item_that_is_gone_is_forgotten(lone: LoneWorker) -> None:
    """Fourteen days are over: SQS would have deleted the dead letter as well."""
    keep(lone, 1)
    lone.items.delete_item(TableName=lone.name, Key={"id": {"S": "job#q1"}})
    lone.queue.down = False
    lone.deliver(lone.job(), first=7)
    assert not lone.queue.dead
    assert kept(lone) == []


def test_a_full_ledger_hands_the_job_back(lone: LoneWorker) -> None:
    """The lease's item is written twice an invocation; beyond 1,000 the queue has to wait."""
    full = {"SS": [f"p{number}" for number in range(1000)]}
    lone.items.put_item(TableName=lone.name, Item={"id": {"S": "lease"}, "kept": full})
    lone.queue.down = True
    assert lone.deliver("{}") == ["q1"]
    assert "body" not in lone.item("job#q1")
    lone.queue.down = False
    assert lone.deliver("{}", receives=2) == []
    assert "q1" in [each["MessageGroupId"] for each in lone.queue.dead]


def test_nothing_kept_costs_no_call(lone: LoneWorker) -> None:
    """The ids come with the lease: two calls an invocation and three a job."""
    lone.deliver(lone.job())
    assert lone.table.calls.count(WRITE) == 2
    assert len(lone.table.calls) == 5
