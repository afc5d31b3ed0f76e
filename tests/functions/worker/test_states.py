"""Each row of the table of a job's states (docs/decisions/0004-at-most-once.md), and its line."""

from contextlib import ExitStack
from datetime import timedelta

import pytest

from bouncer.jobs.job_json import from_json
from bouncer.sending.job_item import JobItem
from bouncer.sending.queue import ORIGIN
from tests.functions.worker.lone_worker import (
    READ,
    TOGETHER,
    WRITE,
    LoneWorker,
    conflict,
)


@pytest.fixture
def lone(stack: ExitStack) -> LoneWorker:
    """A worker with nothing to do."""
    return LoneWorker(stack)


def test_ses_accepts(lone: LoneWorker) -> None:
    """The job ends as sent, with three calls of the ledger, and two of the invocation."""
    body = lone.job("ann@example.com", "bob@example.com")
    assert lone.deliver(body) == []
    assert (
        lone.item("job#q1").items()
        >= {
            "state": "ended",
            "outcome": "sent",
            "bounce_id": "bounce-1",
            "reference": "bnc-m1",
            "dead": False,
        }.items()
    )
    assert len(lone.claimed()) == 2
    (line,) = lone.lines
    assert (line["message"], line["record"], line["bounce_id"]) == ("sent", "q1", "bounce-1")
    assert line["Sent"] == [1]
    assert lone.table.calls == [WRITE, READ, TOGETHER, TOGETHER, WRITE]


def test_fifty_recipients_cost_as_many_calls_as_one(lone: LoneWorker) -> None:
    """All of them are read, claimed and ended together."""
    lone.deliver(lone.job(*[f"user{number}@example.com" for number in range(50)]))
    assert lone.said() == [("sent", "")]
    assert len(lone.claimed()) == 50
    assert lone.table.calls == [WRITE, READ, TOGETHER, TOGETHER, WRITE]


def test_delivered_again_after_its_end(lone: LoneWorker) -> None:
    """The same outcome is reported with `again`, counted as repeated, and nothing is sent."""
    body = lone.job()
    lone.deliver(body)
    lone.deliver(body, receives=2)
    first, second = lone.lines
    assert second["again"] is True
    assert second["Repeated"] == [1]
    assert "Sent" not in second
    assert "WaitTime" not in second
    same = {"record", "reference", "message_id", "sender", "recipients", "rules", "bounce_id"}
    assert all(second[name] == first[name] for name in same)
    assert len(lone.ses.calls) == 1


@pytest.mark.parametrize(
    ("text", "age", "reason"),
    [
        (None, timedelta(hours=24), "expired"),
        ("expiry_margin: 0", timedelta(hours=24), "expired"),
        ("expiry_margin: 0", timedelta(hours=23, minutes=59, seconds=59), ""),
    ],
)
def test_the_gate_withholds(
    stack: ExitStack, text: str | None, age: timedelta, reason: str
) -> None:
    """The reason is written, then reported; SES is not called."""
    lone = LoneWorker(stack, text)
    lone.deliver(lone.job(age=age))
    item = lone.item("job#q1")
    assert item["reason"] == reason
    assert item["outcome"] == ("withheld" if reason else "sent")
    assert bool(lone.ses.calls) is not bool(reason)
    assert not (reason and lone.claimed())


def test_the_body_is_not_a_job(lone: LoneWorker) -> None:
    """It ends as unreadable, goes to the dead-letter queue whole, and holds up nobody."""
    assert lone.deliver("{}", lone.job()) == []
    assert lone.said() == [("unreadable_job", "unreadable"), ("sent", "")]
    item = lone.item("job#q1")
    assert (item["outcome"], item["reason"], item["dead"]) == ("failed", "unreadable", True)
    (dead,) = lone.queue.dead
    assert (dead["MessageBody"], dead["MessageGroupId"]) == ("{}", "q1")
    assert dead["MessageAttributes"][ORIGIN]["StringValue"] == "q1"


def test_a_begun_job_that_is_not_a_job_of_this_version(lone: LoneWorker) -> None:
    """A worker of another version may have sent it: it ends as unknown, and keeps its claim."""
    lone.kill(lone.job())
    lone.said()
    assert lone.deliver("a newer form", receives=2) == []
    assert lone.said() == [("lease_taken_over", ""), ("failed", "unknown")]
    assert len(lone.claimed()) == 1
    assert not lone.queue.dead


def test_sending_is_held(stack: ExitStack) -> None:
    """The job stays as it is, all go back for two minutes, and later for a quarter of an hour."""
    lone = LoneWorker(stack, "sending: paused")
    assert lone.deliver(lone.job(), lone.job(message_id="m2")) == ["q1", "q2"]
    (line,) = lone.lines
    assert (line["message"], line["Held"], line["jobs"]) == ("handed_back", [2], 2)
    assert lone.queue.visible[-1] == (["handle 1", "handle 2"], 120)
    assert lone.item("job#q1") == {}
    lone.clock.sleep(86_500)
    assert lone.deliver(lone.job(), receives=700) == ["q1"]
    assert lone.queue.visible[-1][1] == 900


@pytest.mark.parametrize(("receives", "delay"), [(1, 5), (2, 10), (5, 80), (6, 120), (900, 120)])
def test_the_ledger_is_away(lone: LoneWorker, receives: int, delay: int) -> None:
    """Nothing is sent, and the jobs come again within seconds, later within two minutes."""
    lone.table.fail(READ, *["before"] * 5)
    assert lone.deliver(lone.job(), receives=receives) == ["q1"]
    assert lone.said() == [("handed_back", "")]
    assert lone.queue.visible[-1] == (["handle 1"], delay)
    assert not lone.ses.calls


