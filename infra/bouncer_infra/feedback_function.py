"""From the events of our bounces to the feedback function: a rule, a queue, its dead letters.

SES publishes to the account's default event bus only (API reference, EventBridgeDestination). The
queue keeps events through an outage, and hands one out again whose bounce is not yet in the ledger.
"""

from aws_cdk import Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from bouncer.environment import BUCKET_KEY, LEDGER_KEY, PREFIX_KEY, SENDERS_KEY
from bouncer.function_limits import BATCH_SIZE, FEEDBACK_TIMEOUT_S, FEEDBACK_VISIBILITY_S
from bouncer.sending.bounce_event import DETAIL_TYPES, SOURCE
from bouncer.sources.source import HELD
from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.function import Function
from bouncer_infra.kept_queue import kept_queue
from bouncer_infra.revision_bucket import may_read_pointer

_MAX_RECEIVE_COUNT = 480  # a day, each time after the visibility timeout
_MOST_AT_ONCE = 2  # the fewest that Lambda allows; they share the region's concurrency with others


class Feedback(Function):
    """The function `bouncer.feedback`, which learns from events whom not to answer."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        settings: DeploymentSettings,
        code: lambda_.Code,
        ledger: dynamodb.ITableV2,
        bucket: s3.IBucket,
    ) -> None:
        super().__init__(
            scope,
            id_,
            name="feedback",
            description="Suppresses senders to whom a bounce bounced, and holds sending",
            settings=settings,
            code=code,
            timeout=Duration.seconds(FEEDBACK_TIMEOUT_S),
            environment={
                PREFIX_KEY: settings.prefix,
                BUCKET_KEY: bucket.bucket_name,
                LEDGER_KEY: ledger.table_name,
                SENDERS_KEY: " ".join((*settings.senders, *settings.reply_addresses)),
            },
        )
        self.queue, self.dead_letters = kept_queue(
            self,
            visibility_s=FEEDBACK_VISIBILITY_S,
            kept=Duration.days(14),
            most_receives=_MAX_RECEIVE_COUNT,
        )
        self.rule = events.Rule(
            self,
            "Rule",
            event_bus=default_bus(self),
            description="Bounces and complaints about mail sent by SES",
            event_pattern=events.EventPattern(source=[SOURCE], detail_type=list(DETAIL_TYPES)),
            targets=[targets.SqsQueue(self.queue)],
        )
        # Not an event source of the function: its id would contain the queue's place in the tree.
        self.mapping = lambda_.EventSourceMapping(
            self,
            "Mapping",
            target=self.function,
            event_source_arn=self.queue.queue_arn,
            batch_size=BATCH_SIZE,
            max_concurrency=_MOST_AT_ONCE,
            report_batch_item_failures=True,
        )
        self.queue.grant_consume_messages(self.function)
        verbs = ("BatchGetItem", "UpdateItem")
        ledger.grant(self.function, *(f"dynamodb:{verb}" for verb in verbs))
        may_read_pointer(self, bucket)
        self._may_hold_sending(settings.prefix)

    def _may_hold_sending(self, prefix: str) -> None:
        """Let the breaker write `held`, and read who else has written it; a person removes it."""
        held = Stack.of(self).format_arn(
            service="ssm",
            resource="parameter",
            resource_name=f"{prefix.removeprefix('/')}/{HELD}",
        )
        self.function.add_to_role_policy(
            iam.PolicyStatement(actions=["ssm:GetParameters", "ssm:PutParameter"], resources=[held])
        )


def default_bus(scope: Construct) -> events.IEventBus:
    """Return the event bus that every account has, in the region of the stack."""
    arn = Stack.of(scope).format_arn(
        service="events", resource="event-bus", resource_name="default"
    )
    return events.EventBus.from_event_bus_arn(scope, "Bus", arn)
