"""Jobs that the gate withholds are ended many at a time, and reported as if they were alone."""

from contextlib import ExitStack
from datetime import timedelta

import pytest

from tests.functions.worker.lone_worker import READ, TOGETHER, WRITE, LoneWorker, ends, mail

TWO = "caps: {sender: {24h: 2}, domain_share: off, sender_recipient_rule: off}"


@pytest.fixture
def lone(stack: ExitStack) -> LoneWorker:
    """A worker that has sent all that one sender can have, and has seen that he is capped."""
    worker = LoneWorker(stack, TWO)
    worker.deliver(*(mail(worker, each) for each in range(3)))
    assert ends(worker) == ["sent", "sent", "capped"]
    worker.table.times.clear()
    return worker


def test_ten_capped_jobs_cost_two_calls(lone: LoneWorker) -> None:
    """One read and one transaction, between taking the lease and giving it back."""
    assert lone.deliver(*(mail(lone, each) for each in range(3, 13)), first=4) == []
    assert lone.table.calls == [WRITE, READ, TOGETHER, WRITE]
    assert [line["Withheld_capped"] for line in lone.lines] == [[1]] * 10
    assert [line["record"] for line in lone.lines] == [f"q{each}" for each in range(4, 14)]


def test_others_among_capped_jobs_are_sent_in_their_turn(lone: LoneWorker) -> None:
    """The order stays; an odd message and an expired job among them end as they would alone."""
    ann = mail(lone, 5, "ann@elsewhere.example")
    expired = lone.job(message_id="m6", age=timedelta(hours=25))
    batch = [mail(lone, 3), mail(lone, 4), ann, expired, mail(lone, 7), "odd", mail(lone, 8)]
    assert lone.deliver(*batch, first=4) == []
    assert ends(lone) == ["capped"] * 2 + ["sent", "expired", "capped", "unreadable", "capped"]


def test_jobs_that_are_delivered_again_repeat_their_end(lone: LoneWorker) -> None:
    """They are read as ended, counted once, and those that are new end beside them."""
    lone.deliver(*(mail(lone, each) for each in (3, 4)), first=4)
    lone.said()
    lone.deliver(*(mail(lone, each) for each in (3, 4, 5)), first=4, receives=2)
    assert [line.get("again", False) for line in lone.lines] == [True, True, False]
    assert [line["reason"] for line in lone.lines] == ["capped"] * 3


@pytest.mark.parametrize("times", [1, 4])
def test_a_lost_answer_is_settled(lone: LoneWorker, times: int) -> None:
    """The transaction took effect and nobody heard of it: all are reported, each once."""
    lone.table.fail(TOGETHER, "after", *["before"] * (times - 1))
    assert lone.deliver(*(mail(lone, each) for each in (3, 4, 5)), first=4) == []
    assert ends(lone) == ["capped"] * 3


def test_a_ledger_that_is_away_hands_all_of_them_back(lone: LoneWorker) -> None:
    """None is reported, and the next delivery ends them."""
    lone.table.fail(TOGETHER, *["before"] * 5)
    bodies = [mail(lone, each) for each in (3, 4, 5)]
    assert lone.deliver(*bodies, first=4) == ["q4", "q5", "q6"]
    assert ends(lone) == ["handed_back"]
    assert lone.deliver(*bodies, first=4, receives=2) == []
    assert ends(lone) == ["capped"] * 3


def test_a_job_that_somebody_changed_is_read_again(lone: LoneWorker) -> None:
    """The transaction is refused as a whole, and each job goes on from what is true now."""
    lone.table.meanwhile = lambda: lone.items.put_item(
        TableName=lone.name,
        Item={"id": {"S": "job#q5"}, "state": {"S": "begun"}, "nonce": {"S": "another"}},
    )
    assert lone.deliver(*(mail(lone, each) for each in (3, 4, 5)), first=4) == []
    assert ends(lone) == ["capped", "unknown", "capped"]


def test_as_many_are_read_as_one_request_can_ask(lone: LoneWorker) -> None:
    """Jobs with fifty recipients have over fifty keys each, so that one fits and no second."""
    names = [f"person{number}@example.com" for number in range(50)]
    bodies = [mail(lone, each, "eve@partner.example", *names) for each in range(3, 6)]
    assert lone.deliver(*bodies, first=4) == []
    assert ends(lone) == ["capped"] * 3
