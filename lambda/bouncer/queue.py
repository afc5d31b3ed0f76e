"""The SQS FIFO queue between intake and worker.

All jobs share one message group, so one worker invocation runs at a time, ever. Bodies are ASCII
JSON.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from bouncer import aws
from bouncer.errors import BouncerError
from bouncer.job import Job, deduplication_id, to_json

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

GROUP = "bounces"


class QueueError(BouncerError):
    """The queue could not be reached, or refused."""


class MessageSender(Protocol):
    """What is asked of SQS to queue a job: boto3's client is one, `aws.Sqs` another."""

    @property
    def send_message(self) -> Callable[..., Any]:
        """Put one message on a queue."""


class Outbox:
    """The end of the queue that jobs are put in."""

    def __init__(self, client: MessageSender, url: str) -> None:
        self._sender = client
        self._url = url

    def send(self, job: Job) -> None:
        """Put a job on the queue; the same job again within five minutes is one job."""
        with _asking():
            self._sender.send_message(
                QueueUrl=self._url,
                MessageBody=to_json(job),
                MessageGroupId=GROUP,
                MessageDeduplicationId=deduplication_id(job),
            )


class Queue(Outbox):
    """The queue as the worker sees it; `dead_letter_url` takes what can't be read."""

    def __init__(self, client: "SQSClient", url: str, dead_letter_url: str | None = None) -> None:
        super().__init__(client, url)
        self._client = client
        self._dead_letter_url = dead_letter_url

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
            self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)  # type: ignore[arg-type]  # the stub wants a TypedDict

    def bury(self, record: dict[str, Any]) -> None:
        """Move a record nobody can read to the dead-letter queue, so that it holds up nobody."""
        if self._dead_letter_url is None:
            raise QueueError("found no dead-letter queue, expected one for an unreadable job")
        with _asking():
            self._client.send_message(
                QueueUrl=self._dead_letter_url,
                MessageBody=record["body"],
                MessageGroupId=GROUP,
                MessageDeduplicationId=record["messageId"],
            )


@contextmanager
def _asking() -> Iterator[None]:
    try:
        yield
    except aws.errors() as error:
        raise QueueError(f"the queue {aws.explained(error)}") from error
