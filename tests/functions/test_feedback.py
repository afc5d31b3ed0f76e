"""The feedback function: every event is settled, waits for its bounce, or is reported."""

import json
from collections.abc import Iterator
from contextlib import ExitStack

import boto3
import pytest

from bouncer import feedback
from bouncer.environment import BUCKET_KEY, LEDGER_KEY, PREFIX_KEY, REGION_KEY, SENDERS_KEY
from bouncer.feedback import LOOKED_UP_S
from bouncer.operator_settings import Settings
from bouncer.publishing.revision_store import RevisionStore
from bouncer.sending.bounce_event import Kind
from bouncer.sources.pointer import Pointer
from tests.functions.feedback_line import FeedbackLine
from tests.functions.worker.bounce_fates import event_text
from tests.functions.worker.lone_worker import TOGETHER, LoneWorker, refusal


@pytest.fixture
def line() -> Iterator[FeedbackLine]:
    with ExitStack() as stack:
        yield FeedbackLine(stack)


@pytest.mark.parametrize(
    ("kind", "metric"),
    [
        (Kind.PERMANENT, "DoubleBounces"),
        (Kind.TRANSIENT, "TransientBounces"),
        (Kind.COMPLAINT, "Complaints"),
    ],
)
def test_what_became_of_our_bounces_is_reported(
    line: FeedbackLine, kind: Kind, metric: str
) -> None:
    """By the id that the worker's line has, too; without an address."""
    line.lone.deliver(line.lone.job())
    assert line.hand(event_text("bounce-1", kind)) == []
    (said,) = line.lines
    assert (said["message"], said["bounce_id"], said["kind"]) == (
        "bounce_bounced",
        "bounce-1",
        kind,
    )
    assert said[metric] == [1]
    assert "@" not in json.dumps(said)


def test_an_event_that_comes_again_is_counted_as_repeated(line: FeedbackLine) -> None:
    """EventBridge and SQS both deliver at least once."""
    line.lone.deliver(line.lone.job())
    body = event_text("bounce-1", Kind.PERMANENT)
    assert line.hand(body, body) == []
    assert line.said == ["bounce_bounced", "event_repeated"]


def test_events_of_other_mail_are_ignored(line: FeedbackLine) -> None:
    """The bus has the events of all mail of the account."""
    assert line.hand(event_text("0102-x", Kind.PERMANENT, source="shop@example.com")) == []
    assert line.said == ["event_ignored"]
    assert line.lines[0]["IgnoredEvents"] == [1]


def test_an_event_that_is_early_waits_for_its_bounce(line: FeedbackLine) -> None:
    """The worker may note its bounce minutes after SES took it; for 15 minutes it is asked for."""
    body = event_text("bounce-1", Kind.PERMANENT)
    assert line.hand(body, queued_s=LOOKED_UP_S - 1) == ["e1"]
    line.lone.deliver(line.lone.job())
    assert line.hand(body, queued_s=LOOKED_UP_S - 1) == []
    assert line.said == ["event_waits", "bounce_bounced"]


def test_an_event_of_our_sender_whose_bounce_never_comes_is_ignored(line: FeedbackLine) -> None:
    """Somebody else sends from the same address."""
    assert line.hand(event_text("0102-x", Kind.PERMANENT), queued_s=LOOKED_UP_S) == []
    assert line.said == ["event_ignored"]


def test_one_event_does_not_hold_up_the_others(line: FeedbackLine) -> None:
    """An event that can't be read is reported and dropped; one that fails comes again, alone."""
    line.lone.deliver(line.lone.job())
    line.lone.table.fail(TOGETHER, "before", times=2)
    bodies = ("{}", event_text("bounce-1", Kind.COMPLAINT), event_text("x", Kind.PERMANENT, "x@y"))
    assert line.hand(*bodies) == ["e2"]
    assert line.said == ["unreadable_event", "feedback_failed", "event_ignored"]
    assert line.lines[1]["FeedbackErrors"] == [1]
    assert line.hand(*bodies[1:2]) == []
    assert line.said[-1] == "bounce_bounced"


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_lost_answer_loses_no_line_and_no_count(line: FeedbackLine, moment: str) -> None:
    """The write is made again as the same request, so it is known to be ours."""
    line.lone.deliver(line.lone.job())
    line.lone.table.fail(TOGETHER, moment)
    body = event_text("bounce-1", Kind.PERMANENT)
    assert line.hand(body, body) == []
    assert line.said == ["bounce_bounced", "event_repeated"]
    assert line.lines[0]["DoubleBounces"] == [1]


