"""An invocation of the worker: the lease, the batch's visibility, poison, and the end."""

from contextlib import ExitStack
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncer.sending.job_item import JobItem
from tests.functions.worker.lone_worker import (
    READ,
    TOGETHER,
    WRITE,
    KilledError,
    LoneWorker,
    refusal,
)


@pytest.fixture
def lone(stack: ExitStack) -> LoneWorker:
    """A worker with nothing to do."""
    return LoneWorker(stack)


def hold_lease(lone: LoneWorker) -> None:
    """Have another worker die with the lease; it has nothing else to do."""
    lone.ses.answers.append(KilledError())
    with pytest.raises(KilledError):
        lone.deliver(lone.job(message_id="m9"), first=9)
    lone.worker = lone.environment()
    lone.said()


def test_one_invocation_works_at_a_time(lone: LoneWorker) -> None:
    """Another one touches no job: its batch comes again 11 s after the lease's end."""
    hold_lease(lone)
    lone.clock.sleep(20)
    assert lone.deliver(lone.job()) == ["q1"]
    assert lone.lines[-1]["LeaseBusy"] == lone.lines[-1]["HandedBack"] == [1]
    assert lone.said() == [("lease_busy", "")]
    assert lone.queue.visible[-1] == (["handle 1"], 65 - 20 + 11)
    assert lone.item("job#q1") == {}
    assert len(lone.ses.calls) == 1


def test_a_lease_that_is_over_is_taken_over(lone: LoneWorker) -> None:
    """Five seconds after its invocation's deadline, and not before; that is journalled."""
    hold_lease(lone)
    lone.clock.sleep(65)
    assert lone.deliver(lone.job()) == ["q1"]
    lone.clock.sleep(0.1)
    assert lone.deliver(lone.job(), receives=2) == []
    assert lone.said() == [("lease_busy", ""), ("lease_taken_over", ""), ("sent", "")]


def test_two_batches_invoked_at_once(lone: LoneWorker) -> None:
    """Lambda may run one batch twice: one worker sends, the other gives way."""
    body = lone.job()
    second = lone.environment()
    record = {"messageId": "q1", "receiptHandle": "h", "body": body, "attributes": {}}
    answers: list[object] = []
    lone.ses.meanwhile = lambda: answers.append(second.handle([record], remaining_s=60.0))
    assert lone.deliver(body) == []
    assert answers == [{"batchItemFailures": [{"itemIdentifier": "q1"}]}]
    assert lone.said() == [("lease_busy", ""), ("sent", "")]
    assert len(lone.ses.calls) == 1


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_lease_whose_answer_is_lost(lone: LoneWorker, moment: str) -> None:
    """It is taken by the same request; if that had taken effect, nobody knows who was before."""
    lone.table.fail(":now", moment)
    assert lone.deliver(lone.job()) == []
    taken_over = [("lease_taken_over", "")] if moment == "after" else []
    assert lone.said() == [*taken_over, ("sent", "")]


def test_a_take_that_comes_late_brings_nothing_back(lone: LoneWorker) -> None:
    """A lease that was given back can't be had again by the same invocation, so none need wait."""
    lone.table.fail(":now", "late")
    assert lone.deliver(lone.job()) == []
    with pytest.raises(lone.items.exceptions.ConditionalCheckFailedException):
        lone.table.late.pop()()
    lone.worker = lone.environment()
    assert lone.deliver(lone.job(message_id="m2"), first=2) == []
    assert lone.said() == [("sent", ""), ("sent", "")]


def test_the_lease_is_given_back_as_soon_as_the_ledger_answers(lone: LoneWorker) -> None:
    """It is tried until ten seconds before the end; a lease that was never given back runs out."""
    lone.table.fail(":over", "before", times=20)
    assert lone.deliver(lone.job()) == []
    assert "holder" not in lone.item("lease")
    assert lone.item("lease")["gone"]
    began = lone.clock.time()
    lone.table.fail(":over", "before", times=1000)
    assert lone.deliver(lone.job(message_id="m2"), first=2) == []
    assert 49 < lone.clock.time() - began <= 50
    assert lone.said()[-1] == ("worker_failed", "lease")


