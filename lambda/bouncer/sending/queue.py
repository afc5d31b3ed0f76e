"""The SQS FIFO queue between intake and worker.

All jobs share one message group, so one worker invocation runs at a time, ever. Bodies are ASCII
JSON.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from bouncer.errors import BouncerError
from bouncer.jobs.job import Job
from bouncer.jobs.job_json import to_json
from bouncer.jobs.reference import identity

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

GROUP = "bounces"


class QueueError(BouncerError):
    """The queue could not be reached, or refused."""


class Queue:
    """Jobs on their way from intake to worker; `dead_letter_url` takes what can't go on."""

    def __init__(self, client: "SQSClient", url: str, dead_letter_url: str | None = None) -> None:
        self._client = client
        self._url = url
        self._dead_letter_url = dead_letter_url

    def send(self, job: Job) -> None:
        """Put a job on the queue; the same job again within five minutes is one job."""
        with _asking():
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=to_json(job),
                MessageGroupId=GROUP,
                MessageDeduplicationId=deduplication_id(job),
            )

    def hand_back(self, records: Iterable[dict[str, Any]], *, delay_s: int) -> None:
        """Have records delivered again after `delay_s` instead of the visibility timeout."""
        entries = [
            {
                "Id": str(index),
                "ReceiptHandle": record["receiptHandle"],
                "VisibilityTimeout": delay_s,
            }
            for index, record in enumerate(records)
        ]
        with _asking():
            answer = self._client.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=entries,  # type: ignore[arg-type]  # the stub wants a TypedDict
            )
        if answer.get("Failed"):
            raise QueueError(f"the queue refused {len(answer['Failed'])} of {len(entries)} records")

    def bury(self, record: dict[str, Any]) -> None:
        """Put a record into the dead-letter queue now, so that it holds up nobody."""
        if self._dead_letter_url is None:
            raise QueueError("found no dead-letter queue, expected one")
        with _asking():
            self._client.send_message(
                QueueUrl=self._dead_letter_url,
                MessageBody=record["body"],
                MessageGroupId=GROUP,
                MessageDeduplicationId=record["messageId"],
            )


def deduplication_id(job: Job) -> str:
    """The queue's deduplication id: the same mail and recipients yield the same one."""
    return sha256(identity(job.message_id, job.recipients)).hexdigest()


@contextmanager
def _asking() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        raise QueueError(f"the queue refused: {code}") from error
    except BotoCoreError as error:
        raise QueueError(f"the queue can't be reached ({type(error).__name__})") from error
