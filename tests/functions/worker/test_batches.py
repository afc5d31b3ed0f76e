"""The worker over a real queue, ledger and fake SES: paced, once, and never stuck for long."""

from contextlib import ExitStack
from datetime import timedelta
from itertools import pairwise

import pytest

from bouncer.jobs.job import Job
from bouncer.jobs.job_json import from_json
from bouncer.jobs.reference import reference
from bouncer.sending.counters import Counters
from bouncer.sending.ledger import Reading
from bouncer.sending.ledger_errors import LedgerError
from bouncer.sending.queue import ORIGIN, QueueError
from bouncer.sources.source import SourceError
from tests.functions.worker.line import START, Line
from tests.functions.worker.patient_queue import PatientQueue


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


def test_another_environment_waits_a_second_and_the_same_one_goes_on(stack: ExitStack) -> None:
    """Nothing is held at the end; the lease says whose the last slot was, and until when."""
    line = Line(stack)
    worker = line.worker()
    line.queue("m1", "m2")
    line.poll()
    first = line.clock.time()
    assert first == line.ses.sent[-1].at
    line.queue("m3")
    line.poll()
    assert line.ses.sent[-1].at - first >= 1.0
    line.clock.sleep(66)
    line.queue("m4")
    idle = line.clock.time()
    line.poll()
    assert line.ses.sent[-1].at == idle
    assert worker is not line.worker()


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
    item = line.items()["job"]
    assert item["bounce_id"] == {"S": sent["bounce_id"]}
    assert item["id"] == {"S": f"job#{sent['record']}"}
    assert item["reference"] == {"S": sent["reference"]}
    assert int(item["expires"]["N"]) > line.clock.time() + 24 * 3600


@pytest.mark.threat
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
        ("sending: paused", timedelta(hours=25), "expired"),
    ],
)
def test_the_gate_withholds_without_a_call(
    stack: ExitStack, settings: str | None, age: timedelta, reason: str
) -> None:
    """Expired jobs end withheld, also while sending is held, without a SendBounce call."""
    line = Line(stack, settings=settings)
    line.jobs.send(line.receive("m1", age=age))
    line.poll()
    assert line.outcomes == ["withheld"]
    assert line.lines[0]["reason"] == reason
    assert not line.ses.calls
    assert not line.claimed


def test_jobs_wait_while_sending_is_held(stack: ExitStack) -> None:
    """They go back for two minutes at a time, are counted as held, and are sent afterwards."""
    line = Line(stack, settings="sending: paused")
    line.jobs = PatientQueue(line.clock, line.sqs, *line.urls)
    line.queue("m1", "m2")
    began = line.clock.time()
    line.poll()
    assert line.clock.time() - began == 120
    assert line.failures == [2]
    (held,) = line.lines
    assert (held["message"], held["Held"]) == ("handed_back", [2])
    assert "HandedBack" not in held
    assert not line.claimed
    line.source.text = "sending: on"
    line.poll()
    assert line.outcomes == ["sent", "sent"]


def test_held_jobs_end_when_they_expire(stack: ExitStack) -> None:
    """For a day they only wait; then they are withheld as expired, each of them."""
    line = Line(stack, settings="sending: paused")
    line.jobs = PatientQueue(line.clock, line.sqs, *line.urls)
    line.queue("m1", "m2")
    while not line.outcomes and line.clock.time() < START + 2 * 86400:
        line.poll()
    assert line.outcomes == ["withheld", "withheld"]
    assert {each["reason"] for each in line.lines[-2:]} == {"expired"}
    assert 86400 - 600 <= line.clock.time() - START < 86400 - 600 + 150
    assert not line.ses.calls


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
    assert line.lines[0]["reason"] == "refused"
    assert line.failures == [0]


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
    line.put(kept)
    line.poll()
    assert line.outcomes == ["failed", "sent", "sent"]
    assert [bounce.original_message_id for bounce in line.ses.sent] == ["m2", "m1"]


def test_a_dead_letter_that_the_queue_refuses_is_kept_in_the_ledger(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds up no other job; its body can still be put back."""

    def refuse(_: object) -> None:
        raise QueueError("down")

    line = Line(stack)
    line.jobs.send(line.receive_unverified("m1"))
    line.queue("m2")
    monkeypatch.setattr(line.jobs, "bury", refuse)
    line.poll()
    assert line.failures == [0]
    assert line.outcomes == ["failed", "sent"]
    assert [each.get("stage") for each in line.lines] == [None, "bury", None]
    bodies = [item["body"]["S"] for item in line.jobs_items() if "body" in item]
    assert [from_json(body).message_id for body in bodies] == ["m1"]


def test_a_dead_letter_that_nobody_keeps_comes_again(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its end stands and is reported once more, with `again`, when it is put away at last."""

    def refuse(*_: object) -> None:
        raise QueueError("down")

    def fail(*_: object) -> None:
        raise LedgerError("down")

    line = Line(stack)
    line.jobs = PatientQueue(line.clock, line.sqs, *line.urls)
    line.jobs.send(line.receive_unverified("m1"))
    with monkeypatch.context() as patch:
        patch.setattr(line.jobs, "bury", refuse)
        patch.setattr(line.ledger, "keep_body", fail)
        line.poll()
    assert line.failures == [1]
    assert line.outcomes == ["failed"]
    line.poll()
    assert line.outcomes == ["failed", "failed"]
    assert line.lines[-1]["again"] is True
    assert line.lines[-1]["Repeated"] == [1]
    assert "Failed" not in line.lines[-1]
    assert len(line.dead_letters()) == 1
    assert len(line.ses.calls) == 1


def test_a_dead_letter_has_its_origin_and_a_group_of_its_own(stack: ExitStack) -> None:
    """All can be listed, and the ledger's item of each can be found."""
    line = Line(stack)
    for number in range(12):
        line.put(f"no job {number}", f"odd {number}")
    line.poll()
    line.poll()
    answer = [
        message
        for _ in range(3)
        for message in line.sqs.receive_message(
            QueueUrl=line.urls[1],
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        ).get("Messages", [])
    ]
    assert len({message["Attributes"]["MessageGroupId"] for message in answer}) == 12
    origins = {message["MessageAttributes"][ORIGIN]["StringValue"] for message in answer}
    assert {f"job#{origin}" for origin in origins} == {
        item["id"]["S"] for item in line.jobs_items()
    }


def test_nothing_is_claimed_when_no_time_is_left_to_send(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow ledger hands the job back unclaimed: a claim cut short would lose the bounce."""
    line = Line(stack)
    line.jobs = PatientQueue(line.clock, line.sqs, *line.urls)
    line.queue("m1")
    read = line.ledger.read

    def slow(record_id: str, job: Job, mine: Counters, *, sender: str) -> Reading:
        line.clock.sleep(31)
        return read(record_id, job, mine, sender=sender)

    with monkeypatch.context() as patch:
        patch.setattr(line.ledger, "read", slow)
        line.poll()
    assert line.failures == [1]
    assert not line.claimed
    line.poll()
    assert line.outcomes == ["sent"]


def test_settings_that_are_not_in_force_are_journalled(stack: ExitStack) -> None:
    """An operator sees in the journal that the worker could not read a change."""
    line = Line(stack, settings="sending: on")
    worker = line.worker()
    line.worker = lambda: worker  # type: ignore[method-assign]  # the same environment again
    line.queue("m1")
    line.poll()
    line.clock.sleep(120)
    line.source.error = SourceError("down")
    line.queue("m2")
    line.poll()
    assert line.outcomes == ["sent", "sent"]
    assert [each["message"] for each in line.lines] == ["sent", "documents_stale", "sent"]