def test_without_a_lease_nothing_is_done(lone: LoneWorker) -> None:
    """The ledger is away: the batch comes again soon."""
    lone.table.fail(":now", "before", times=5)
    assert lone.deliver(lone.job()) == ["q1"]
    assert lone.said() == [("handed_back", "")]
    assert lone.queue.visible == [(["handle 1"], 5)]


def test_a_ledger_that_was_deleted_is_not_asked_five_times(lone: LoneWorker) -> None:
    """A request that DynamoDB refuses for good is not repeated; the jobs wait."""
    lone.table.fail(WRITE, "before", error=refusal("ResourceNotFoundException"), times=9)
    assert lone.deliver(lone.job()) == ["q1"]
    assert lone.table.calls == [WRITE]
    assert "ResourceNotFoundException" in lone.lines[0]["error"]


def test_the_batch_stays_invisible_while_it_is_worked_on(lone: LoneWorker) -> None:
    """For the remaining time and 15 s, so that a crash costs a minute, not six."""
    lone.deliver(lone.job(), lone.job(message_id="m2"))
    assert lone.queue.visible == [(["handle 1", "handle 2"], 75)]


def test_a_renewal_that_sqs_could_not_make_is_asked_for_again(lone: LoneWorker) -> None:
    """Only for the records in question; if SQS fails on, the batch is worked on all the same."""
    failed = {"Id": "1", "SenderFault": False, "Code": "InternalError"}
    lone.queue.failed = [[failed], [{**failed, "Id": "0"}], []]
    lone.deliver(lone.job(), lone.job(message_id="m2"))
    assert [handles for handles, _ in lone.queue.visible] == [
        ["handle 1", "handle 2"],
        ["handle 2"],
        ["handle 2"],
    ]
    assert lone.said() == [("sent", ""), ("sent", "")]
    lone.queue.failed = [[{**failed, "Id": "0"}]] * 9
    lone.deliver(lone.job(message_id="m3"), first=3)
    assert lone.said() == [("worker_failed", "renew"), ("sent", "")]


def test_records_that_sqs_could_not_take_back_are_handed_back_again(lone: LoneWorker) -> None:
    """Otherwise they would come again only after the rest of the visibility timeout."""
    lone.table.fail(READ, "before", times=1000)
    lone.queue.failed = [[], [{"Id": "1", "SenderFault": False, "Code": "InternalError"}]]
    assert lone.deliver(lone.job(), lone.job(message_id="m2")) == ["q1", "q2"]
    assert lone.queue.visible[1:] == [(["handle 1", "handle 2"], 5), (["handle 2"], 5)]
    assert lone.said() == [("handed_back", "")]


def test_a_refused_receipt_handle_leaves_the_batch_alone(lone: LoneWorker) -> None:
    """Somebody else may have the batch: nothing is read or sent, and the lease is free again."""
    lone.queue.failed = [[{"Id": "1", "SenderFault": True, "Code": "ReceiptHandleIsInvalid"}]]
    assert lone.deliver(lone.job(), lone.job(message_id="m2")) == ["q1", "q2"]
    assert lone.lines[-1]["StaleBatches"] == [1]
    assert lone.said() == [("stale_batch", "")]
    assert "holder" not in lone.item("lease")
    assert len(lone.queue.visible) == 1


def test_an_invocation_that_ends_early_leaves_the_wait_to_the_next_one(lone: LoneWorker) -> None:
    """Another environment has just called SES; this one must not forget that with a stale batch."""
    lone.deliver(lone.job())
    lone.worker = lone.environment()
    lone.queue.failed = [[{"Id": "0", "SenderFault": True, "Code": "ReceiptHandleIsInvalid"}]]
    assert lone.deliver(lone.job(message_id="m2"), first=2) == ["q2"]
    assert lone.deliver(lone.job(message_id="m3"), first=3) == []
    first, second = lone.ses.calls
    assert second - first >= 1.0


def test_starts_are_counted_only_after_a_death(lone: LoneWorker) -> None:
    """An ordinary invocation writes nothing more than its endings."""
    lone.deliver(lone.job())
    assert "starts" not in lone.item("job#q1")
    hold_lease(lone)
    lone.clock.sleep(66)
    lone.deliver(lone.job(message_id="m2"), first=2, receives=4)
    assert lone.item("job#q2")["starts"] == ["4"]


