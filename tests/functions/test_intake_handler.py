"""The intake's handler works with AWS, a wrong environment and little time."""

import gc
import json
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from bouncer import intake
from bouncer.environment import MAIL_BUCKET_KEY, MAIL_PREFIX_KEY, REPLY_QUEUE_KEY
from bouncer.jobs.job_json import from_json
from bouncer.operator_settings import Settings
from bouncer.publishing.list_forms import FormsInMemory
from bouncer.publishing.publication import publication
from bouncer.publishing.revision_store import RevisionStore
from bouncer.sources.source import Document, Documents
from tests.embedded_aws import BUCKET, EmbeddedAws, embedded_aws
from tests.front import KEY, SECRET, behind, front, objects_through_boto3, through_boto3
from tests.functions.intake_events import REJECT, event

CONTEXT = SimpleNamespace(aws_request_id="r1", get_remaining_time_in_millis=lambda: 20_000)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedAws]:
    """The deployed function's surroundings, in this process."""
    with (
        embedded_aws() as embedded,
        front(through_boto3) as (endpoint, _),
        front(objects_through_boto3) as (objects, _),
    ):
        keys = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
        for key, value in {**embedded.environ, **keys}.items():
            monkeypatch.setenv(key, value)
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", objects)
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", endpoint)
        intake._intake.cache_clear()  # noqa: SLF001  # a new environment
        yield embedded
        intake._intake.cache_clear()  # noqa: SLF001
    gc.collect()  # the connections of this test, and not in another one


def published(rules: dict[str, str]) -> str:
    """Put rules in force; return their revision."""
    documents = Documents(
        {name: Document(name, text) for name, text in rules.items()},
        Document("settings", "bounce_sender: b@example.com"),
    )
    found = publication(
        documents, None, defaults=Settings(), now=datetime.now(UTC), forms=FormsInMemory()
    )
    store = RevisionStore(behind("s3"), BUCKET)
    store.keep(found.revision)
    store.move(found.pointer, "")
    return found.pointer.revision


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # a function keeps its connections
def test_the_deployed_handler_works_with_aws(
    aws: EmbeddedAws, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the environment's keys alone: rules from S3, and a job on the FIFO queue."""
    revision = published({"000-other": "when: {subject: x}\ndrop: {}", "900-departed": REJECT})
    assert intake.handler(event(), CONTEXT) == {"disposition": "STOP_RULE_SET"}
    messages = behind("sqs").receive_message(QueueUrl=aws.environ["BOUNCER_QUEUE_URL"])["Messages"]
    job = from_json(messages[0]["Body"])
    assert job.bounce_sender == "b@example.com"
    line = json.loads(capsys.readouterr().out)
    assert (line["Queued"], line["revision"]) == ([1], revision)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # as above
@pytest.mark.parametrize(("left_s", "unknown"), [(20, []), (8, ["000-offers"])])
def test_a_content_is_read_only_while_time_is_left_to_parse_it(
    left_s: int,
    unknown: list[str],
    aws: EmbeddedAws,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A hostile one takes 5 s there; the other calls go on, and the mail is bounced by them."""
    assert aws.environ
    monkeypatch.setenv(MAIL_BUCKET_KEY, BUCKET)
    monkeypatch.setenv(MAIL_PREFIX_KEY, "mail/")
    behind("s3").put_object(Bucket=BUCKET, Key="mail/m1", Body=b"From: eve\r\n\r\nHello")
    published({"000-offers": "when: {body: Offer}\ndrop: {}", "900-departed": REJECT})
    context = SimpleNamespace(
        aws_request_id="r1", get_remaining_time_in_millis=lambda: left_s * 1000
    )
    assert intake.handler(event(), context) == {"disposition": "STOP_RULE_SET"}
    written = map(json.loads, capsys.readouterr().out.splitlines())
    lines = {line["message"]: line for line in written}
    assert lines["mail"].get("unknown", []) == unknown
    assert ("copy_failed" in lines) is bool(unknown)


def test_the_handler_survives_a_wrong_environment(
    aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A missing key lets mail through, and the line names the key."""
    assert aws.environ
    monkeypatch.delenv("BOUNCER_QUEUE_URL")
    assert intake.handler(event(), CONTEXT) == {"disposition": "CONTINUE"}
    assert "BOUNCER_QUEUE_URL" in json.loads(capsys.readouterr().out)["error"]


def test_the_handler_answers_before_its_time_is_up(
    aws: EmbeddedAws, capsys: pytest.CaptureFixture[str]
) -> None:
    """With no time left AWS is not asked; the mail goes on, and the line says why."""
    assert aws.environ
    hurried = SimpleNamespace(aws_request_id="r1", get_remaining_time_in_millis=lambda: 3_000)
    assert intake.handler(event(), hurried) == {"disposition": "CONTINUE"}
    line = json.loads(capsys.readouterr().out)
    assert (line["stage"], line["request_id"]) == ("rules", "r1")
    assert "ReadTimeoutError" in line["error"]


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # as above
def test_a_silent_queue_of_replies_delays_the_mail_a_little(
    aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All replies of a mail share a short time, and the mail goes on as it was decided."""
    rule = "when: {{recipient: {}@example.com}}\nreply: {{from: no-reply@example.com, text: Gone.}}"
    published({name: rule.format(name) for name in ("ann", "bob")})
    headers = [
        {"name": "From", "value": "Eve <eve@partner.example>"},
        {"name": "To", "value": "ann@example.com, bob@example.com"},
    ]
    monkeypatch.setattr(intake, "REPLYING_S", 0.3)
    monkeypatch.setenv(REPLY_QUEUE_KEY, aws.environ["BOUNCER_QUEUE_URL"])
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", f"http://127.0.0.1:{port}")
        begun = time.monotonic()
        mail = event("ann@example.com", "bob@example.com", headers=headers)
        assert intake.handler(mail, CONTEXT) == {"disposition": "CONTINUE"}
        assert time.monotonic() - begun < 3
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [each["queue_answer"] for each in line["replies"]] == ["unknown", "refused"]
