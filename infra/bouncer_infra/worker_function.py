"""The worker function, the queue's mapping to it, and its permissions: bounces, as our senders."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from bouncer.environment import (
    BUCKET_KEY,
    DEAD_LETTER_KEY,
    LEDGER_KEY,
    PREFIX_KEY,
    PUBLISHER_KEY,
    QUEUE_KEY,
    SENDERS_KEY,
)
from bouncer.function_limits import BATCH_SIZE, WORKER_TIMEOUT_S
from bouncer.mail.address import identities
from bouncer_infra.bounce_queue import BounceQueue
from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.function import Function
from bouncer_infra.nag import acknowledge_wildcards, resource_wildcard
from bouncer_infra.revision_bucket import may_read_pointer


class Worker(Function):
    """The function `bouncer.worker`, which takes jobs from the queue and calls SendBounce."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        settings: DeploymentSettings,
        code: lambda_.Code,
        queue: BounceQueue,
        ledger: dynamodb.ITableV2,
        bucket: s3.IBucket,
        publisher: lambda_.IFunction,
    ) -> None:
        super().__init__(
            scope,
            id_,
            name="worker",
            description="Sends bounces, at most one a second",
            settings=settings,
            code=code,
            timeout=Duration.seconds(WORKER_TIMEOUT_S),
            environment={
                PREFIX_KEY: settings.prefix,
                BUCKET_KEY: bucket.bucket_name,
                QUEUE_KEY: queue.queue.queue_url,
                DEAD_LETTER_KEY: queue.dead_letters.queue_url,
                LEDGER_KEY: ledger.table_name,
                PUBLISHER_KEY: publisher.function_name,
                SENDERS_KEY: " ".join(settings.senders),
            },
        )
        # Not an event source of the function: its id would contain the queue's place in the tree.
        self.mapping = lambda_.EventSourceMapping(
            self,
            "Mapping",
            target=self.function,
            event_source_arn=queue.queue.queue_arn,
            batch_size=BATCH_SIZE,
            report_batch_item_failures=True,
        )
        queue.queue.grant_consume_messages(self.function)
        queue.dead_letters.grant_send_messages(self.function)
        self._may_keep(ledger)
        may_read_pointer(self, bucket)
        self._may_bounce_as(settings)
        # Not by a grant, which would allow to invoke versions and aliases, too.
        self.function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["lambda:InvokeFunction"], resources=[publisher.function_arn]
            )
        )

    def _may_keep(self, ledger: dynamodb.ITableV2) -> None:
        # A transaction of updates needs no more than UpdateItem (DynamoDB Developer Guide,
        # "Using IAM with DynamoDB transactions").
        verbs = ("BatchGetItem", "UpdateItem")
        ledger.grant(self.function, *(f"dynamodb:{verb}" for verb in verbs))

    def _may_bounce_as(self, settings: DeploymentSettings) -> None:
        own = (name for sender in settings.own_senders for name in identities(sender))
        verifying = [self._arn("ses", "identity", name) for name in dict.fromkeys(own)]
        foreign = dict.fromkeys(each.arn for each in settings.further_senders if each.arn)
        # SES asks for the sender's default set, too; SendBounce can name no other.
        any_set = self._arn("ses", "configuration-set", "*")
        self.function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["ses:SendBounce"],
                resources=[*verifying, *foreign, any_set],
                # A rule may spell its sender's address in other case than cdk.json does.
                conditions={"StringEqualsIgnoreCase": {"ses:FromAddress": list(settings.senders)}},
            )
        )
        acknowledge_wildcards(
            self,
            resource_wildcard(self, any_set),
            reason="The set is the default of a sender's identity, and somebody else may have "
            "chosen it; SendBounce can't name one, and ses:FromAddress limits the senders.",
        )

    def _arn(self, service: str, resource: str, name: str) -> str:
        return Stack.of(self).format_arn(service=service, resource=resource, resource_name=name)
