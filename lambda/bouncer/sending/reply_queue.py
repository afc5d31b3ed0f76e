"""The standard SQS queue between intake and replier: replies have no order.

Bodies are ASCII JSON.
"""

from bouncer.jobs.reply import Reply
from bouncer.jobs.reply_json import to_json
from bouncer.sending.queue import ORIGIN, Batches, Record, SendingClient, WorkerClient, asking


class ReplyQueue:
    """The queue as the intake uses it: replies go in."""

    def __init__(self, client: SendingClient, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, reply: Reply) -> None:
        """Put a reply on the queue; raises `QueueError`."""
        with asking():
            self._client.send_message(QueueUrl=self._url, MessageBody=to_json(reply))


class ReplierQueue(Batches):
    """The queue as the replier uses it: records go back, or on to the dead-letter queue."""

    def __init__(self, client: WorkerClient, url: str, dead_letter_url: str) -> None:
        super().__init__(client, url)
        self._client = client
        self._dead_letter_url = dead_letter_url

    def bury(self, record: Record) -> None:
        """Put a record into the dead-letter queue now; raises `QueueError`."""
        origin = {"DataType": "String", "StringValue": record["messageId"]}
        with asking():
            self._client.send_message(
                QueueUrl=self._dead_letter_url,
                MessageBody=record["body"],
                MessageAttributes={ORIGIN: origin},
            )