def test_a_write_that_is_refused_for_good_is_not_made_again(line: FeedbackLine) -> None:
    """Another call would change nothing; the event comes again."""
    line.lone.deliver(line.lone.job())
    before = line.lone.table.calls.count(TOGETHER)
    line.lone.table.fail(TOGETHER, "before", error=refusal("AccessDeniedException"))
    assert line.hand(event_text("bounce-1", Kind.PERMANENT)) == ["e1"]
    assert line.lone.table.calls.count(TOGETHER) == before + 1


@pytest.mark.parametrize(
    "answer",
    [refusal("ResourceNotFoundException"), refusal("AccessDeniedException"), ValueError("odd")],
)
def test_an_error_brings_the_event_again(line: FeedbackLine, answer: Exception) -> None:
    """Nothing is lost while the ledger is away; the alarm feedback-errors says so."""
    line.lone.table.fail("batch_get_item", "before", error=answer)
    assert line.hand(event_text("bounce-1", Kind.PERMANENT)) == ["e1"]
    assert line.said == ["feedback_failed"]


def test_keys_that_dynamodb_did_not_process_are_not_unknown(line: FeedbackLine) -> None:
    """They are asked for again when the event comes again."""
    line.lone.deliver(line.lone.job())
    line.lone.table.unprocessed = 1
    body = event_text("bounce-1", Kind.PERMANENT)
    assert line.hand(body) == ["e1"]
    assert line.hand(body) == []
    assert line.said == ["feedback_failed", "bounce_bounced"]


def test_the_deployed_function_reads_its_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The handler works with boto3's own client and the keys that the stack sets."""

    class Context:
        aws_request_id = "r1"

    with ExitStack() as stack:
        lone = LoneWorker(stack)
        monkeypatch.setenv(PREFIX_KEY, "/ses-auto-bouncer/main")
        monkeypatch.setenv(LEDGER_KEY, lone.name)
        monkeypatch.setenv(SENDERS_KEY, "bounces@example.com")
        monkeypatch.setenv(REGION_KEY, "us-east-1")
        monkeypatch.setenv(BUCKET_KEY, "rules-bucket")
        boto3.client("s3").create_bucket(Bucket="rules-bucket")
        store = RevisionStore(boto3.client("s3"), "rules-bucket")
        store.move(Pointer("", Settings()), "")
        lone.deliver(lone.job())
        record = {"messageId": "e1", "body": event_text("bounce-1", Kind.PERMANENT)}
        feedback._feedback.cache_clear()  # noqa: SLF001  # a new environment
        assert feedback.handler({"Records": [record]}, Context()) == {"batchItemFailures": []}
        keys = [
            each["id"]["S"] for each in boto3.client("dynamodb").scan(TableName=lone.name)["Items"]
        ]
    feedback._feedback.cache_clear()  # noqa: SLF001  # a new environment
    assert [key for key in keys if key.startswith("suppressed#")]
    said = json.loads(capsys.readouterr().out)
    assert (said["deployment"], said["service"], said["message"]) == (
        "main",
        "feedback",
        "bounce_bounced",
    )


@pytest.mark.threat
@pytest.mark.parametrize(
    "body", ['{"to": "ann.smith@example.com"}', "ann.smith@example.com", "<ann.smith@example.com>"]
)
def test_no_line_names_a_person(line: FeedbackLine, body: str) -> None:
    """Addresses in what it quotes of a message are masked, whatever the settings say."""
    line.hand(body)
    assert line.said == ["unreadable_event"]
    assert "ann.smith" not in line.stream.getvalue()
    assert "a***@example.com" in line.stream.getvalue()
