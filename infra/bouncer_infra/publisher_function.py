"""The publisher function, the occasions on which it runs, and its permissions.

It alone writes what is in force. A changed parameter calls it within seconds; those events are best
effort (EventBridge events reference, "AWS Systems Manager"), so it also runs on a schedule.
"""

import json

from aws_cdk import Acknowledgment, Duration, Stack, Validations
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from bouncer.environment import BUCKET_KEY, DEFAULTS_KEY, LEDGER_KEY, PREFIX_KEY
from bouncer.function_limits import PUBLISHER_MEMORY_MB, PUBLISHER_TIMEOUT_S
from bouncer.publishing.occasion import PUBLISH, Scope
from bouncer.rules.list_reader import UPLOADS
from bouncer.sending.brakes import BRAKES
from bouncer.sources.pointer import POINTER_KEY
from bouncer.sources.revision import list_key, revision_key
from bouncer.sources.source import HELD, PUSHING, SETTINGS
from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.function import Function
from bouncer_infra.nag import acknowledge_wildcards, resource_wildcard
from bouncer_infra.revision_bucket import NAMED_BY_DIGEST

_SMALL = (SETTINGS, HELD, PUSHING)  # what every run reads first
_WINDOW_S = 5  # changes within it are published together
_MOST_CHANGES = 1000  # in one invocation, which reads all parameters however many they are
_MOST_AT_ONCE = 2  # the fewest that Lambda allows


class Publisher(Function):
    """The function `bouncer.publisher`, which puts parameters in force."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        settings: DeploymentSettings,
        code: lambda_.Code,
        bucket: s3.IBucket,
        ledger: dynamodb.ITableV2,
    ) -> None:
        super().__init__(
            scope,
            id_,
            name="publisher",
            description="Puts rules and settings in force",
            settings=settings,
            code=code,
            timeout=Duration.seconds(PUBLISHER_TIMEOUT_S),
            memory_mb=PUBLISHER_MEMORY_MB,
            environment={
                PREFIX_KEY: settings.prefix,
                DEFAULTS_KEY: json.dumps(settings.runtime, sort_keys=True),
                BUCKET_KEY: bucket.bucket_name,
                LEDGER_KEY: ledger.table_name,
            },
        )
        self._may_read_parameters(settings.prefix.removeprefix("/"))
        self._may_publish(bucket)
        self._may_read_brakes(ledger)
        self.changes = self._changes()
        self._on_changes(settings.prefix)
        self._on_schedule("EveryMinute", Duration.minutes(1), Scope.SETTINGS)
        self._on_schedule("EveryQuarter", Duration.minutes(15), Scope.EVERYTHING)

    def _may_read_parameters(self, prefix: str) -> None:
        below = self._parameter(f"{prefix}/*")
        for action, resources in (
            ("ssm:GetParametersByPath", [self._parameter(prefix), below]),
            ("ssm:GetParameters", [self._parameter(f"{prefix}/{name}") for name in _SMALL]),
        ):
            self.function.add_to_role_policy(
                iam.PolicyStatement(actions=[action], resources=resources)
            )
        acknowledge_wildcards(
            self,
            resource_wildcard(self, below),
            reason="Rules are added while it runs: it reads all parameters below its prefix.",
        )

    def _parameter(self, name: str) -> str:
        return Stack.of(self).format_arn(service="ssm", resource="parameter", resource_name=name)

    def _may_publish(self, bucket: s3.IBucket) -> None:
        """Allow to read uploads, to read and write all else, and to know whether it exists."""
        revisions, lists, uploads = (
            bucket.arn_for_objects(key) for key in (revision_key("*"), list_key("*"), f"{UPLOADS}*")
        )
        for actions, resources in (
            (
                ["s3:GetObject", "s3:PutObject"],
                [bucket.arn_for_objects(POINTER_KEY), revisions, lists],
            ),
            (["s3:GetObject"], [uploads]),
            (["s3:ListBucket"], [bucket.bucket_arn]),
        ):
            self.function.add_to_role_policy(
                iam.PolicyStatement(actions=actions, resources=resources)
            )
        acknowledge_wildcards(
            self,
            *(resource_wildcard(self, each) for each in (revisions, lists, uploads)),
            reason=f"{NAMED_BY_DIGEST} Operators name their uploads.",
        )

    def _may_read_brakes(self, ledger: dynamodb.ITableV2) -> None:
        """Allow to read the one item that names the braked rules."""
        self.function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["dynamodb:BatchGetItem"],
                resources=[ledger.table_arn],
                conditions={"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [BRAKES]}},
            )
        )

    def _changes(self) -> sqs.Queue:
        """Make the queue of changes; what is in it says only that something changed."""
        queue = sqs.Queue(
            self,
            "Changes",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            visibility_timeout=Duration.seconds(6 * PUBLISHER_TIMEOUT_S),
            retention_period=Duration.minutes(30),
        )
        Validations.of(queue).acknowledge(
            Acknowledgment(
                id="AwsSolutions-SQS3",
                reason="A change that could not be published is found again every 15 minutes, and "
                "the alarm publisher-errors says so: a dead letter would say no more.",
            )
        )
        return queue

    def _on_changes(self, prefix: str) -> None:
        events.Rule(
            self,
            "Changed",
            description="Parameters of the auto-bouncer that changed",
            event_pattern=events.EventPattern(
                source=["aws.ssm"],
                detail_type=["Parameter Store Change"],
                detail={"name": [{"prefix": f"{prefix}/"}]},
            ),
            targets=[targets.SqsQueue(self.changes)],
        )
        # Not an event source of the function: its id would contain the queue's place in the tree.
        lambda_.EventSourceMapping(
            self,
            "Mapping",
            target=self.function,
            event_source_arn=self.changes.queue_arn,
            batch_size=_MOST_CHANGES,
            max_batching_window=Duration.seconds(_WINDOW_S),
            max_concurrency=_MOST_AT_ONCE,
        )
        self.changes.grant_consume_messages(self.function)

    def _on_schedule(self, id_: str, every: Duration, scope: Scope) -> None:
        """Run it at an interval; a run that is not invoked is left to the next one.

        Not a target of CDK's own: the id of its permission would contain the place in the tree.
        """
        rule = events.CfnRule(
            self,
            id_,
            description=f"Publishes {scope} of the auto-bouncer",
            schedule_expression=events.Schedule.rate(every).expression_string,
            targets=[
                events.CfnRule.TargetProperty(
                    arn=self.function.function_arn,
                    id="Publisher",
                    input=json.dumps({PUBLISH: str(scope)}),
                    retry_policy=events.CfnRule.RetryPolicyProperty(maximum_retry_attempts=0),
                )
            ],
        )
        lambda_.CfnPermission(
            self,
            f"{id_}Invocation",
            action="lambda:InvokeFunction",
            function_name=self.function.function_arn,
            principal="events.amazonaws.com",
            source_account=Stack.of(self).account,
            source_arn=rule.attr_arn,
        )
