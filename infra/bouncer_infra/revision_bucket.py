"""The bucket of what is in force: immutable revisions, and the pointer that names one of them."""

from aws_cdk import Duration
from aws_cdk import aws_s3 as s3
from constructs import Construct

from bouncer_infra.archive import closed_bucket

_OLD_POINTERS_DAYS = 90  # earlier versions of the pointer say what was in force when


class RevisionBucket(Construct):
    """A private, versioned bucket; revisions stay, as any of them can be put in force again."""

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)
        self.bucket = closed_bucket(
            self,
            "Bucket",
            lifecycle=s3.LifecycleRule(
                noncurrent_version_expiration=Duration.days(_OLD_POINTERS_DAYS),
                abort_incomplete_multipart_upload_after=Duration.days(1),
            ),
            versioned=True,
        )
