"""The worker over a real queue, ledger and fake SES: paced, once, and never stuck for long."""

from contextlib import ExitStack
from datetime import timedelta
from itertools import pairwise

import pytest

from bouncer.environment import QUEUE_KEY
from bouncer.jobs.job import Job
from bouncer.jobs.job_json import to_json
from bouncer.jobs.reference import reference
from bouncer.sending.ledger import LedgerError
from bouncer.sending.queue import QueueError
from bouncer.sources.source import SourceError
from bouncer_sim.worker_driver import PatientQueue
from tests.functions.worker.line import Line


def test_a_batch_is_sent_in_order_a_second_apart(stack: ExitStack) -> None:
    """Ten jobs are ten bounces in order, none within a second of another; the queue is empty."""
    line = Line(stack)
    line.queue(*[f"m{number}" for number in range(12)])
    line.poll()
    line.poll()
    assert [bounce.original_message_id for bounce in line.ses.sent] == [f"m{n}" for n in range(12)]
    starts = [bounce.at for bounce in line.ses.sent]
    assert min(b - a for a, b in pairwise(starts)) >= 1.0
    assert line.outcomes == ["sent"] * 12
    assert line.failures == [0, 0]


def test_the_slot_is_over_when_the_worker_returns(stack: ExitStack) -> None:
    """The next invocation may start at once, in a new environment: the second is already over."""
    line = Line(stack)
    line.queue("m1")
    line.poll()
    assert line.clock.time() - line.ses.sent[0].at >= 1.0


def test_the_outcome_names_bounce_and_reference(stack: ExitStack) -> None:
    """The journal names SES's bounce with its reference and rules, and the time it took."""
    line = Line(stack)
    line.queue("m1")
    line.clock.sleep(30)
    line.poll()
    (sent,) = line.lines
    assert sent["bounce_id"] == line.ses.sent[0].message_id
    assert sent["reference"] == reference("m1", ["ann@example.com"])
    assert sent["rules"] == ["r"]
    assert sent["WaitTime"] == [30000]
    item = line.table.get_item(TableName="ledger", Key={"id": {"S": "m1 ann@example.com"}})["Item"]
    assert item["bounce_id"] == {"S": sent["bounce_id"]}
    assert int(item["expires"]["N"]) > line.clock.time() + 24 * 3600


def test_the_same_recipient_is_never_bounced_twice(stack: ExitStack) -> None:
    """A second job for the same mail skips who was answered, and is a duplicate when all were."""
    line = Line(stack)
    line.jobs.send(line.receive("m1", "ann@example.com"))
    line.jobs.send(line.receive("m1", "ann@example.com", "bob@example.com"))
    line.poll()
    line.jobs.send(line.receive("m1", "BOB@example.com"))
    line.poll()
    assert [bounce.recipients for bounce in line.ses.sent] == [
        ("ann@example.com",),
        ("bob@example.com",),
    ]
    assert line.outcomes == ["sent", "sent", "withheld"]
    assert line.lines[-1]["reason"] == "duplicate"


@pytest.mark.parametrize(
    ("settings", "age", "reason"),
    [
        (None, timedelta(hours=24), "expired"),
        (None, timedelta(hours=23, minutes=51), "expired"),
        ("expiry_margin: 7200", timedelta(hours=22, minutes=1), "expired"),
        ("sending: paused", timedelta(), "paused"),
        ("sending: paused", timedelta(hours=25), "expired"),
    ],
)
def test_the_gate_withholds_without_a_call(
    stack: ExitStack, settings: str | None, age: timedelta, reason: str
) -> None:
    """Expired and paused jobs end withheld, with their reason and without a SendBounce call."""
    line = Line(stack, settings=settings)
    line.jobs.send(line.receive("m1", age=age))
    line.poll()
    assert line.outcomes == ["withheld"]
    assert line.lines[0]["reason"] == reason
    assert not line.ses.calls
    assert "Item" not in line.table.get_item(
        TableName="ledger", Key={"id": {"S": "m1 ann@example.com"}}
    )


