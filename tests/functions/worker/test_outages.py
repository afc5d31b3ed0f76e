"""A refusal by SES, queue, ledger or settings loses no bounce and doubles none."""

from contextlib import ExitStack
from datetime import UTC, datetime
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

from bouncer.environment import QUEUE_KEY
from bouncer.function_limits import WORKER_TIMEOUT_S
from bouncer.jobs.job import Job, Refusal
from bouncer.jobs.job_json import to_json
from bouncer.jobs.reference import reference
from bouncer.operator_settings import Settings
from bouncer.sending.counters import Counters
from bouncer.sending.ledger import Reading
from bouncer.sending.ledger_errors import LedgerError
from bouncer.sending.ses import Sender
from bouncer.sending.ses_errors import (
    DeadLetterError,
    RefusedError,
    ThrottledError,
    UnavailableError,
    UnknownOutcomeError,
)
from bouncer.sources.parameters import SettingsSource
from bouncer.sources.source import Documents, SourceError
from bouncer.worker import RESERVE_S
from bouncer_sim.document_bucket import document_loader
from bouncer_sim.fake_ses.faults import FaultKind
from tests.embedded_aws import PREFIX
from tests.functions.worker.line import START, Line
from tests.functions.worker.patient_queue import PatientQueue

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
    assert line.lines[0]["reason"] == "unknown"
    assert line.lines[0]["Failed_unknown"] == [1]
    line.clock.sleep(400)
    line.put(to_json(line.receive("m1")))
    line.poll()
    assert line.outcomes == ["failed", "withheld"]
    assert len(line.ses.sent) == (1 if kind is FaultKind.TIMEOUT_AFTER else 0)


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


@pytest.mark.threat
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


def test_jobs_the_queue_would_not_hand_back_are_journalled(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer of 200 may still name records that stay invisible: that is journalled."""
    line = Line(stack)
    record = {"messageId": "m", "receiptHandle": "gone", "body": "{}", "attributes": {}}
    line.source.error = SourceError("down")
    monkeypatch.setattr(line.jobs, "renew", lambda *_, **__: None)
    line.worker().handle([record], remaining_s=60.0)
    assert [each["message"] for each in line.lines] == ["handed_back", "worker_failed"]


def test_a_batch_whose_receipts_are_refused_is_left_alone(stack: ExitStack) -> None:
    """Its visibility timeout is over, so another invocation may have it: nothing is touched."""
    line = Line(stack)
    record = {"messageId": "m", "receiptHandle": "gone", "body": "{}", "attributes": {}}
    answer = line.worker().handle([record], remaining_s=60.0)
    assert [each["message"] for each in line.lines] == ["stale_batch"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m"}]}
    assert not line.jobs_items()
    line.queue("m1")
    line.poll()
    assert line.outcomes == ["sent"]  # the lease was given back


@pytest.mark.threat
def test_an_unreadable_job_is_moved_out_of_the_way(stack: ExitStack) -> None:
    """It goes whole to the dead-letter queue and those behind it are sent."""
    line = Line(stack)
    line.put('{"v": 99}', "odd")
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

    def down(_: str, job: Job, mine: Counters, *, sender: str) -> Reading:  # noqa: ARG001
        raise LedgerError(f"down for {job.reference}")

    monkeypatch.setattr(line.ledger, "read", down)
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


def test_no_call_starts_without_time_to_finish(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An invocation about to end hands everything back instead of being killed in a call."""
    line = Line(stack)
    line.queue("m1")
    read = line.source.read

    def slow() -> Documents:
        line.clock.sleep(WORKER_TIMEOUT_S - RESERVE_S + 1)
        return read()

    monkeypatch.setattr(line.source, "read", slow)
    line.poll()
    assert line.failures == [1]
    assert not line.ses.calls
    assert not line.jobs_items()


def test_the_worker_reads_its_settings_parameter_alone(stack: ExitStack) -> None:
    """The kill switch works through SSM; no parameter at all means the defaults."""
    line = Line(stack)
    ssm = boto3.client("ssm")
    loader = document_loader(SettingsSource(ssm, PREFIX), Settings(cache_s=0), now=line.clock.time)
    assert loader.load().settings.sending
    ssm.put_parameter(Name=f"{PREFIX}/settings", Value="sending: paused\ncache: 0", Type="String")
    assert not loader.load().settings.sending
