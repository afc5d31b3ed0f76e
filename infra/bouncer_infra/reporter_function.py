"""The reporter function, its schedule, and its permissions: it reads much, and sends one mail.

EventBridge Scheduler knows time zones, which rules of EventBridge do not. It invokes the function
through a role of its own.
"""

import json
from collections.abc import Mapping, Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from bouncer.environment import (
    BUCKET_KEY,
    DEAD_LETTERS_KEY,
    LEDGER_KEY,
    LOG_GROUPS_KEY,
    PREFIX_KEY,
    QUEUE_KEY,
    REPORT_KEY,
)
from bouncer.function_limits import REPORT_DAYS, REPORT_SCHEDULED, REPORTER_TIMEOUT_S
from bouncer.mail.address import identities, mailbox_address
from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.function import Function
from bouncer_infra.nag import acknowledge_wildcards, resource_wildcard
from bouncer_infra.report_setting import ReportSetting
from bouncer_infra.revision_bucket import may_read_revisions

_MEMORY_MB = 512  # a revision may have a hundred thousand rules
_WINDOW_MIN = 15  # Scheduler spreads what many ask for at seven o'clock
_MOST_AGE_S = 3600  # for which Scheduler tries again to invoke the function


class Reporter(Function):
    """The function `bouncer.reporter`, which mails a report each day.

    `dead_letters` are queues by the key of the alarm that watches each of them.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        settings: DeploymentSettings,
        report: ReportSetting,
        code: lambda_.Code,
        queue: sqs.IQueue,
        dead_letters: Mapping[str, sqs.IQueue],
        ledger: dynamodb.ITableV2,
        bucket: s3.IBucket,
        log_groups: Sequence[logs.ILogGroup],
    ) -> None:
        addressed = {
            "from": settings.report_sender,
            "to": list(report.to),
            "timezone": report.zone,
        }
        pairs = [f"{key}={each.queue_url}" for key, each in dead_letters.items()]
        super().__init__(
            scope,
            id_,
            name="reporter",
            description="Mails a report to operators each day",
            settings=settings,
            code=code,
            timeout=Duration.seconds(REPORTER_TIMEOUT_S),
            memory_mb=_MEMORY_MB,
            environment={
                PREFIX_KEY: settings.prefix,
                BUCKET_KEY: bucket.bucket_name,
                QUEUE_KEY: queue.queue_url,
                LEDGER_KEY: ledger.table_name,
                DEAD_LETTERS_KEY: " ".join(pairs),
                REPORT_KEY: json.dumps(addressed, sort_keys=True),
            },
        )
        groups = [*log_groups, self.logs]
        names = " ".join(group.log_group_name for group in groups)
        self.function.add_environment(LOG_GROUPS_KEY, names)
        self._may_query(groups)
        self._may_look([queue, *dead_letters.values()])
        may_read_revisions(self, bucket)
        self._may_begin(ledger)
        self._may_send(settings)
        self.schedule = self._schedule(report)

    def _allow(
        self,
        actions: list[str],
        resources: list[str],
        conditions: Mapping[str, Mapping[str, object]] | None = None,
    ) -> None:
        self.function.add_to_role_policy(
            iam.PolicyStatement(actions=actions, resources=resources, conditions=conditions)
        )

    def _may_query(self, log_groups: Sequence[logs.ILogGroup]) -> None:
        self._allow(["logs:StartQuery"], [group.log_group_arn for group in log_groups])
        unnamed = ["cloudwatch:GetMetricStatistics", "logs:GetQueryResults", "logs:StopQuery"]
        self._allow(unnamed, ["*"])
        acknowledge_wildcards(
            self,
            "Resource::*",
            reason="IAM knows no resource for a metric, nor for a query, which these calls name "
            "by its id (Service Authorization Reference).",
        )

    def _may_look(self, queues: Sequence[sqs.IQueue]) -> None:
        alarms = self._arn("cloudwatch", "alarm:*")
        self._allow(["sqs:GetQueueAttributes"], [queue.queue_arn for queue in queues])
        self._allow(["cloudwatch:DescribeAlarms"], [alarms])
        acknowledge_wildcards(
            self,
            resource_wildcard(self, alarms),
            reason="It asks for alarms by the beginning of their names.",
        )

    def _may_begin(self, ledger: dynamodb.ITableV2) -> None:
        """Allow to write the items of days, and no others."""
        self._allow(
            ["dynamodb:UpdateItem"],
            [ledger.table_arn],
            {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{REPORT_DAYS}*"]}},
        )

    def _may_send(self, settings: DeploymentSettings) -> None:
        sender = mailbox_address(settings.report_sender)
        verifying = [self._arn("ses", f"identity/{name}") for name in identities(sender)]
        ours = self._arn("ses", f"configuration-set/{settings.full_name}")
        self._allow(
            ["ses:SendEmail"],
            [*verifying, ours],
            {"StringEqualsIgnoreCase": {"ses:FromAddress": sender}},
        )

    def _arn(self, service: str, name: str) -> str:
        stack = Stack.of(self)
        return f"arn:{stack.partition}:{service}:{stack.region}:{stack.account}:{name}"

    def _schedule(self, report: ReportSetting) -> scheduler.CfnSchedule:
        """Invoke the function each day; Lambda invokes it twice more if it fails."""
        role = iam.Role(
            self,
            "Scheduler",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            ),
            inline_policies={
                "invoke": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(
                            actions=["lambda:InvokeFunction"],
                            resources=[self.function.function_arn],
                        )
                    ]
                )
            },
        )
        return scheduler.CfnSchedule(
            self,
            "Schedule",
            description="The daily report of the auto-bouncer",
            schedule_expression=f"cron({report.at.minute} {report.at.hour} * * ? *)",
            schedule_expression_timezone=report.zone,
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(
                mode="FLEXIBLE", maximum_window_in_minutes=_WINDOW_MIN
            ),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=self.function.function_arn,
                role_arn=role.role_arn,
                input=json.dumps({REPORT_SCHEDULED: "<aws.scheduler.scheduled-time>"}),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=_MOST_AGE_S, maximum_retry_attempts=10
                ),
            ),
        )
