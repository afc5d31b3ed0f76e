"""The rows of the table of a job's states that begin with a claim: each answer of SES, and none."""

from contextlib import ExitStack
from datetime import timedelta

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from tests.functions.worker.lone_worker import THROTTLED, LoneWorker, refusal

NOT_VERIFIED = refusal("MessageRejected", text="Email address is not verified.")
REJECTED = refusal("MessageRejected", text="Message ID is not known.")
NEVER_SEEN = refusal("SomethingNew")
UNREACHABLE = EndpointConnectionError(endpoint_url="x")
NO_ANSWER = ReadTimeoutError(endpoint_url="x")
BROKEN = refusal("InternalFailure", status=500)


@pytest.fixture
def lone(stack: ExitStack) -> LoneWorker:
    """A worker with nothing to do."""
    return LoneWorker(stack)


@pytest.mark.parametrize(
    "error",
    [THROTTLED, refusal("", status=503), refusal("AccountSendingPaused"), UNREACHABLE],
    ids=["throttle", "503", "account paused", "unreachable"],
)
def test_not_accepted(lone: LoneWorker, error: ClientError | BotoCoreError) -> None:
    """The call is made again, paced, under the same claim."""
    lone.ses.answers += [error, error]
    lone.deliver(lone.job())
    assert lone.said() == [("retried", ""), ("retried", ""), ("sent", "")]
    first, second, third = lone.ses.calls
    assert second - first >= 1
    assert third - second >= 2


@pytest.mark.threat
def test_not_accepted_until_no_time_is_left(lone: LoneWorker) -> None:
    """The job is freed and handed back, and another worker sends it."""
    lone.ses.answers += [THROTTLED] * 20
    assert lone.deliver(lone.job(), lone.job(message_id="m2")) == ["q1", "q2"]
    assert lone.said()[-1] == ("handed_back", "")
    assert lone.item("job#q1")["state"] == "free"
    assert lone.claimed() == []
    lone.ses.answers.clear()
    lone.worker = lone.environment()
    assert lone.deliver(lone.job(), receives=2) == []
    assert lone.said() == [("sent", "")]


@pytest.mark.parametrize("text", ["expiry_margin: 0", "expiry_margin: 20"])
def test_the_24_hours_end_between_two_tries(stack: ExitStack, text: str) -> None:
    """No call starts after them; the job ends as expired and its recipients are free."""
    lone = LoneWorker(stack, text)
    lone.ses.answers += [THROTTLED] * 20
    margin = int(text.split()[1])
    body = lone.job(age=timedelta(hours=24) - timedelta(seconds=margin + 5))
    began = lone.clock.time()
    assert lone.deliver(body) == []
    assert lone.said()[-1] == ("withheld", "expired")
    assert lone.ses.calls[-1] < began + 5
    assert lone.item("job#q1")["state"] == "ended"
    assert lone.claimed() == []


def test_refused_for_good(lone: LoneWorker) -> None:
    """The job has failed; it is not a dead letter."""
    lone.ses.answers.append(REJECTED)
    assert lone.deliver(lone.job()) == []
    assert lone.said() == [("failed", "refused")]
    assert not lone.queue.dead
    assert not lone.item("job#q1")["dead"]


def test_a_sender_that_may_not_send(lone: LoneWorker) -> None:
    """The job is a dead letter and free; further jobs of that sender follow it without a call."""
    lone.ses.answers.append(NOT_VERIFIED)
    sick = [lone.job(message_id=f"m{number}", sender="sick@example.com") for number in range(3)]
    assert lone.deliver(*sick, lone.job(message_id="m9")) == []
    assert lone.said() == [("failed", "forbidden")] * 3 + [("sent", "")]
    assert len(lone.ses.calls) == 2
    assert len(lone.queue.dead) == 3
    assert len({message["MessageGroupId"] for message in lone.queue.dead}) == 3
    assert len(lone.claimed()) == 1
    lone.clock.sleep(60)
    lone.deliver(lone.job(message_id="m7", sender="SICK@example.com"), first=7)
    assert lone.said() == [("sent", "")]


