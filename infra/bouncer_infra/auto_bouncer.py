"""The whole auto-bouncer in one stack: it composes the constructs, wires them and grants."""

import json

from aws_cdk import Acknowledgment, Aws, CfnOutput, Duration, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_logs_destinations as destinations
from aws_cdk import aws_s3 as s3
from constructs import Construct

from bouncer.environment import (
    DEAD_LETTER_KEY,
    DEFAULTS_KEY,
    DOMAIN_KEY,
    LEDGER_KEY,
    PREFIX_KEY,
    QUEUE_KEY,
)
from bouncer.mail.address import identities
from bouncer_infra.account_setting_resources import Switches
from bouncer_infra.alarms import Alarms
from bouncer_infra.analysis import Analysis
from bouncer_infra.archive import Archive, private_bucket
from bouncer_infra.bounce_queue import BounceQueue
from bouncer_infra.configuration_set import Sending
from bouncer_infra.dashboard import Dashboard
from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.function import Function
from bouncer_infra.ledger_table import Ledger
from bouncer_infra.mail_path import MailPath
from bouncer_infra.metrics import Metrics
from bouncer_infra.nag import acknowledge_wildcards
from bouncer_infra.receiving_regions import warn_without_receiving
from bouncer_infra.saved_queries import Insights
from bouncer_infra.sender_identity import warn_of_other_senders

INTAKE_TIMEOUT = Duration.seconds(20)  # SES waits 30 seconds
WORKER_TIMEOUT = Duration.seconds(60)  # ten paced calls, and room to retry


JOURNAL_MARK = "service"  # in every line of the journal, and in no other line a function writes


