"""The queue between intake and worker, and the dead letters behind it."""

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from bouncer.function_limits import VISIBILITY_TIMEOUT_S

# More than a job can be handed back in its 24 hours, so that an outage makes no dead letters. The
# worker itself buries a job on which workers die. It is the most SQS allows.
MAX_RECEIVE_COUNT = 1000


class BounceQueue(Construct):
    """A FIFO queue, and the queue of its dead letters."""

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            fifo=True,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            fifo=True,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            visibility_timeout=Duration.seconds(VISIBILITY_TIMEOUT_S),
            # Longer than the 24 hours a bounce can wait, so that the worker reports a job that
            # expired, even after an outage of some days.
            retention_period=Duration.days(7),
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letters, max_receive_count=MAX_RECEIVE_COUNT
            ),
        )
