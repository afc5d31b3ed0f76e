"""The worker over a real queue, ledger and fake SES: paced, once, and never stuck for long."""

import io
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)

from bouncer.environment import DEAD_LETTER_KEY, LEDGER_KEY, QUEUE_KEY
from bouncer.jobs.job import Job, Refusal
from bouncer.jobs.job_json import to_json
from bouncer.jobs.reference import reference
from bouncer.journal import Journal
from bouncer.operator_settings import Settings
from bouncer.sending import ses as sesapi
from bouncer.sending.ledger import Ledger, LedgerError
from bouncer.sending.pacer import Pacer
from bouncer.sending.queue import QueueError, WorkerQueue
from bouncer.sending.ses import Sender
from bouncer.sending.ses_errors import (
    DeadLetterError,
    RefusedError,
    ThrottledError,
    UnavailableError,
    UnknownOutcomeError,
)
from bouncer.sources.loader import Loader
from bouncer.sources.parameters import SettingsSource
from bouncer.sources.source import Document, Documents, SourceError
from bouncer.worker import RESERVE_S, Worker
from bouncer_sim.clock import SimulatedClock, now
from bouncer_sim.embedded_aws import PREFIX, embedded_aws
from bouncer_sim.event_source_mapping import EventSourceMapping
from bouncer_sim.fake_ses.faults import Fault, FaultKind, Faults
from bouncer_sim.fake_ses.server import FakeSes
from bouncer_sim.fake_ses.ses_account import ReceivedMail
from bouncer_sim.worker_driver import PatientQueue

START = datetime(2026, 11, 2, 8, tzinfo=UTC).timestamp()


class FixedSettings:
    """Settings as a test wants them."""

    def __init__(self, text: str | None) -> None:
        self.text = text
        self.error: SourceError | None = None

    def read(self) -> Documents:
        if self.error:
            raise self.error
        return Documents({}, Document("settings", self.text) if self.text else None)

    def earlier(self, name: str) -> tuple[()]:  # noqa: ARG002  # no history here
        return ()


class Line:
    """Queue, mapping, worker, ledger and fake SES with one simulated clock."""

    def __init__(
        self, stack: ExitStack, *plan: tuple[int, FaultKind], settings: str | None = None
    ) -> None:
        self.clock = SimulatedClock(START)
        faults = Faults(plan=tuple(Fault(call=call, kind=kind) for call, kind in plan))
        self.ses = stack.enter_context(
            FakeSes(verified=["example.com"], clock=self.clock.time, faults=faults)
        )
        self.aws = stack.enter_context(embedded_aws(self.ses.endpoint))
        self.sqs = boto3.client("sqs")
        self.table = boto3.client("dynamodb")
        self.urls = (self.aws.environ[QUEUE_KEY], self.aws.environ[DEAD_LETTER_KEY])
        self.jobs = WorkerQueue(self.sqs, *self.urls)
        self.ledger = Ledger(self.table, self.aws.environ[LEDGER_KEY])
        self.source = FixedSettings(settings)
        self.stream = io.StringIO()
        self.answers: list[Any] = []

    def worker(self) -> Worker:
        """A worker in a new environment: it remembers nothing of the last."""
        return Worker(
            loader=Loader(self.source, Settings(), now=self.clock.time),
            ledger=self.ledger,
            jobs=self.jobs,
            sender=Sender(self.client()),
            pacer=Pacer(now=self.clock.time, sleep=self.clock.sleep),
            outcomes=Journal("worker", "test", stream=self.stream),
            now=partial(now, self.clock),
            ticks=self.clock.time,
        )

    def client(self) -> Any:
        """A client of the fake SES, as the function makes it."""
        return boto3.client("ses", config=sesapi.CONFIG)

    def receive(self, message_id: str, *recipients: str, age: timedelta = timedelta()) -> Job:
        """SES receives a mail, and intake makes this job of it."""
        recipients = recipients or ("ann@example.com",)
        received_at = now(self.clock) - age
        mail = ReceivedMail(
            message_id=message_id,
            sender="eve@partner.example",
            recipients=recipients,
            received_at=received_at.timestamp(),
            headers=b"Subject: Hello",
        )
        self.ses.receive(mail)
        refusals = tuple(
            Refusal(
                recipient=name, rule="r", recipient_arn=None, bounce_type="DoesNotExist", dsn=None
            )
            for name in recipients
        )
        return Job(
            message_id=message_id,
            received_at=received_at,
            reference=reference(message_id, recipients),
            sender="eve@partner.example",
            bounce_sender="bounces@example.com",
            bounce_sender_arn=None,
            messages=(),
            reporting_mta="dns; mx.example.com",
            extension_fields=(),
            refusals=refusals,
        )

    def receive_unverified(self, message_id: str) -> Job:
        """A job whose bounce sender SES has not verified yet."""
        return replace(self.receive(message_id), bounce_sender="bounces@sub.example.org")

    def queue(self, *message_ids: str) -> None:
        for message_id in message_ids:
            self.jobs.send(self.receive(message_id))

    def poll(self, *, remaining_s: float = 60.0) -> None:
        """One round of the event source mapping, in a new environment."""

        def invoke(event: dict[str, Any]) -> object:
            answer = self.worker().handle(event["Records"], remaining_s=remaining_s, request_id="r")
            self.answers.append(answer)
            return answer

        arn = self.aws.queue_arn
        EventSourceMapping(self.sqs, self.aws.environ[QUEUE_KEY], arn, invoke).poll()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    @property
    def outcomes(self) -> list[str]:
        ends = ("sent", "withheld", "failed")
        return [line["message"] for line in self.lines if line["message"] in ends]

    @property
    def failures(self) -> list[int]:
        return [len(answer["batchItemFailures"]) for answer in self.answers]

    def dead_letters(self) -> list[str]:
        answer = self.sqs.receive_message(QueueUrl=self.aws.environ[DEAD_LETTER_KEY])
        return [message["Body"] for message in answer.get("Messages", [])]


