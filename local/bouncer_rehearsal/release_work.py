"""The work that a release leaves behind: a dead letter, a job in flight, and a claim that is held.

Each stands as version 0.1.0 wrote it. Nothing takes jobs meanwhile: the mapping is stopped.
"""

from dataclasses import dataclass
from typing import Any

from bouncer.jobs.job_json import from_json
from bouncer.sending.queue import GROUP
from bouncer_rehearsal.emulator import Emulator
from bouncer_rehearsal.receipt_rules import Delivery
from bouncer_rehearsal.story import expect

_HELD_BACK_S = 900  # longer than the upgrade takes


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """A job that a worker received and then died; `handle` is its receipt handle."""

    reference: str
    handle: str


class ReleaseWork:
    """Leaves work in the queues and the ledger of a deployed release."""

    def __init__(self, aws: Emulator, *, jobs_url: str, dead_url: str, table: str) -> None:
        self._sqs = aws.client("sqs")
        self._dynamodb = aws.client("dynamodb")
        self._jobs_url = jobs_url
        self._dead_url = dead_url
        self._table = table

    def bury_first(self) -> str:
        """Bury the first job as a worker of the release does, and return its reference."""
        message = self._receive()
        self._sqs.send_message(
            QueueUrl=self._dead_url,
            MessageBody=message["Body"],
            MessageGroupId=GROUP,  # all dead letters of that version had the same
            MessageDeduplicationId=message["MessageId"],
        )
        self._sqs.delete_message(QueueUrl=self._jobs_url, ReceiptHandle=message["ReceiptHandle"])
        return from_json(message["Body"]).reference

    def receive_first(self) -> InFlight:
        """Receive the first job as a worker that dies: it stays invisible for some minutes."""
        message = self._receive()
        return InFlight(
            reference=from_json(message["Body"]).reference, handle=message["ReceiptHandle"]
        )

    def end_flight(self, job: InFlight) -> None:
        """Make a job visible again that is still in flight, as the end of its time would."""
        counts = self._sqs.get_queue_attributes(QueueUrl=self._jobs_url, AttributeNames=["All"])
        in_flight = counts["Attributes"]["ApproximateNumberOfMessagesNotVisible"]
        expect("jobs in flight", in_flight, "1")
        self._sqs.change_message_visibility(
            QueueUrl=self._jobs_url, ReceiptHandle=job.handle, VisibilityTimeout=0
        )

    def claim(self, delivery: Delivery) -> None:
        """Hold a claim, of a worker that died, on the first recipient of a mail."""
        items = self._dynamodb.scan(TableName=self._table)["Items"]
        claim = items[0] | {"claimant": {"S": "a worker that died"}}
        claim.pop("bounce_id", None)
        claim["id"] = {"S": f"{delivery.message_id} {delivery.recipients[0]}"}
        self._dynamodb.put_item(TableName=self._table, Item=claim)

    def _receive(self) -> dict[str, Any]:
        answer = self._sqs.receive_message(
            QueueUrl=self._jobs_url, MaxNumberOfMessages=1, VisibilityTimeout=_HELD_BACK_S
        )
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        expect("messages of the queue", len(messages), 1)
        return messages[0]
