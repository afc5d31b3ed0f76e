"""The replier function, its mapping, and its permissions: mail from our reply senders."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from bouncer.environment import (
    BUCKET_KEY,
    DEAD_LETTER_KEY,
    LEDGER_KEY,
    PREFIX_KEY,
    REPLY_QUEUE_KEY,
    REPLY_SENDERS_KEY,
    SENDERS_KEY,
)
from bouncer.function_limits import BATCH_SIZE, REPLIER_TIMEOUT_S, REPLIERS
from bouncer.mail.address import identities
from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.function import Function
from bouncer_infra.nag import acknowledge_wildcards
from bouncer_infra.revision_bucket import may_read_pointer


class Replier(Function):
    """The function `bouncer.replier`, which takes replies from the queue and calls SendRawEmail."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        settings: DeploymentSettings,
        code: lambda_.Code,
        queue: sqs.Queue,
        dead_letters: sqs.Queue,
        ledger: dynamodb.ITableV2,
        bucket: s3.IBucket,
    ) -> None:
        super().__init__(
            scope,
            id_,
            name="replier",
            description="Sends automatic replies",
            settings=settings,
            code=code,
            timeout=Duration.seconds(REPLIER_TIMEOUT_S),
            environment={
                PREFIX_KEY: settings.prefix,
                BUCKET_KEY: bucket.bucket_name,
                REPLY_QUEUE_KEY: queue.queue_url,
                DEAD_LETTER_KEY: dead_letters.queue_url,
                LEDGER_KEY: ledger.table_name,
                SENDERS_KEY: " ".join(settings.senders),
                REPLY_SENDERS_KEY: " ".join(settings.reply_addresses),
            },
        )
        # Not an event source of the function: its id would contain the queue's place in the tree.
        self.mapping = lambda_.EventSourceMapping(
            self,
            "Mapping",
            target=self.function,
            event_source_arn=queue.queue_arn,
            batch_size=BATCH_SIZE,
            max_concurrency=REPLIERS,
            report_batch_item_failures=True,
        )
        queue.grant_consume_messages(self.function)
        dead_letters.grant_send_messages(self.function)
        verbs = ("BatchGetItem", "UpdateItem")
        ledger.grant(self.function, *(f"dynamodb:{verb}" for verb in verbs))
        may_read_pointer(self, bucket)
        self._may_reply_as(settings)
        self._may_ask_for_quota()

    def _may_reply_as(self, settings: DeploymentSettings) -> None:
        own = (each.address for each in settings.reply_senders if not each.arn)
        names = dict.fromkeys(name for address in own for name in identities(address))
        foreign = dict.fromkeys(each.arn for each in settings.reply_senders if each.arn)
        self.function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["ses:SendRawEmail"],
                resources=[
                    *(self._arn("identity", name) for name in names),
                    *foreign,
                    self._arn("configuration-set", settings.full_name),
                ],
                # A rule may spell its sender's address in other case than cdk.json does.
                conditions={
                    "StringEqualsIgnoreCase": {"ses:FromAddress": list(settings.reply_addresses)}
                },
            )
        )

    def _may_ask_for_quota(self) -> None:
        self.function.add_to_role_policy(
            iam.PolicyStatement(actions=["ses:GetAccount"], resources=["*"])
        )
        acknowledge_wildcards(
            self,
            "Resource::*",
            reason="GetAccount has no resource; it tells the account's quota and changes nothing.",
        )

    def _arn(self, resource: str, name: str) -> str:
        return Stack.of(self).format_arn(service="ses", resource=resource, resource_name=name)