def test_an_item_that_was_not_processed_is_not_missing(lone: LoneWorker) -> None:
    """DynamoDB names keys that it did not read; a claim among them still stops the bounce."""
    lone.deliver(lone.job())
    lone.clock.sleep(5)
    lone.table.unprocessed = 2
    lone.deliver(lone.job(), first=2)
    assert lone.said() == [("sent", ""), ("withheld", "duplicate")]
    lone.table.unprocessed = 9
    assert lone.deliver(lone.job(), first=3) == ["q3"]
    assert lone.said() == [("handed_back", "")]


def test_a_claim_of_another_job_on_some_recipients(lone: LoneWorker) -> None:
    """They are left out; case makes no difference."""
    lone.deliver(lone.job("ann@example.com"))
    lone.deliver(lone.job("ANN@example.com", "bob@example.com"), first=2)
    assert lone.ses.recipients == [("ann@example.com",), ("bob@example.com",)]


def test_the_condition_of_the_claim_fails(lone: LoneWorker) -> None:
    """Somebody else was faster with one recipient: the job is read again, and that one left out."""
    other = from_json(lone.job("ann@example.com"))
    lone.table.meanwhile = lambda: lone.ledger.claim(JobItem(key="job#q9"), other, "another")
    lone.deliver(lone.job("ann@example.com", "bob@example.com"))
    assert lone.ses.recipients == [("bob@example.com",)]
    assert lone.said() == [("sent", "")]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("times", [1, 4])
def test_a_claim_whose_answer_is_lost_is_the_same_request_again(
    lone: LoneWorker, moment: str, times: int
) -> None:
    """It stands once and one bounce is sent, had the first request taken effect or not."""
    lone.table.fail(TOGETHER, *[moment] * times)
    assert lone.deliver(lone.job()) == []
    assert lone.said() == [("sent", "")]
    assert len(lone.claimed()) == len(lone.ses.calls) == 1


def test_a_conflict_with_another_transaction(lone: LoneWorker) -> None:
    """The claim waits 0.2 s and is the same request again."""
    lone.table.fail(TOGETHER, "before", "before", error=conflict())
    began = lone.clock.time()
    lone.deliver(lone.job())
    assert lone.said() == [("sent", "")]
    assert lone.ses.calls == [pytest.approx(began + 0.4)]


def test_the_claim_is_given_up(lone: LoneWorker) -> None:
    """It is fenced: should it take effect later, it is refused. The job is free, and sent then."""
    lone.table.fail(TOGETHER, *["before"] * 4, "late")
    assert lone.deliver(lone.job()) == ["q1"]
    assert lone.said() == [("handed_back", "")]
    assert lone.item("job#q1")["state"] == "free"
    with pytest.raises(lone.items.exceptions.TransactionCanceledException):
        lone.table.late.pop()()
    assert lone.claimed() == []
    lone.worker = lone.environment()
    assert lone.deliver(lone.job(), receives=2) == []
    assert lone.said() == [("sent", "")]


def test_a_claim_that_took_effect_before_it_was_given_up_stands(lone: LoneWorker) -> None:
    """The fence is refused, and the job is sent: its bounce is not lost."""
    lone.table.fail(TOGETHER, "after", *["before"] * 4)
    assert lone.deliver(lone.job()) == []
    assert lone.said() == [("sent", "")]
    assert len(lone.claimed()) == 1


@pytest.mark.parametrize("same", [True, False])
def test_a_claim_that_could_not_be_fenced(lone: LoneWorker, *, same: bool) -> None:
    """The environment knows that it never sent; another one can't, and does not send again."""
    lone.table.fail(":begun", *["before"] * 4, "late")
    lone.table.fail(":free", "before", times=5)
    assert lone.deliver(lone.job()) == ["q1"]
    lone.table.late.pop()()
    assert lone.item("job#q1")["state"] == "begun"
    lone.said()
    lone.clock.sleep(5)
    if not same:
        lone.worker = lone.environment()
    assert lone.deliver(lone.job(), receives=2) == []
    assert lone.said() == [("sent", "")] if same else [("failed", "unknown")]
    assert len(lone.ses.calls) == (1 if same else 0)


def test_a_state_of_a_later_version_counts_as_begun(lone: LoneWorker) -> None:
    """After a return to this version: SES may have been called, and the jobs behind go on."""
    item = {"id": {"S": "job#q1"}, "state": {"S": "deferred"}, "nonce": {"S": "n1"}}
    lone.items.put_item(TableName=lone.name, Item=item)
    assert lone.deliver(lone.job(), lone.job(message_id="m2")) == []
    assert lone.said() == [("failed", "unknown"), ("sent", "")]
    assert lone.item("job#q1")["state"] == "ended"


def test_an_end_of_a_later_version_is_reported_as_it_is(lone: LoneWorker) -> None:
    """Nothing is sent again, and the jobs behind go on."""
    words = {"state": "ended", "outcome": "forwarded", "reason": "elsewhere"}
    item = {"id": {"S": "job#q1"}, **{name: {"S": word} for name, word in words.items()}}
    lone.items.put_item(TableName=lone.name, Item=item)
    assert lone.deliver(lone.job(), lone.job(message_id="m2"), receives=2) == []
    assert lone.lines[0]["again"] is True
    assert lone.said() == [("failed", "elsewhere"), ("sent", "")]
