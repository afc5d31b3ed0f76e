"""The SQS FIFO queue between intake and worker; `reply_queue` has that of replies.

All jobs share one message group, so that they stay in order. Lambda may still run two invocations
at once, which `lease` is for. Bodies are ASCII JSON.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, Protocol

from bouncer import sdk_errors
from bouncer.errors import BouncerError
from bouncer.jobs.job import Job
from bouncer.jobs.job_json import to_json
from bouncer.jobs.reference import identity
from bouncer.lost_answer import may_have_worked

GROUP = "bounces"

# The attribute of a dead letter with the id of the queue message it was, by which the ledger knows
# its end: `job#<id>`.
ORIGIN = "queue_message_id"

_REQUESTS = 3

Record = Mapping[str, Any]  # a message of the queue, as Lambda hands it to the worker


def deliveries(record: Record) -> int:
    """Return the number of times that SQS has delivered a message, this one included."""
    attributes = record.get("attributes")
    count = attributes.get("ApproximateReceiveCount", 1) if isinstance(attributes, Mapping) else 1
    return max(int(count), 1)


class QueueError(BouncerError):
    """The queue could not be reached, or refused; it may have the job all the same if `unknown`."""

    def __init__(self, text: str, *, unknown: bool = False) -> None:
        super().__init__(text)
        self.unknown = unknown


class StaleBatchError(BouncerError):
    """The queue does not take the batch's receipt handles: somebody else may have the batch."""


class SendingClient(Protocol):
    """A client of SQS that can send: boto3's, or the intake's small one."""

    @property
    def send_message(self) -> Callable[..., Mapping[str, Any]]:
        """Put one message on a queue."""


class WorkerClient(SendingClient, Protocol):
    """A client that can also say when messages are delivered again."""

    @property
    def change_message_visibility_batch(self) -> Callable[..., Mapping[str, Any]]:
        """Set for several messages in how many seconds they are visible again."""


class Queue:
    """The queue as the intake uses it: jobs go in."""

    def __init__(self, client: SendingClient, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, job: Job) -> None:
        """Put a job on the queue; the same job again within five minutes is one job."""
        self._put(self._url, to_json(job), deduplication_id(job))

    def _put(
        self, url: str, body: str, deduplication: str, *, group: str = GROUP, origin: str = ""
    ) -> None:
        kept = {ORIGIN: {"DataType": "String", "StringValue": origin}} if origin else {}
        with asking():
            self._client.send_message(
                QueueUrl=url,
                MessageBody=body,
                MessageGroupId=group,
                MessageDeduplicationId=deduplication,
                **({"MessageAttributes": kept} if kept else {}),
            )


class Batches:
    """The batches of records that a function has received from a queue, as far as SQS has them."""

    def __init__(self, client: WorkerClient, url: str) -> None:
        self._changing = client
        self._received_url = url

    def renew(self, records: Iterable[Record], *, visible_in_s: int) -> None:
        """Keep a batch from being delivered again while it is worked on.

        Raises `StaleBatchError` if SQS refuses a receipt handle; what it could not do is asked for
        again. Raises `QueueError` if it does not answer.
        """
        self._change(records, visible_in_s)

    def hand_back(self, records: Iterable[Record], *, delay_s: int) -> None:
        """Have records delivered again after `delay_s` instead of the visibility timeout.

        Raises `QueueError` if SQS refuses some of them, or does not answer.
        """
        try:
            self._change(records, delay_s)
        except StaleBatchError as error:
            raise QueueError(str(error)) from error

    def _change(self, records: Iterable[Record], visible_in_s: int) -> None:
        """Set when records are visible again, in several requests if SQS does a part of them."""
        left = list(records)
        for _ in range(_REQUESTS):
            left = self._refused(left, visible_in_s)
            if not left:
                return
        raise QueueError(f"the queue could not set the visibility of {len(left)} records")

    def _refused(self, records: list[Record], visible_in_s: int) -> list[Record]:
        """Set when records are visible again; return those for which SQS could not."""
        entries = [
            {
                "Id": str(index),
                "ReceiptHandle": record["receiptHandle"],
                "VisibilityTimeout": visible_in_s,
            }
            for index, record in enumerate(records)
        ]
        with asking():
            answer = self._changing.change_message_visibility_batch(
                QueueUrl=self._received_url, Entries=entries
            )
        refused = answer.get("Failed") or []
        if any(each.get("SenderFault") for each in refused):
            raise StaleBatchError(f"the queue refused {len(refused)} of {len(entries)} records")
        return [records[int(each["Id"])] for each in refused]


class WorkerQueue(Queue, Batches):
    """The queue as the worker uses it: records go back, or on to the dead-letter queue."""

    def __init__(self, client: WorkerClient, url: str, dead_letter_url: str) -> None:
        Queue.__init__(self, client, url)
        Batches.__init__(self, client, url)
        self._dead_letter_url = dead_letter_url

    def bury(self, record: Record) -> None:
        """Put a record into the dead-letter queue now, so that it holds up no other job.

        Each has a message group of its own: SQS shows at most ten messages of one group.
        """
        name = record["messageId"]
        self._put(self._dead_letter_url, record["body"], name, group=name, origin=name)


def deduplication_id(job: Job) -> str:
    """Return the queue's deduplication id: the same for the same mail and recipients."""
    return sha256(identity(job.message_id, job.recipients)).hexdigest()


@contextmanager
def asking() -> Iterator[None]:
    """Turn the SDK's errors into `QueueError`."""
    try:
        yield
    except sdk_errors.ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        text = f"the queue refused: {code}"
        raise QueueError(text, unknown=may_have_worked(error)) from error
    except sdk_errors.BotoCoreError as error:
        text = f"the queue can't be reached ({type(error).__name__})"
        raise QueueError(text, unknown=may_have_worked(error)) from error