class AutoBouncer(Stack):
    """One deployment; several with different names can live in one account and region.

    `target_region` is where it will be deployed, if that is known: the template fits every region.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        settings: DeploymentSettings,
        code: lambda_.Code,
        target_region: str | None = None,
        **stack: object,
    ) -> None:
        super().__init__(scope, id_, **stack)  # type: ignore[arg-type]  # passed through
        warn_without_receiving(self, target_region)
        self._settings = settings
        self._code = code
        self.queue = BounceQueue(self, "BounceQueue", consumer_timeout=WORKER_TIMEOUT)
        self.ledger = Ledger(self, "Ledger", recovery=settings.ledger_recovery)
        self.intake = self._function(
            "Intake",
            "Judges mail received by SES",
            INTAKE_TIMEOUT,
            {QUEUE_KEY: self.queue.queue.queue_url, DOMAIN_KEY: Aws.URL_SUFFIX},
        )
        self.worker = self._function(
            "Worker",
            "Sends bounces, at most one a second",
            WORKER_TIMEOUT,
            {
                QUEUE_KEY: self.queue.queue.queue_url,
                DEAD_LETTER_KEY: self.queue.dead_letters.queue_url,
                LEDGER_KEY: self.ledger.table.table_name,
            },
        )
        self._grant_intake()
        self._grant_worker()
        self.worker.function.add_event_source(
            sources.SqsEventSource(self.queue.queue, batch_size=10, report_batch_item_failures=True)
        )
        store = private_bucket(self, "Mail", days=settings.store.days) if settings.store else None
        self.mail_path = MailPath(
            self, "MailPath", settings=settings, intake=self.intake.function, store=store
        )
        self._archives()
        self._switches()
        self._observe()
        self._outputs(store)

    def _outputs(self, store: s3.Bucket | None) -> None:
        """The names that the commands of docs/operations.md and docs/deploy.md ask for."""
        CfnOutput(self, "RulesPrefix", value=f"{self._settings.prefix}/rules/")
        CfnOutput(self, "RuleSetName", value=self._settings.rule_set)
        CfnOutput(self, "QueueUrl", value=self.queue.queue.queue_url)
        CfnOutput(self, "QueueArn", value=self.queue.queue.queue_arn)
        CfnOutput(self, "DeadLetterUrl", value=self.queue.dead_letters.queue_url)
        CfnOutput(self, "DeadLetterArn", value=self.queue.dead_letters.queue_arn)
        CfnOutput(self, "ArchiveBucket", value=self.bucket.bucket_name)
        if store:
            CfnOutput(self, "MailBucket", value=store.bucket_name)

    def _function(
        self, id_: str, description: str, timeout: Duration, resources: dict[str, str]
    ) -> Function:
        return Function(
            self,
            id_,
            name=id_.lower(),
            description=description,
            code=self._code,
            architecture=self._settings.architecture,
            timeout=timeout,
            log_days=self._settings.log_days,
            environment={
                PREFIX_KEY: self._settings.prefix,
                DEFAULTS_KEY: json.dumps(self._settings.runtime, sort_keys=True),
                **resources,
            },
        )

    def _parameter(self, path: str) -> str:
        name = f"{self._settings.prefix}{path}".removeprefix("/")
        return self.format_arn(service="ssm", resource="parameter", resource_name=name)

    def _grant_intake(self) -> None:
        """Reads rules and settings, puts jobs on the queue; it can send no mail."""
        self.queue.queue.grant_send_messages(self.intake.function)
        self.intake.function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["ssm:GetParametersByPath", "ssm:GetParameterHistory"],
                resources=[self._parameter(""), self._parameter("/*")],
            )
        )
        acknowledge_wildcards(
            self.intake,
            "Resource::arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:parameter"
            f"{self._settings.prefix}/*",
            reason="Rules are added while it runs: it reads all parameters below its prefix.",
        )

    def _grant_worker(self) -> None:
        """Reads its settings, takes jobs, keeps the ledger, bounces as the configured senders."""
        self.queue.queue.grant_consume_messages(self.worker.function)
        self.queue.dead_letters.grant_send_messages(self.worker.function)
        self.ledger.table.grant(
            self.worker.function,
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
        )
        self.worker.function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["ssm:GetParameter", "ssm:GetParameterHistory"],
                resources=[self._parameter("/settings")],
            )
        )
        senders = self._settings.senders
        verifying = dict.fromkeys(name for sender in senders for name in identities(sender))
        self.worker.function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["ses:SendBounce"],
                resources=[
                    *map(self._identity, verifying),
                    # SES asks for the sender's default set, too; SendBounce can name no other.
                    self.format_arn(service="ses", resource="configuration-set", resource_name="*"),
                ],
                conditions={"StringEquals": {"ses:FromAddress": list(senders)}},
            )
        )
        acknowledge_wildcards(
            self.worker,
            "Resource::arn:<AWS::Partition>:ses:<AWS::Region>:<AWS::AccountId>:configuration-set/*",
            reason="The set is the default of a sender's identity, which may be somebody else's; "
            "SendBounce can't name one, and the senders are limited by ses:FromAddress.",
        )

    def _identity(self, name: str) -> str:
        return self.format_arn(service="ses", resource="identity", resource_name=name)

    def _archives(self) -> None:
        """SES's events and our journal, as JSON lines in one bucket."""
        self.bucket = private_bucket(self, "Archive", days=self._settings.archive_days)
        lines = [firehose.AppendDelimiterToRecordProcessor()]
        events = Archive(self, "Events", bucket=self.bucket, folder="events", processors=lines)
        self.sending = Sending(self, "Sending", settings=self._settings, events=events.stream)
        journal = Archive(
            self,
            "Journal",
            bucket=self.bucket,
            folder="journal",
            processors=[
                firehose.DecompressionProcessor(),
                firehose.CloudWatchLogProcessor(data_message_extraction=True),
                firehose.AppendDelimiterToRecordProcessor(),
            ],
        )
        Validations.of(self).acknowledge(
            Acknowledgment(
                id="CloudFormation-Validate::W7001",
                reason="CDK adds the map of Firehose's networks to every stack with a stream; only "
                "streams into Redshift need it.",
            )
        )
        for function in (self.intake, self.worker):
            function.logs.add_subscription_filter(
                "Journal",
                destination=destinations.FirehoseDestination(journal.stream),
                # A selector must name a text or a number: one of an object filters nothing.
                filter_pattern=logs.FilterPattern.exists(f"$.{JOURNAL_MARK}"),
            )

    def _switches(self) -> None:
        """The active rule set if asked for; a sender's default configuration set unless declined.

        Taken only if nobody else holds them. An identity made here comes with the set; the switch
        is there to take it off again, as the identity outlives the set.
        """
        settings = self._settings
        if not (settings.attaches or settings.activate_rule_set):
            return
        switches = Switches(
            self,
            "Switches",
            code=self._code,
            architecture=settings.architecture,
            log_days=settings.log_days,
        )
        if settings.activate_rule_set:
            switches.activate(settings.rule_set, needs=self.mail_path)
        if settings.attaches:
            warn_of_other_senders(self, settings)
            switches.attach(settings.identity, self.sending.configuration_set, needs=self.sending)

    def _observe(self) -> None:
        """Alarms, a dashboard, and saved questions to the logs and to the archive."""
        settings = self._settings
        metrics = Metrics(
            settings=settings,
            intake=self.intake.function,
            worker=self.worker.function,
            queue=self.queue.queue,
            dead_letters=self.queue.dead_letters,
        )
        self.alarms = Alarms(self, "Alarms", settings=settings, metrics=metrics)
        Dashboard(self, "Dashboard", metrics=metrics, alarms=self.alarms.alarms)
        log_groups = [self.intake.logs, self.worker.logs]
        Insights(self, "Insights", folder=settings.folder, log_groups=log_groups)
        Analysis(self, "Analysis", settings=settings, bucket=self.bucket)
