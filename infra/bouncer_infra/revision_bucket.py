"""The bucket of what is in force: immutable revisions, and the pointer that names one of them."""

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from bouncer.sources.pointer import POINTER_KEY
from bouncer.sources.revision import revision_key
from bouncer_infra.archive import closed_bucket
from bouncer_infra.function import Function
from bouncer_infra.nag import acknowledge_wildcards, resource_wildcard

_OLD_POINTERS_DAYS = 90  # earlier versions of the pointer say what was in force when


class RevisionBucket(Construct):
    """A private, versioned bucket; revisions stay, as any of them can be put in force again."""

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)
        self.bucket = closed_bucket(
            self,
            "Bucket",
            lifecycle=[
                s3.LifecycleRule(
                    noncurrent_version_expiration=Duration.days(_OLD_POINTERS_DAYS),
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                )
            ],
            versioned=True,
        )


def may_read_pointer(reader: Function, bucket: s3.IBucket) -> None:
    """Let a function read the settings in force, and no rules."""
    reader.function.add_to_role_policy(
        iam.PolicyStatement(
            actions=["s3:GetObject"], resources=[bucket.arn_for_objects(POINTER_KEY)]
        )
    )


def may_read_revisions(reader: Function, bucket: s3.IBucket) -> None:
    """Let a function read pointer and revisions; without ListBucket, a missing one answers 403."""
    revisions = bucket.arn_for_objects(revision_key("*"))
    reader.function.add_to_role_policy(
        iam.PolicyStatement(
            actions=["s3:GetObject"], resources=[bucket.arn_for_objects(POINTER_KEY), revisions]
        )
    )
    acknowledge_wildcards(
        reader,
        resource_wildcard(reader, revisions),
        reason="A revision is named by the digest of its rules, which nobody knows beforehand.",
    )
