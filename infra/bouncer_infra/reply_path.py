"""From the intake to the replier: a queue, its dead letters, and what the intake needs.

It exists only in a deployment with `reply_senders`: the pollers of an idle queue cost money.
"""

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from bouncer.environment import REPLY_QUEUE_KEY
from bouncer.function_limits import REPLY_VISIBILITY_S
from bouncer_infra.bounce_queue import MAX_RECEIVE_COUNT
from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.replier_function import Replier


class ReplyPath(Construct):
    """The standard queue of replies, the queue of its dead letters, and the replier."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        settings: DeploymentSettings,
        code: lambda_.Code,
        intake: lambda_.Function,
        ledger: dynamodb.ITableV2,
        bucket: s3.IBucket,
    ) -> None:
        super().__init__(scope, id_)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            visibility_timeout=Duration.seconds(REPLY_VISIBILITY_S),
            # Longer than the 24 hours of a reply, so that the replier reports one that expired.
            retention_period=Duration.days(7),
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letters, max_receive_count=MAX_RECEIVE_COUNT
            ),
        )
        self.replier = Replier(
            self,
            "Replier",
            settings=settings,
            code=code,
            queue=self.queue,
            dead_letters=self.dead_letters,
            ledger=ledger,
            bucket=bucket,
        )
        self.queue.grant_send_messages(intake)
        intake.add_environment(REPLY_QUEUE_KEY, self.queue.queue_url)