def test_poison_is_buried_unread_at_its_third_start_under_dead_holders(
    lone: LoneWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body that kills whoever parses it goes to the dead-letter queue; those behind are sent."""

    def parse(body: str) -> object:
        if body == "poison":
            raise KilledError
        return from_json(body)

    from bouncer.jobs.job_json import from_json  # noqa: PLC0415  # before it is replaced

    monkeypatch.setattr("bouncer.sending.attempts.from_json", parse)
    for receives in (1, 2, 3):
        with pytest.raises(KilledError):
            lone.deliver("poison", lone.job(), receives=receives)
        lone.clock.sleep(66)
        lone.worker = lone.environment()
    assert lone.item("job#q1")["starts"] == ["2", "3"]
    lone.said()
    assert lone.deliver("poison", lone.job(), receives=4) == []
    buried = lone.lines[1]
    assert (buried["record"], buried["Failed"], buried["Failed_poison"]) == ("q1", [1], [1])
    assert lone.said() == [("lease_taken_over", ""), ("failed", "poison"), ("sent", "")]
    (dead,) = lone.queue.dead
    assert dead["MessageBody"] == "poison"


def test_a_ledger_that_fails_three_times_in_a_row_makes_no_poison(lone: LoneWorker) -> None:
    """The worker that could not give its lease back did not die: its job is sent at last."""
    lone.kill(lone.job())
    for receives in (2, 3, 4, 5):
        lone.table.fail(READ, "before", times=5)
        lone.table.fail(":over", "before", times=1000)
        assert lone.deliver(lone.job(message_id="m2"), first=2, receives=receives) == ["q2"]
        lone.table.plan.clear()
        lone.clock.sleep(66)
    assert lone.item("job#q2")["starts"] == ["2"]
    lone.said()
    assert lone.deliver(lone.job(message_id="m2"), first=2, receives=6) == []
    assert lone.said() == [("sent", "")]


def test_buried_poison_that_comes_again_is_not_read(
    lone: LoneWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its worker died before the message was deleted: it is put again, and reported again."""
    monkeypatch.setattr("bouncer.sending.attempts.from_json", _killing)
    for receives in (1, 2, 3):
        with pytest.raises(KilledError):
            lone.deliver("poison", receives=receives)
        lone.clock.sleep(66)
    lone.deliver("poison", receives=4)
    lone.said()
    with pytest.raises(KilledError):
        lone.deliver("other", first=2)
    lone.clock.sleep(66)
    assert lone.deliver("poison", receives=5) == []
    assert lone.said() == [("lease_taken_over", ""), ("failed", "poison")]
    assert len(lone.queue.dead) == 2


def _killing(_: str) -> None:
    raise KilledError


@given(st.sets(st.integers(1, 12)), st.integers(1, 12))
def test_poison_is_three_of_the_last_six_receives(starts: set[int], receives: int) -> None:
    """Begun under dead holders, this receive among the six; a repeat adds nothing."""
    item = JobItem(key="job#q1", starts=frozenset(starts))
    recent = [receives - back in starts for back in range(6)]
    assert item.is_poison(receives) == (recent.count(True) >= 3)


def test_poison_is_found_though_the_ledger_refuses_every_other_lease(
    lone: LoneWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under a refused lease no start is counted, and nobody dies."""
    monkeypatch.setattr("bouncer.sending.attempts.from_json", _killing)
    for receives in (1, 3, 5, 7):
        if receives > 1:
            lone.table.fail(":now", "before", times=1000)
            assert lone.deliver("poison", receives=receives - 1) == ["q1"]
            lone.table.plan.clear()
        if receives < 7:
            with pytest.raises(KilledError):
                lone.deliver("poison", receives=receives)
            lone.clock.sleep(66)
    assert lone.item("job#q1")["starts"] == ["3", "5"]
    lone.said()
    assert lone.deliver("poison", receives=7) == []
    assert lone.said() == [("lease_taken_over", ""), ("failed", "poison")]


def test_poison_whose_end_is_refused_is_not_read_again(
    lone: LoneWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment remembers it, as the next invocation takes no lease over."""
    monkeypatch.setattr("bouncer.sending.attempts.from_json", _killing)
    for receives in (1, 2, 3):
        with pytest.raises(KilledError):
            lone.deliver("poison", receives=receives)
        lone.clock.sleep(66)
    lone.table.fail(":ended", "before", times=1000)
    assert lone.deliver("poison", receives=4) == ["q1"]
    lone.table.plan.clear()
    lone.said()
    assert lone.deliver("poison", receives=5) == []
    assert lone.said() == [("failed", "poison")]


def test_the_rate_is_the_operators(stack: ExitStack) -> None:
    """At 0.5, a call starts two seconds after the last answer."""
    lone = LoneWorker(stack, "rate: 0.5")
    lone.deliver(lone.job(), lone.job(message_id="m2"))
    first, second = lone.ses.calls
    assert second - first == pytest.approx(2.0)


def test_a_batch_that_is_too_long_goes_on_at_once(stack: ExitStack) -> None:
    """At 0.2, ten jobs need 50 seconds: what is left comes again now, and no line says so."""
    lone = LoneWorker(stack, "rate: 0.2")
    bodies = [lone.job(message_id=f"m{number}") for number in range(10)]
    assert lone.deliver(*bodies) == ["q8", "q9", "q10"]
    assert lone.queue.visible[-1] == (["handle 8", "handle 9", "handle 10"], 0)
    assert lone.said() == [("sent", "")] * 7
    assert lone.deliver(*bodies[7:], first=8, receives=2) == []
    spaces = {round(after - before, 3) for before, after in pairwise(lone.ses.calls)}
    assert spaces == {5.0}


def test_a_claim_of_version_0_1_0_means_duplicate(lone: LoneWorker) -> None:
    """It wrote an item for each recipient; a key that DynamoDB refuses was never written."""
    key = {"id": {"S": "m1 ann@example.com"}, "claimant": {"S": "r1 q1"}}
    lone.items.put_item(TableName=lone.name, Item=key)
    lone.deliver(lone.job("Ann@example.com"))
    assert lone.said() == [("withheld", "duplicate")]
    longest = "x" * 3000 + "@example.com"
    lone.deliver(lone.job(longest, "bob@example.com", message_id="m1"), first=2)
    assert lone.said() == [("sent", "")]
    assert lone.ses.recipients == [(longest, "bob@example.com")]


def test_strangers_choose_no_key(lone: LoneWorker) -> None:
    """Message ids and addresses of any length become digests."""
    lone.deliver(lone.job("ann@example.com", "e#~" * 900, message_id="m#" + "i" * 3000))
    assert lone.said() == [("sent", "")]
    assert {len(digest) for digest in lone.claimed()} == {40}
    keys = [item["id"]["S"] for item in lone.items.scan(TableName=lone.name)["Items"]]
    assert {key.partition("#")[0] for key in keys} == {"job", "mail", "bounce", "sent", "lease"}
    assert max(map(len, keys)) < 60


def test_every_item_of_a_job_goes_by_itself(lone: LoneWorker) -> None:
    """After 14 days, 30 for what events may ask for, 2 for a count; only the lease stays."""
    lone.deliver(lone.job())
    for item in lone.items.scan(TableName=lone.name)["Items"]:
        if item["id"] != {"S": "lease"}:
            left = int(item["expires"]["N"]) - lone.clock.time()
            days = {"bounce": 30, "sent": 2}.get(item["id"]["S"].partition("#")[0], 14)
            assert left == pytest.approx(days * 86_400, abs=60)
        else:
            assert "expires" not in item


def test_a_claim_is_made_just_before_its_slot(lone: LoneWorker) -> None:
    """At most 150 ms ahead, so that few claims wait when a worker dies."""
    lone.deliver(*[lone.job(message_id=f"m{number}") for number in range(3)])
    claims = [at for operation, at in lone.table.times if operation == TOGETHER][::2]
    waits = [call - claim for call, claim in zip(lone.ses.calls, claims, strict=True)]
    assert max(waits) <= 0.15 + 1e-6