def test_a_refusal_is_an_outcome_and_delays_nobody(stack: ExitStack) -> None:
    """A bounce that SES refuses for good has failed; the next job follows a second later."""
    line = Line(stack)
    job = line.receive("gone")
    line.ses.forget("gone")
    line.jobs.send(job)
    line.queue("m2")
    line.poll()
    assert line.outcomes == ["failed", "sent"]
    assert "MessageRejected" in line.lines[0]["error"]
    assert line.failures == [0]
    assert "Item" not in line.table.get_item(
        TableName="ledger", Key={"id": {"S": "gone ann@example.com"}}
    )


def test_what_an_operator_can_mend_is_kept_and_redriven(stack: ExitStack) -> None:
    """A sender that lost its verification fails as a dead letter; redriven, it is sent once."""
    line = Line(stack)
    line.jobs.send(line.receive_unverified("m1"))
    line.queue("m2")
    line.poll()
    assert line.outcomes == ["failed", "sent"]
    assert line.failures == [0]
    (kept,) = line.dead_letters()
    line.ses.verify("example.org")
    line.sqs.send_message(
        QueueUrl=line.aws.environ[QUEUE_KEY],
        MessageBody=kept,
        MessageGroupId="bounces",
        MessageDeduplicationId="redriven",
    )
    line.poll()
    assert line.outcomes == ["failed", "sent", "sent"]
    assert [bounce.original_message_id for bounce in line.ses.sent] == ["m2", "m1"]


def test_a_dead_letter_that_cannot_be_kept_comes_again(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its claim was given up, so it is tried again when the queue can be reached."""

    def refuse(_: object) -> None:
        raise QueueError("down")

    line = Line(stack)
    line.jobs = PatientQueue(line.clock, line.sqs, *line.urls)
    line.jobs.send(line.receive_unverified("m1"))
    with monkeypatch.context() as patch:
        patch.setattr(line.jobs, "bury", refuse)
        line.poll()
    assert line.failures == [1]
    assert not line.outcomes
    line.poll()
    assert line.outcomes == ["failed"]
    assert len(line.dead_letters()) == 1


def test_a_claim_that_could_not_be_given_up_is_not_sent_again(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not known then whether it was sent; the journal names the stage."""

    def fail(_: object) -> None:
        raise LedgerError("down")

    line = Line(stack)
    job = line.receive_unverified("m1")
    line.jobs.send(job)
    with monkeypatch.context() as patch:
        patch.setattr(line.ledger, "release", fail)
        line.poll()
    assert [each.get("stage") for each in line.lines] == ["release", None]
    assert len(line.dead_letters()) == 1
    line.ses.verify("example.org")
    again = {"messageId": "2", "body": to_json(job), "attributes": {}}
    line.worker().handle([again], remaining_s=60)
    assert line.outcomes == ["failed", "withheld"]
    assert line.lines[-1]["reason"] == "duplicate"
    assert not line.ses.sent


def test_nothing_is_claimed_when_no_time_is_left_to_send(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow ledger hands the job back unclaimed: a claim cut short would lose the bounce."""
    line = Line(stack)
    line.jobs = PatientQueue(line.clock, line.sqs, *line.urls)
    line.queue("m1")
    read = line.ledger.answered

    def slow(job: Job) -> set[str]:
        line.clock.sleep(22)
        return read(job)

    with monkeypatch.context() as patch:
        patch.setattr(line.ledger, "answered", slow)
        line.poll()
    assert line.failures == [1]
    assert line.ledger.answered(line.receive("m1")) == set()
    line.poll()
    assert line.outcomes == ["sent"]


@pytest.mark.parametrize(
    ("text", "message"), [("sending: pause", "documents_invalid"), (None, "documents_stale")]
)
def test_settings_that_are_not_in_force_are_journalled(
    stack: ExitStack, text: str | None, message: str
) -> None:
    """An operator who mistypes a pause sees it in the journal, and so for an unreadable one."""
    line = Line(stack, settings="sending: on")
    worker = line.worker()
    line.worker = lambda: worker  # type: ignore[method-assign]  # the same environment again
    line.queue("m1")
    line.poll()
    line.clock.sleep(120)
    line.source.text = text
    line.source.error = None if text else SourceError("down")
    line.queue("m2")
    line.poll()
    assert line.outcomes == ["sent", "sent"]
    assert [each["message"] for each in line.lines] == ["sent", message, "sent"]
