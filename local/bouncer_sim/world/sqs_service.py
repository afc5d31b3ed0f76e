"""SQS as its service sees it: boto3's arguments and answers for the queues of a deployment."""

from collections.abc import Callable, Mapping
from hashlib import md5
from typing import Any

from bouncer_sim.world.fifo_queue import FifoQueue, HandleError, QueuedMessage
from bouncer_sim.world.service_error import service_error

Arguments = Mapping[str, Any]
Answer = dict[str, Any]

_LARGEST_BODY = 1024 * 1024
_LONGEST_VISIBILITY_S = 12 * 3600


class SqsService:
    """The queues of an account, by the end of their URL."""

    def __init__(self, *queues: FifoQueue) -> None:
        self._queues = {queue.name: queue for queue in queues}
        self._sent = 0

    def queue(self, arguments: Arguments) -> FifoQueue:
        """Return the queue of a request."""
        name = arguments["QueueUrl"].rpartition("/")[2]
        if name not in self._queues:
            raise service_error("AWS.SimpleQueueService.NonExistentQueue")
        return self._queues[name]

    def send_message(self, arguments: Arguments) -> Answer:
        """Put one message on a queue."""
        body = arguments["MessageBody"]
        if not 1 <= len(body.encode()) <= _LARGEST_BODY:
            raise service_error(
                "InvalidParameterValue", "the message has no body, or too long a one"
            )
        self._sent += 1
        alone = f"message {self._sent}"  # each of a standard queue is a group of its own
        message = self.queue(arguments).send(
            body,
            arguments.get("MessageGroupId", alone),
            arguments.get("MessageDeduplicationId", alone),
        )
        return {"MessageId": message.message_id, "SequenceNumber": str(message.sequence)}

    def receive_message(self, arguments: Arguments) -> Answer:
        """Receive messages of one group; an empty answer has no list."""
        messages = self.queue(arguments).receive(arguments["MaxNumberOfMessages"])
        return {"Messages": [_received(message) for message in messages]} if messages else {}

    def change_message_visibility_batch(self, arguments: Arguments) -> Answer:
        """Say for several messages in flight when they are visible again."""
        queue = self.queue(arguments)

        def change(entry: Arguments) -> None:
            seconds = entry["VisibilityTimeout"]
            if not (isinstance(seconds, int) and 0 <= seconds <= _LONGEST_VISIBILITY_S):
                raise HandleError("found another VisibilityTimeout, expected 0 to 43200")
            queue.make_visible(entry["ReceiptHandle"], seconds)

        return _each(arguments, change)

    def delete_message_batch(self, arguments: Arguments) -> Answer:
        """Delete several messages in flight."""
        queue = self.queue(arguments)
        return _each(arguments, lambda entry: queue.delete(entry["ReceiptHandle"]))


def _each(arguments: Arguments, act: Callable[[Arguments], None]) -> Answer:
    done, failed = [], []
    for entry in arguments["Entries"]:
        try:
            act(entry)
            done.append({"Id": entry["Id"]})
        except HandleError as error:
            failed.append(failure(entry, "InvalidParameterValue", str(error), ours=True))
    return {"Successful": done, "Failed": failed}


def failure(entry: Arguments, code: str, text: str, *, ours: bool) -> Answer:
    """Return the report of one entry of a batch that was not done; `ours` is the caller's fault."""
    return {"Id": entry["Id"], "Code": code, "Message": text, "SenderFault": ours}


def _received(message: QueuedMessage) -> Answer:
    return {
        "MessageId": message.message_id,
        "ReceiptHandle": message.handle,
        "Body": message.body,
        "MD5OfBody": md5(message.body.encode(), usedforsecurity=False).hexdigest(),
        "Attributes": {
            "ApproximateReceiveCount": str(message.receives),
            "SentTimestamp": str(int(message.sent_at * 1000)),
            "ApproximateFirstReceiveTimestamp": str(int(message.first_received_at * 1000)),
            "SequenceNumber": str(message.sequence),
            "MessageGroupId": message.group,
            "MessageDeduplicationId": message.message_id,
        },
    }