def test_an_answer_that_nobody_knows(lone: LoneWorker) -> None:
    """The job is a dead letter and free; other jobs of that sender are tried."""
    lone.ses.answers.append(NEVER_SEEN)
    lone.deliver(lone.job(), lone.job(message_id="m2"))
    assert lone.said() == [("failed", "refused"), ("sent", "")]
    assert len(lone.queue.dead) == 1


@pytest.mark.parametrize("error", [NO_ANSWER, BROKEN], ids=["no answer", "other 5xx"])
def test_the_outcome_is_not_known(lone: LoneWorker, error: ClientError | BotoCoreError) -> None:
    """It has failed, is counted as unknown, keeps its claim and is never sent again."""
    lone.ses.answers.append(error)
    lone.deliver(lone.job())
    assert lone.lines[-1]["Failed_unknown"] == lone.lines[-1]["Failed"] == [1]
    assert lone.said() == [("failed", "unknown")]
    lone.deliver(lone.job(), first=2)
    assert lone.said() == [("withheld", "duplicate")]
    assert len(lone.ses.calls) == 1


@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_ending_whose_answer_is_lost(lone: LoneWorker, moment: str, times: int) -> None:
    """It is written again and settled by reading; one line reports it."""
    lone.table.fail(":ended", moment, times=times)
    assert lone.deliver(lone.job()) == []
    assert lone.said() == [("sent", "")]
    assert lone.item("job#q1")["outcome"] == "sent"


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_ending_and_release_whose_answer_is_lost(lone: LoneWorker, moment: str) -> None:
    """Both are done, once."""
    lone.table.fail(":ended", moment, times=2)
    lone.ses.answers.append(NOT_VERIFIED)
    assert lone.deliver(lone.job()) == []
    assert lone.said() == [("failed", "forbidden")]
    assert lone.claimed() == []


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_release_whose_answer_is_lost(lone: LoneWorker, moment: str) -> None:
    """Both the job and its recipients are free."""
    lone.ses.answers += [THROTTLED] * 20
    lone.table.fail(":free", moment, times=2)
    assert lone.deliver(lone.job()) == ["q1"]
    assert lone.item("job#q1")["state"] == "free"
    assert lone.claimed() == []


@pytest.mark.parametrize("same", [True, False])
def test_an_ending_that_cannot_be_written(lone: LoneWorker, *, same: bool) -> None:
    """The journal has SES's answer. The environment remembers it; another one does not know it."""
    lone.table.fail(":ended", "before", times=5)
    assert lone.deliver(lone.job()) == ["q1"]
    failure = lone.lines[0]
    assert (failure["message"], failure["stage"]) == ("worker_failed", "ending")
    assert failure["answer"] == "sent bounce-1"
    assert lone.said()[1:] == [("handed_back", "")]
    if not same:
        lone.worker = lone.environment()
    assert lone.deliver(lone.job(), receives=2) == []
    assert lone.said() == ([("sent", "")] if same else [("failed", "unknown")])
    assert len(lone.ses.calls) == 1


def test_a_dead_letter_whose_ending_was_remembered_is_free(lone: LoneWorker) -> None:
    """Put back once the sender may send again, it is sent, and not taken for a duplicate."""
    lone.table.fail(":ended", "before", times=5)
    lone.ses.answers.append(NOT_VERIFIED)
    assert lone.deliver(lone.job()) == ["q1"]
    assert lone.deliver(lone.job(), receives=2) == []
    assert lone.said()[-1] == ("failed", "forbidden")
    lone.clock.sleep(60)
    lone.deliver(lone.job(), first=2)
    assert lone.said() == [("sent", "")]


def test_a_line_names_the_recipients_that_its_job_claimed(lone: LoneWorker) -> None:
    """Another job answered one of them: no line of this job says anything about that one."""
    lone.deliver(lone.job("ann@example.com"))
    body = lone.job("ann@example.com", "bob@example.com")
    lone.deliver(body, first=2)
    lone.deliver(body, first=2, receives=2)
    lone.ses.answers.append(NO_ANSWER)
    body = lone.job("ann@example.com", "cyd@example.com")
    lone.deliver(body, first=3)
    lone.table.fail(":ended", "before", times=5)
    body = lone.job("ann@example.com", "dan@example.com")
    lone.deliver(body, first=4)
    lone.worker = lone.environment()
    lone.deliver(body, first=4, receives=2)
    named = [(line["message"], line["recipients"]) for line in lone.lines if "recipients" in line]
    assert named == [
        ("sent", ["ann@example.com"]),
        ("sent", ["bob@example.com"]),
        ("sent", ["bob@example.com"]),
        ("failed", ["cyd@example.com"]),
        ("failed", ["dan@example.com"]),
    ]