JOB = Job(
    message_id="m1",
    received_at=datetime(2026, 11, 2, 8, tzinfo=UTC),
    reference=reference("m1", ["ann@example.com"]),
    sender="eve@partner.example",
    bounce_sender="bounces@example.com",
    bounce_sender_arn=None,
    messages=(),
    reporting_mta="dns; mx.example.com",
    extension_fields=(),
    refusals=(
        Refusal(
            recipient="ann@example.com",
            rule="r",
            recipient_arn=None,
            bounce_type="DoesNotExist",
            dsn=None,
        ),
    ),
)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Closes what a test opened."""
    with ExitStack() as opened:
        yield opened


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


@pytest.mark.parametrize("kind", [FaultKind.THROTTLE, FaultKind.UNAVAILABLE])
def test_what_ses_did_not_accept_is_tried_again_at_the_same_pace(
    stack: ExitStack, kind: FaultKind
) -> None:
    """A throttle or outage costs seconds: the job is sent then, once, and those behind follow."""
    line = Line(stack, (1, kind), (2, kind))
    line.queue("m1", "m2")
    line.poll()
    assert line.outcomes == ["sent", "sent"]
    assert [each["message"] for each in line.lines][:2] == ["retried", "retried"]
    assert [bounce.original_message_id for bounce in line.ses.sent] == ["m1", "m2"]
    assert min(b.at - a.at for a, b in pairwise(line.ses.calls)) >= 1.0
    assert line.clock.time() - START < 10


def test_a_long_outage_hands_the_rest_back(stack: ExitStack) -> None:
    """When time is nearly up, the job and all behind it come again soon and are sent once."""
    line = Line(stack, *[(call, FaultKind.UNAVAILABLE) for call in range(1, 12)])
    line.jobs = PatientQueue(line.clock, line.sqs, *line.urls)
    line.queue("m1", "m2", "m3")
    line.poll()
    assert line.failures == [3]
    assert not line.outcomes
    assert line.clock.time() - START < 65
    for _ in range(10):
        line.poll()
    # moto does not keep the order of a group once messages came back, as SQS does
    assert sorted(bounce.original_message_id for bounce in line.ses.sent) == ["m1", "m2", "m3"]
    assert line.outcomes == ["sent"] * 3
    assert min(b.at - a.at for a, b in pairwise(line.ses.calls)) >= 1.0


def test_handed_back_jobs_wait_for_seconds(stack: ExitStack) -> None:
    """They are not visible at once, and come back long before the visibility timeout is over."""
    line = Line(stack)
    line.source.error = SourceError("down")
    line.queue("m1")
    delays = []
    hand_back = line.jobs.hand_back

    def noting(records: Any, *, delay_s: int) -> None:
        delays.append(delay_s)
        hand_back(records, delay_s=delay_s)

    line.jobs.hand_back = noting  # type: ignore[method-assign]  # to see what the queue is asked for
    line.poll()
    assert delays == [5]
    assert "Messages" not in line.sqs.receive_message(QueueUrl=line.aws.environ[QUEUE_KEY])


@pytest.mark.parametrize(
    "kind", [FaultKind.TIMEOUT_BEFORE, FaultKind.TIMEOUT_AFTER, FaultKind.INTERNAL_ERROR]
)
def test_an_unknown_outcome_is_never_sent_again(stack: ExitStack, kind: FaultKind) -> None:
    """Without a clear answer a job has failed and stays claimed: rather a lost bounce than two."""
    line = Line(stack, (1, kind))
    line.queue("m1")
    line.poll()
    assert line.outcomes == ["failed"]
    assert "UnknownOutcomeError" in line.lines[0]["error"]
    line.clock.sleep(400)
    line.sqs.send_message(
        QueueUrl=line.aws.environ[QUEUE_KEY],
        MessageBody=to_json(line.receive("m1")),
        MessageGroupId="bounces",
        MessageDeduplicationId="once more",
    )
    line.poll()
    assert line.outcomes == ["failed", "withheld"]
    assert len(line.ses.sent) == (1 if kind is FaultKind.TIMEOUT_AFTER else 0)


def test_a_crash_between_claim_and_answer_sends_nothing_again(stack: ExitStack) -> None:
    """A job delivered again after a crash finds its own claim and is withheld."""
    line = Line(stack)
    job = line.receive("m1")
    line.ledger.claim(job, now=now(line.clock), claimant="crashed invocation")
    line.jobs.send(job)
    line.poll()
    assert line.outcomes == ["withheld"]
    assert not line.ses.calls


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "Throttling", ThrottledError),
        (400, "RequestLimitExceeded", ThrottledError),
        (429, "", ThrottledError),
        (503, "ServiceUnavailable", UnavailableError),
        (400, "RequestTimeTooSkewed", UnavailableError),
        (403, "ExpiredToken", UnavailableError),
        (500, "InternalFailure", UnknownOutcomeError),
        (500, "", UnknownOutcomeError),
        (502, "", UnknownOutcomeError),
        (504, "", UnknownOutcomeError),
        (400, "MessageRejected", RefusedError),
        (400, "InvalidParameterValue", RefusedError),
        (403, "AccessDenied", DeadLetterError),
        (400, "MailFromDomainNotVerifiedException", DeadLetterError),
    ],
)
def test_what_an_answer_of_ses_means(status: int, code: str, kind: type[Exception]) -> None:
    """Not accepted, refused for good, or not known: the three lead to different ends."""
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    with pytest.raises(kind):
        Sender(Failing(ClientError(cast("Any", answer), "SendBounce"))).send(JOB)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (
            "Email address is not verified. The following identities failed the check",
            DeadLetterError,
        ),
        ("Email address not verified x@example.com", DeadLetterError),
        ("Sending paused for this account. For more information, please check", UnavailableError),
        ("Sending suspended for this account.", UnavailableError),
        ("Account is paused", UnavailableError),
        ("Email sending for the account is paused.", UnavailableError),
        ('Illegal address: "sending paused"@evil.example', RefusedError),
        ('"Sending paused"@evil.example is no address', RefusedError),
        ('Invalid recipient "email address is not verified"@evil.example', RefusedError),
    ],
)
def test_what_a_stranger_wrote_does_not_speak_for_ses(said: str, kind: type[Exception]) -> None:
    """An address that reads like a pause must not hold up the queue for a day."""
    answer = {
        "Error": {"Code": "MessageRejected", "Message": said},
        "ResponseMetadata": {"HTTPStatusCode": 400},
    }
    with pytest.raises(kind) as raised:
        Sender(Failing(ClientError(cast("Any", answer), "SendBounce"))).send(JOB)
    assert raised.type is kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (EndpointConnectionError(endpoint_url="x"), UnavailableError),
        (ConnectTimeoutError(endpoint_url="x"), UnavailableError),
        (SSLError(endpoint_url="x", error=OSError("EOF in the answer")), UnknownOutcomeError),
        (ReadTimeoutError(endpoint_url="x"), UnknownOutcomeError),
        (ConnectionClosedError(endpoint_url="x"), UnknownOutcomeError),
    ],
)
def test_what_a_broken_connection_means(error: Exception, kind: type[Exception]) -> None:
    """Only a connection that was never made says that SES did not accept."""
    with pytest.raises(kind):
        Sender(Failing(error)).send(JOB)


class Failing:
    """An SES client whose call fails."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def send_bounce(self, **_: object) -> dict[str, str]:
        raise self.error

    def close(self) -> None:
        raise AssertionError


