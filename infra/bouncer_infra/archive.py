"""The archive: SES's events and our journal as JSON lines in one private bucket, for Athena.

Each stream writes into folders by the day of arrival.
"""

from collections.abc import Sequence

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Size, Validations
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_logs as logs
from aws_cdk import aws_logs_destinations as destinations
from aws_cdk import aws_s3 as s3
from constructs import Construct

from bouncer.metric_names import SERVICE
from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.nag import acknowledge_wildcards, resource_wildcard

# Folders by the day of arrival; the tables' partition projection knows this form.
DAY_FOLDER = "day=!{timestamp:yyyy-MM-dd}/"
JOURNAL_MARK = SERVICE  # in every line of the journal, and in no other line a function writes


class Archive(Construct):
    """A bucket with the streams `events` and `journal`; objects expire after `archive_days`."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        settings: DeploymentSettings,
        functions_logs: Sequence[logs.ILogGroup],
    ) -> None:
        super().__init__(scope, id_)
        self.bucket = private_bucket(self, "Bucket", days=settings.archive_days)
        lines = firehose.AppendDelimiterToRecordProcessor()
        unpacked: list[firehose.IDataProcessor] = [
            firehose.DecompressionProcessor(),
            firehose.CloudWatchLogProcessor(data_message_extraction=True),
        ]
        self.events = ArchiveStream(
            self, "Events", bucket=self.bucket, folder="events", processors=[lines]
        )
        self.journal = ArchiveStream(
            self, "Journal", bucket=self.bucket, folder="journal", processors=[*unpacked, lines]
        )
        self.streams = (self.events.stream, self.journal.stream)
        self.subscriptions = [self._subscribe(group) for group in functions_logs]

    def _subscribe(self, group: logs.ILogGroup) -> logs.SubscriptionFilter:
        """Send the journal's lines of a function's logs to the archive."""
        return group.add_subscription_filter(
            "Journal",
            destination=destinations.FirehoseDestination(self.journal.stream),
            # A selector must name a text or a number: one of an object filters nothing.
            filter_pattern=logs.FilterPattern.exists(f"$.{JOURNAL_MARK}"),
        )


class ArchiveStream(Construct):
    """A delivery stream to `folder/day=YYYY-MM-DD/` in a bucket; `processors` unwrap records."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        bucket: s3.IBucket,
        folder: str,
        processors: Sequence[firehose.IDataProcessor],
    ) -> None:
        super().__init__(scope, id_)
        # The log group that CDK makes by itself would never expire, and would outlive the stack.
        self.problems = logs.LogGroup(
            self,
            "Problems",
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.stream = firehose.DeliveryStream(
            self,
            "Stream",
            encryption=firehose.StreamEncryption.aws_owned_key(),
            destination=firehose.S3Bucket(
                bucket,
                buffering_interval=Duration.minutes(5),
                buffering_size=Size.mebibytes(5),
                compression=firehose.Compression.GZIP,
                data_output_prefix=f"{folder}/{DAY_FOLDER}",
                error_output_prefix=f"errors/{folder}/!{{firehose:error-output-type}}/{DAY_FOLDER}",
                file_extension=".json.gz",
                logging_config=firehose.EnableLogging(self.problems),
                processors=list(processors),
            ),
        )
        acknowledge_wildcards(
            self.stream,
            *(f"Action::s3:{verb}*" for verb in ("GetObject", "GetBucket", "List")),
            *(f"Action::s3:{verb}*" for verb in ("DeleteObject", "Abort")),
            resource_wildcard(self, bucket.arn_for_objects("*")),
            reason="Firehose names the files it writes: CDK grants it the objects of this bucket.",
        )


def private_bucket(scope: Construct, id_: str, *, days: int) -> s3.Bucket:
    """Make a bucket for this account only: TLS, encrypted; objects expire after `days`."""
    rule = s3.LifecycleRule(
        expiration=Duration.days(days), abort_incomplete_multipart_upload_after=Duration.days(1)
    )
    return closed_bucket(scope, id_, lifecycle=[rule])


def closed_bucket(
    scope: Construct, id_: str, *, lifecycle: list[s3.LifecycleRule], versioned: bool = False
) -> s3.Bucket:
    """Make a bucket for this account only: TLS, encrypted; it outlives the stack."""
    bucket = s3.Bucket(
        scope,
        id_,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        encryption=s3.BucketEncryption.S3_MANAGED,
        enforce_ssl=True,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        lifecycle_rules=lifecycle,
        versioned=versioned or None,
        removal_policy=RemovalPolicy.RETAIN,
    )
    if bucket.policy:  # a bucket that outlives the stack stays closed
        bucket.policy.apply_removal_policy(RemovalPolicy.RETAIN)
    Validations.of(bucket).acknowledge(
        Acknowledgment(
            id="AwsSolutions-S1",
            reason="The account's CloudTrail records who reads the objects: access logs would need "
            "a second bucket, and keep addresses in it for longer than this one does.",
        )
    )
    return bucket
