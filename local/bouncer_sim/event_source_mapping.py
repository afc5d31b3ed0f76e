"""An event source mapping as Lambda runs it for an SQS FIFO queue.

It polls, invokes the function with a batch of one message group, and deletes what the answer does
not name as failed; a failed or malformed answer leaves the whole batch to its visibility timeout.
Source: Lambda Developer Guide, "Using Lambda with Amazon SQS".
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from bouncer.errors import BouncerError
from bouncer.function_limits import BATCH_SIZE

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import DeleteMessageBatchRequestEntryTypeDef, MessageTypeDef

Invoke = Callable[[dict[str, Any]], object]


class InvocationError(BouncerError):
    """An invocation without an answer: the function failed, crashed or timed out."""


class EventSourceMapping:
    """Feeds one function from one queue; `poll` does one round."""

    def __init__(self, client: "SQSClient", queue_url: str, queue_arn: str, invoke: Invoke) -> None:
        self._client = client
        self._url = queue_url
        self._arn = queue_arn
        self._invoke = invoke

    def poll(self) -> int:
        """Receive at most one batch and invoke the function; return the number of messages."""
        answer = self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=BATCH_SIZE,
            WaitTimeSeconds=0,
            MessageSystemAttributeNames=["All"],
        )
        messages = answer.get("Messages", [])
        if messages:
            failed = self._failures(messages)
            self._delete(message for message in messages if message["MessageId"] not in failed)
        return len(messages)

    def _failures(self, messages: "list[MessageTypeDef]") -> set[str]:
        """The ids the function wants to see again; all of them when its answer makes no sense."""
        ids = {message["MessageId"] for message in messages}
        try:
            answer = self._invoke({"Records": [self._record(message) for message in messages]})
        except InvocationError:
            return ids
        if not answer:
            return set()
        try:
            failures = answer["batchItemFailures"] or []  # type: ignore[index]  # whatever it answered
            failed = {failure["itemIdentifier"] for failure in failures}
        except (KeyError, TypeError):
            return ids
        return min(failed, ids)

    def _record(self, message: "MessageTypeDef") -> dict[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": dict(message["Attributes"]),
            "messageAttributes": {},
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._arn,
            "awsRegion": self._arn.split(":")[3],
        }

    def _delete(self, messages: "Iterable[MessageTypeDef]") -> None:
        entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
            {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
            for index, message in enumerate(messages)
        ]
        if entries:
            self._client.delete_message_batch(QueueUrl=self._url, Entries=entries)
