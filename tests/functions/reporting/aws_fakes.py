"""AWS for reports: logs, queues, alarms, a bucket and a mail service that answer as a test says."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from botocore.exceptions import ClientError, ReadTimeoutError

from bouncer.operator_settings import Settings
from bouncer.reporting.standing_look import LookedAt, StandingLook
from bouncer.sources.bucket_source import BucketSource
from bouncer.sources.pointer import POINTER_KEY, Pointer, pointer_text
from bouncer.sources.revision import revision_key, revision_of, revision_text

NOW = datetime(2026, 11, 28, 6, 5, tzinfo=UTC)
QUEUE = "https://sqs.eu-west-1.amazonaws.com/1/jobs.fifo"
DEAD = "https://sqs.eu-west-1.amazonaws.com/1/dead.fifo"

Answer = Mapping[str, Any] | BaseException
Ask = Callable[..., Mapping[str, Any]]


def refused(code: str, *, status: int = 400) -> ClientError:
    answer = {"Error": {"Code": code, "Message": "no"}}
    return ClientError(
        cast("Any", answer | {"ResponseMetadata": {"HTTPStatusCode": status}}), "Any"
    )


def lost() -> ReadTimeoutError:
    return ReadTimeoutError(endpoint_url="https://aws.example")


class Aws:
    """One client for all services; `answers` are by the names of calls, each one or a list.

    Of a list each call takes the first; the last one stays.
    """

    def __init__(self, **answers: Answer | list[Answer]) -> None:
        self.answers: dict[str, Answer | list[Answer]] = {
            "get_queue_attributes": {"Attributes": {"ApproximateNumberOfMessages": "2"}},
            "get_metric_statistics": {"Datapoints": [{"Timestamp": NOW, "Maximum": 600.0}]},
            "describe_alarms": {"MetricAlarms": []},
            "start_query": {"queryId": "q"},
            "get_query_results": {"status": "Complete", "results": []},
            "stop_query": {"success": True},
            "send_email": {"MessageId": "mail-1"},
            "get_object": refused("NoSuchKey", status=404),
            **answers,
        }
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Ask:
        def ask(**given: Any) -> Mapping[str, Any]:
            self.calls.append((name, given))
            answer = self.answers[name]
            if isinstance(answer, list):
                answer = answer.pop(0) if len(answer) > 1 else answer[0]
            if isinstance(answer, BaseException):
                raise answer
            return answer

        return ask

    def asked(self, name: str) -> list[dict[str, Any]]:
        return [given for each, given in self.calls if each == name]


class Body:
    """The body of an object."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read(self) -> bytes:
        return self._text.encode()


class Bucket:
    """A bucket with a pointer and its revision without rules."""

    def __init__(self, **more: Any) -> None:
        revision = revision_of(())
        pointer = Pointer(revision.id, Settings(), **more)
        self._texts = {
            POINTER_KEY: pointer_text(pointer),
            revision_key(revision.id): revision_text(revision),
        }

    def get_object(self, **given: Any) -> Mapping[str, Any]:
        return {"Body": Body(self._texts[given["Key"]]), "ETag": '"1"'}


def look(aws: Any, bucket: Any = None) -> StandingLook:
    return StandingLook(
        LookedAt(
            full_name="ses-auto-bouncer-main",
            queue_url=QUEUE,
            dead_letters={"dead-letters": DEAD},
        ),
        sqs=aws,
        cloudwatch=aws,
        source=BucketSource(bucket or Bucket(), "rules"),
    )
