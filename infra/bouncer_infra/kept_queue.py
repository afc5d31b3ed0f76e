"""Queues that keep what could not be worked off, in a queue of dead letters beside them."""

from typing import NamedTuple

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

_DEAD_LETTERS_KEPT_DAYS = 14  # the longest that SQS allows


class KeptQueue(NamedTuple):
    """A standard queue, and the queue of its dead letters."""

    queue: sqs.Queue
    dead_letters: sqs.Queue


def kept_queue(
    scope: Construct, *, visibility_s: int, kept: Duration, most_receives: int
) -> KeptQueue:
    """Make `Queue` and `DeadLetters` in a construct; messages are kept there for `kept`.

    A message is a dead letter once it was received more than `most_receives` times.
    """
    dead_letters = sqs.Queue(
        scope,
        "DeadLetters",
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=Duration.days(_DEAD_LETTERS_KEPT_DAYS),
    )
    queue = sqs.Queue(
        scope,
        "Queue",
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        visibility_timeout=Duration.seconds(visibility_s),
        retention_period=kept,
        dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=most_receives),
    )
    return KeptQueue(queue, dead_letters)