def test_jobs_the_queue_would_not_hand_back_are_journalled(stack: ExitStack) -> None:
    """An answer of 200 may still name records that stay invisible: that is journalled."""
    line = Line(stack)
    record = {"messageId": "m", "receiptHandle": "gone", "body": "{}", "attributes": {}}
    line.source.error = SourceError("down")
    line.worker().handle([record], remaining_s=60.0)
    assert [each["message"] for each in line.lines] == ["handed_back", "worker_failed"]


def test_an_unreadable_job_is_moved_out_of_the_way(stack: ExitStack) -> None:
    """It goes whole to the dead-letter queue and those behind it are sent."""
    line = Line(stack)
    line.sqs.send_message(
        QueueUrl=line.aws.environ[QUEUE_KEY],
        MessageBody='{"v": 99}',
        MessageGroupId="bounces",
        MessageDeduplicationId="odd",
    )
    line.queue("m2")
    line.poll()
    assert [each["message"] for each in line.lines] == ["unreadable_job", "sent"]
    assert line.dead_letters() == ['{"v": 99}']
    assert line.failures == [0]


def test_without_the_ledger_nothing_is_sent(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the ledger can't be asked, the batch goes back and no call is made."""
    line = Line(stack)
    line.queue("m1", "m2")

    def down(job: Job) -> set[str]:
        raise LedgerError(f"down for {job.reference}")

    monkeypatch.setattr(line.ledger, "answered", down)
    line.poll()
    assert line.failures == [2]
    assert not line.ses.calls
    assert line.lines[0]["message"] == "handed_back"


def test_without_settings_nothing_is_sent(stack: ExitStack) -> None:
    """When it can't be known whether sending is paused, the batch goes back."""
    line = Line(stack)
    line.source.error = SourceError("ssm is down")
    line.queue("m1")
    line.poll()
    assert line.failures == [1]
    assert not line.ses.calls


def test_no_call_starts_without_time_to_finish(stack: ExitStack) -> None:
    """An invocation about to end hands everything back instead of being killed in a call."""
    line = Line(stack)
    line.queue("m1")
    line.poll(remaining_s=RESERVE_S - 1)
    assert line.failures == [1]
    assert not line.ses.calls
    assert "Item" not in line.table.get_item(
        TableName="ledger", Key={"id": {"S": "m1 ann@example.com"}}
    )


def test_a_claim_that_fails_half_way_is_given_up(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the second recipient can't be claimed, the first is free again for the next try."""
    line = Line(stack)
    job = line.receive("m1", "ann@example.com", "bob@example.com")
    one = line.ledger._claim_one  # noqa: SLF001  # to fail at the second

    def failing(job: Job, recipient: str, at: datetime, claimant: str) -> bool:
        if recipient == "bob@example.com":
            raise LedgerError("down")
        return one(job, recipient, at, claimant)

    monkeypatch.setattr(line.ledger, "_claim_one", failing)
    with pytest.raises(LedgerError):
        line.ledger.claim(job, now=now(line.clock), claimant="c")
    assert line.ledger.answered(job) == set()


def test_a_repeated_claim_request_does_not_meet_itself(stack: ExitStack) -> None:
    """The SDK may repeat a request whose answer was lost: the claimant still holds its claim."""
    line = Line(stack)
    job = line.receive("m1")
    assert line.ledger.claim(job, now=now(line.clock), claimant="a") == set()
    assert line.ledger.claim(job, now=now(line.clock), claimant="a") == set()
    assert line.ledger.claim(job, now=now(line.clock), claimant="b") == {"ann@example.com"}


def test_the_worker_reads_its_settings_parameter_alone(stack: ExitStack) -> None:
    """The kill switch works through SSM; no parameter at all means the defaults."""
    line = Line(stack)
    ssm = boto3.client("ssm")
    loader = Loader(SettingsSource(ssm, PREFIX), Settings(cache_s=0), now=line.clock.time)
    assert loader.load().settings.sending
    ssm.put_parameter(Name=f"{PREFIX}/settings", Value="sending: paused\ncache: 0", Type="String")
    assert not loader.load().settings.sending
