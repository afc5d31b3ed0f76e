"""The bucket of what is in force: the pointer, the revision that it names, and its lists.

Operators upload lists into it that are too large for a parameter.
"""

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from bouncer.sources.pointer import POINTER_KEY
from bouncer.sources.revision import list_key, revision_key
from bouncer_infra.archive import closed_bucket
from bouncer_infra.function import Function
from bouncer_infra.nag import acknowledge_wildcards, resource_wildcard

_OLD_POINTERS_DAYS = 90  # earlier versions of the pointer say what was in force when

NAMED_BY_DIGEST = "Revisions and lists are named by their digests, which nobody knows beforehand."


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
    """Let a function read pointer, revisions and lists; without ListBucket a missing one is 403."""
    named = [bucket.arn_for_objects(key) for key in (revision_key("*"), list_key("*"))]
    reader.function.add_to_role_policy(
        iam.PolicyStatement(
            actions=["s3:GetObject"], resources=[bucket.arn_for_objects(POINTER_KEY), *named]
        )
    )
    acknowledge_wildcards(
        reader,
        *(resource_wildcard(reader, each) for each in named),
        reason=NAMED_BY_DIGEST,
    )