@pytest.mark.parametrize("same", [True, False])
def test_a_release_that_cannot_be_written(lone: LoneWorker, *, same: bool) -> None:
    """The environment knows that SES did not accept, and sends; another one reports it as lost."""
    lone.ses.answers += [THROTTLED] * 20
    lone.table.fail(":free", "before", times=5)
    assert lone.deliver(lone.job()) == ["q1"]
    assert lone.said()[-2:] == [("worker_failed", "release"), ("handed_back", "")]
    lone.ses.answers.clear()
    if not same:
        lone.worker = lone.environment()
    assert lone.deliver(lone.job(), receives=2) == []
    assert lone.said() == ([("sent", "")] if same else [("failed", "unknown")])


def test_begun_by_a_worker_that_died(lone: LoneWorker) -> None:
    """It ends as failed, counted as unknown, and is not sent."""
    lone.kill(lone.job())
    assert lone.deliver(lone.job(), receives=2) == []
    assert lone.lines[-1]["Failed_unknown"] == [1]
    assert lone.said() == [("lease_taken_over", ""), ("failed", "unknown")]
    assert len(lone.ses.calls) == 1
    assert not lone.queue.dead


def test_an_ending_that_another_worker_was_faster_with(lone: LoneWorker) -> None:
    """The ledger's outcome holds and is reported with `again`; ours is only an error of ours."""
    body = lone.job()

    def frozen() -> None:
        """Let so much time pass in the call that another worker takes the lease over."""
        lone.clock.sleep(66)
        record = {"messageId": "q1", "receiptHandle": "h", "body": body, "attributes": {}}
        lone.environment().handle([record], remaining_s=60.0)

    lone.ses.meanwhile = frozen
    assert lone.deliver(body) == []
    assert lone.said() == [
        ("lease_taken_over", ""),
        ("failed", "unknown"),
        ("worker_failed", "ending"),
        ("failed", "unknown"),
    ]


def test_the_dead_letter_queue_refuses(lone: LoneWorker) -> None:
    """The body is kept in the ledger; the next invocation puts it into the queue, once."""
    lone.queue.down = True
    assert lone.deliver("{}") == []
    assert lone.said() == [("unreadable_job", "unreadable"), ("worker_failed", "bury")]
    assert lone.item("job#q1")["body"] == "{}"
    lone.queue.down = False
    assert lone.deliver("{}", receives=2) == []
    assert lone.said() == [("unreadable_job", "unreadable")]
    (dead,) = lone.queue.dead
    assert (dead["MessageBody"], dead["MessageGroupId"]) == ("{}", "q1")
    assert lone.deliver("{}", receives=3) == []
    assert len(lone.queue.dead) == 1


def test_neither_queue_nor_ledger_keeps_a_dead_letter(lone: LoneWorker) -> None:
    """It goes back, and is put again when it comes again."""
    lone.queue.down = True
    lone.table.fail(":body", "before", times=5)
    assert lone.deliver("{}") == ["q1"]
    assert lone.said()[1:] == [("worker_failed", "bury"), ("handed_back", "")]
    lone.queue.down = False
    assert lone.deliver("{}", receives=2) == []
    assert len(lone.queue.dead) == 1
    assert lone.said() == [("unreadable_job", "unreadable")]


def test_a_defect_of_ours_holds_up_nobody(
    lone: LoneWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a call the job is a dead letter with the error; those behind it are sent."""
    count = iter([True])

    def broken(**_: object) -> None:
        if next(count, False):
            raise ZeroDivisionError("ours")

    monkeypatch.setattr("bouncer.sending.gate.withheld", lambda *_, **more: broken(**more))
    assert lone.deliver(lone.job(), lone.job(message_id="m2")) == []
    assert lone.said() == [("failed", "defect"), ("sent", "")]
    assert len(lone.queue.dead) == 1
