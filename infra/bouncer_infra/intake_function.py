"""The intake function and its permissions: it reads rules and queues jobs, and can send no mail."""

from aws_cdk import Aws, Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from bouncer.environment import BUCKET_KEY, DOMAIN_KEY, PREFIX_KEY, QUEUE_KEY
from bouncer.function_limits import INTAKE_TIMEOUT_S
from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.function import Function
from bouncer_infra.revision_bucket import may_read_revisions


class Intake(Function):
    """The function `bouncer.intake`, which SES asks about every mail."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        settings: DeploymentSettings,
        code: lambda_.Code,
        queue: sqs.IQueue,
        bucket: s3.IBucket,
    ) -> None:
        super().__init__(
            scope,
            id_,
            name="intake",
            description="Judges mail received by SES",
            settings=settings,
            code=code,
            timeout=Duration.seconds(INTAKE_TIMEOUT_S),
            reserved=settings.intake_concurrency,
            environment={
                PREFIX_KEY: settings.prefix,
                BUCKET_KEY: bucket.bucket_name,
                QUEUE_KEY: queue.queue_url,
                DOMAIN_KEY: Aws.URL_SUFFIX,
            },
        )
        queue.grant_send_messages(self.function)
        may_read_revisions(self, bucket)
