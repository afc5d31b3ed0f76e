"""The mail bucket: SES stores every mail in it, and the intake keeps those that it stops.

Both expire. Where several rules of a lifecycle apply, the shortest time holds (S3 User Guide,
"Conflicting lifecycle configurations"); so what stands below an earlier prefix expires as well.
"""

from aws_cdk import Annotations, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from bouncer.environment import KEEPS_KEY, MAIL_BUCKET_KEY, MAIL_PREFIX_KEY
from bouncer.function_limits import PRODUCT
from bouncer.sources.stopped_mail import STOPPED
from bouncer_infra.archive import closed_bucket
from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.deployment_values import MailStore
from bouncer_infra.function import Function
from bouncer_infra.nag import acknowledge_wildcards, resource_wildcard


def mail_bucket(scope: Construct, id_: str, *, settings: DeploymentSettings) -> s3.Bucket | None:
    """Make the bucket, or report what is lost without it."""
    store = settings.store
    if store is None:
        Annotations.of(scope).add_info(
            "store: false: mail that is stopped can't be brought back, headers beyond 10 KB are "
            f"not known, and rules can't ask for content. See {PRODUCT}'s docs/deploy.md"
            "#stored-mail."
        )
        return None
    lifecycle = [
        _expiring("", max(store.days, settings.stopped_days)),
        _expiring(store.prefix, store.days),
        _expiring(STOPPED, settings.stopped_days),
    ]
    return closed_bucket(scope, id_, lifecycle=lifecycle)


def _expiring(prefix: str, days: int) -> s3.LifecycleRule:
    return s3.LifecycleRule(
        prefix=prefix or None,
        expiration=Duration.days(days),
        abort_incomplete_multipart_upload_after=Duration.days(1),
    )


def may_keep_mail(intake: Function, bucket: s3.Bucket, settings: DeploymentSettings) -> None:
    """Let the intake read stored mail and, where SES waits for it, keep what it stops."""
    store = settings.store or MailStore()
    stored, stopped = (bucket.arn_for_objects(f"{each}*") for each in (store.prefix, STOPPED))
    intake.function.add_environment(MAIL_BUCKET_KEY, bucket.bucket_name)
    intake.function.add_environment(MAIL_PREFIX_KEY, store.prefix)
    _may(intake, "s3:GetObject", stored)
    wildcards = [resource_wildcard(intake, stored)]
    if settings.invocation == "request_response":
        intake.function.add_environment(KEEPS_KEY, "true")
        _may(intake, "s3:PutObject", stopped)
        wildcards.append(resource_wildcard(intake, stopped))
    acknowledge_wildcards(
        intake,
        *wildcards,
        reason="SES names an object by the mail's message id, which nobody knows beforehand.",
    )


def _may(intake: Function, action: str, resource: str) -> None:
    intake.function.add_to_role_policy(iam.PolicyStatement(actions=[action], resources=[resource]))
