"""From the intake to the replier: a queue, its dead letters, and what the intake needs.

It exists only in a deployment with `reply_senders`: the pollers of an idle queue cost money.
"""

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from bouncer.environment import REPLY_QUEUE_KEY
from bouncer.function_limits import REPLY_VISIBILITY_S
from bouncer_infra.bounce_queue import MAX_RECEIVE_COUNT
from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.kept_queue import kept_queue
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
        # Kept for longer than the 24 hours of a reply: the replier reports one that expired.
        self.queue, self.dead_letters = kept_queue(
            self,
            visibility_s=REPLY_VISIBILITY_S,
            kept=Duration.days(7),
            most_receives=MAX_RECEIVE_COUNT,
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
