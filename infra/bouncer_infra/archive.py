"""A stream of JSON lines into a private bucket, in folders by day, for Athena to read."""

from collections.abc import Sequence

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Size, Validations
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from bouncer_infra.nag import acknowledge_wildcards, below

# Folders by the day of arrival; the tables' partition projection knows this form.
DAY = "day=!{timestamp:yyyy-MM-dd}/"


def private_bucket(scope: Construct, id_: str, *, days: int) -> s3.Bucket:
    """A bucket nobody else sees, reached over TLS only, encrypted, whose objects expire."""
    bucket = s3.Bucket(
        scope,
        id_,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        encryption=s3.BucketEncryption.S3_MANAGED,
        enforce_ssl=True,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        lifecycle_rules=[
            s3.LifecycleRule(
                expiration=Duration.days(days),
                abort_incomplete_multipart_upload_after=Duration.days(1),
            )
        ],
        removal_policy=RemovalPolicy.RETAIN,
    )
    if bucket.policy:  # what stays behind stays closed
        bucket.policy.apply_removal_policy(RemovalPolicy.RETAIN)
    Validations.of(bucket).acknowledge(
        Acknowledgment(
            id="AwsSolutions-S1",
            reason="Who reads the objects is for the account's CloudTrail to record: access logs "
            "would need a second bucket, and keep addresses in it for longer than this one does.",
        )
    )
    return bucket


class Archive(Construct):
    """A delivery stream to `folder/day=YYYY-MM-DD/` in a bucket; `processors` unwrap records."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        bucket: s3.IBucket,
        folder: str,
        processors: Sequence[firehose.IDataProcessor] = (),
    ) -> None:
        super().__init__(scope, id_)
        # CDK's own would never expire, and would outlive the stack.
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
                data_output_prefix=f"{folder}/{DAY}",
                error_output_prefix=f"errors/{folder}/!{{firehose:error-output-type}}/{DAY}",
                file_extension=".json.gz",
                logging_config=firehose.EnableLogging(self.problems),
                processors=list(processors) or None,
            ),
        )
        acknowledge_wildcards(
            self.stream,
            *(f"Action::s3:{verb}*" for verb in ("GetObject", "GetBucket", "List")),
            *(f"Action::s3:{verb}*" for verb in ("DeleteObject", "Abort")),
            below(self, bucket.bucket_arn, "/*"),
            reason="Firehose names the files it writes: CDK grants it the objects of this bucket.",
        )
