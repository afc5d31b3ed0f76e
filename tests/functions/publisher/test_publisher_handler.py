"""The publisher's handler: what each event asks for, and who gets an answer."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from bouncer import publisher
from bouncer.function_limits import PUBLISHER_TIMEOUT_S
from bouncer.publishing.publication import PublishingError
from bouncer.sources.pointer import POINTER_KEY, Pointer, read_pointer
from tests.embedded_aws import BUCKET, PREFIX, EmbeddedAws, embedded_aws

CONTEXT = SimpleNamespace(
    aws_request_id="r1", get_remaining_time_in_millis=lambda: PUBLISHER_TIMEOUT_S * 1000
)
SETTINGS = {"publish": "settings"}
EVERYTHING = {"publish": "everything"}
CHANGED = {
    "detail-type": "Parameter Store Change",
    "source": "aws.ssm",
    "detail": {"operation": "Update", "name": f"{PREFIX}/rules/a", "type": "String"},
}
BATCH = {"Records": [{"messageId": "1", "body": json.dumps(CHANGED), "eventSource": "aws:sqs"}]}


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedAws]:
    """The deployed function's surroundings, in this process."""
    with embedded_aws() as embedded:
        for key, value in embedded.environ.items():
            monkeypatch.setenv(key, value)
        publisher._publisher.cache_clear()  # noqa: SLF001  # a new environment
        yield embedded
        publisher._publisher.cache_clear()  # noqa: SLF001


def put(name: str, text: str) -> None:
    boto3.client("ssm").put_parameter(
        Name=f"{PREFIX}/{name}", Value=text, Type="String", Overwrite=True
    )


def pointer() -> Pointer:
    answer = boto3.client("s3").get_object(Bucket=BUCKET, Key=POINTER_KEY)
    return read_pointer(answer["Body"].read())


def test_the_command_gets_what_is_in_force() -> None:
    """The revision, its serial, and the problems of refused documents."""
    put("rules/a", "dorp: {}")
    answer = publisher.handler(EVERYTHING, CONTEXT)
    assert answer is not None
    found = pointer()
    assert (answer["revision"], answer["serial"]) == (found.revision, found.serial)
    assert answer["problems"] == {"rules/a": list(found.problems["rules/a"])}
    assert json.loads(json.dumps(answer)) == answer


def test_a_batch_of_changes_publishes_rules_and_a_schedule_settings() -> None:
    """Parameters are read again, all of them, and not what the batch says of them."""
    publisher.handler(EVERYTHING, CONTEXT)
    empty = pointer().revision
    put("rules/a", "drop: {}")
    put("settings", "mode: shadow")
    publisher.handler(SETTINGS, CONTEXT)
    assert (pointer().revision, pointer().settings.mode) == (empty, "shadow")
    publisher.handler(BATCH, CONTEXT)
    assert pointer().revision != empty


def test_lines_have_the_metrics_of_the_publisher(capsys: pytest.CaptureFixture[str]) -> None:
    """Powertools writes them, as in the worker; the invocation is named."""
    publisher.handler(EVERYTHING, CONTEXT)
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (line["message"], line["service"], line["request_id"]) == (
        "published",
        "publisher",
        "r1",
    )
    assert (line["deployment"], line["Published"], line["ColdStarts"]) == ("local", [1], [1])


def test_a_failure_is_the_invocations() -> None:
    """Lambda counts it, and the queue delivers the batch again."""
    put("settings", "mode: moon")
    with pytest.raises(PublishingError):
        publisher.handler(BATCH, CONTEXT)


class CloudFormation(BaseHTTPRequestHandler):
    """The response URL of a request."""

    answers: list[dict[str, Any]]

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answers.append(json.loads(body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Write no access log."""


@pytest.fixture
def cloudformation() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    answers: list[dict[str, Any]] = []
    kind = type("Answered", (CloudFormation,), {"answers": answers})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", answers
        server.shutdown()


def request(url: str, kind: str, **members: str) -> dict[str, Any]:
    names = {"StackId": "s", "RequestId": "r", "LogicalResourceId": "l"}
    return {"RequestType": kind, "ResponseURL": url, "ResourceProperties": {}, **names, **members}


def test_a_new_stack_has_its_first_revision(
    cloudformation: tuple[str, list[dict[str, Any]]],
) -> None:
    """CloudFormation goes on when the pointer is there, and a deletion takes nothing away."""
    url, answers = cloudformation
    put("rules/a", "drop: {}")
    assert publisher.handler(request(url, "Create"), CONTEXT) is None
    first = pointer()
    name = answers[0]["PhysicalResourceId"]
    put("rules/a", "accept: {}")
    publisher.handler(request(url, "Update", PhysicalResourceId=name), CONTEXT)
    assert pointer().serial == first.serial + 1
    publisher.handler(request(url, "Delete", PhysicalResourceId=name), CONTEXT)
    assert pointer().serial == first.serial + 1
    assert [answer["Status"] for answer in answers] == ["SUCCESS"] * 3
    assert {answer["PhysicalResourceId"] for answer in answers} == {name}


def test_a_stack_whose_settings_are_refused_is_not_deployed(
    cloudformation: tuple[str, list[dict[str, Any]]],
) -> None:
    """The operator reads why, and the deletion of what was not created succeeds."""
    url, answers = cloudformation
    put("settings", "mode: moon")
    publisher.handler(request(url, "Create"), CONTEXT)
    name = answers[0]["PhysicalResourceId"]
    publisher.handler(request(url, "Delete", PhysicalResourceId=name), CONTEXT)
    assert [answer["Status"] for answer in answers] == ["FAILED", "SUCCESS"]
    assert f'{PREFIX}/settings:1: mode: found "moon", expected' in answers[0]["Reason"]


@pytest.mark.parametrize(
    ("senders", "warned"), [("", True), ("help@example.com No-Reply@example.com", False)]
)
def test_a_reply_that_nobody_would_get_is_doubted(
    senders: str, warned: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The environment has the addresses that replies may come from; it is in force all the same."""
    monkeypatch.setenv("BOUNCER_REPLY_SENDERS", senders)
    put("rules/a", "when: {spf: pass}\nreply: {from: no-reply@example.com, text: Hello}")
    publisher.handler(EVERYTHING, CONTEXT)
    assert ("an address of reply_senders in cdk.json" in capsys.readouterr().out) is warned
    assert read_revision_rules() == ["reply"]


def read_revision_rules() -> list[str]:
    """Return the actions of the rules in force."""
    key = f"revisions/{pointer().revision}.json"
    text = boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return [rule["action"] for rule in json.loads(text)["rules"]]
