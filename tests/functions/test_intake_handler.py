"""The intake's handler works with AWS, a wrong environment and little time."""

import json
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from bouncer import intake
from bouncer.jobs.job_json import from_json
from tests.embedded_aws import PREFIX, EmbeddedAws, embedded_aws
from tests.front import KEY, SECRET, behind, front, through_boto3
from tests.functions.intake_events import REJECT, event

CONTEXT = SimpleNamespace(aws_request_id="r1", get_remaining_time_in_millis=lambda: 20_000)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedAws]:
    """The deployed function's surroundings, in this process."""
    with embedded_aws() as embedded, front(through_boto3) as (endpoint, _):
        keys = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
        for key, value in {**embedded.environ, **keys}.items():
            monkeypatch.setenv(key, value)
        monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", endpoint)
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", endpoint)
        intake._intake.cache_clear()  # noqa: SLF001  # a new environment
        yield embedded
        intake._intake.cache_clear()  # noqa: SLF001


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # a function keeps its connections
def test_the_deployed_handler_works_with_aws(
    aws: EmbeddedAws, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the environment's keys alone: rules from SSM, in pages, and a job on the FIFO queue."""
    ssm = behind("ssm")
    for number in range(25):
        name = f"{PREFIX}/rules/{number:03d}-other"
        ssm.put_parameter(Name=name, Value="when: {subject: x}\ndrop: {}", Type="String")
    ssm.put_parameter(Name=f"{PREFIX}/rules/900-departed", Value=REJECT, Type="String")
    ssm.put_parameter(
        Name=f"{PREFIX}/settings", Value="bounce_sender: b@example.com", Type="String"
    )
    assert intake.handler(event(), CONTEXT) == {"disposition": "STOP_RULE_SET"}
    messages = behind("sqs").receive_message(QueueUrl=aws.environ["BOUNCER_QUEUE_URL"])["Messages"]
    job = from_json(messages[0]["Body"])
    assert job.bounce_sender == "b@example.com"
    assert json.loads(capsys.readouterr().out)["Queued"] == [1]


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
