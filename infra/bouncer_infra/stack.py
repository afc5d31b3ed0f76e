"""One deployment as a stack, as CDK's command line asks for it: by cdk.json and its environment."""

import os

from aws_cdk import Acknowledgment, App, CfnOutput, Stack, Validations
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from bouncer.sources.source import HELD, RULES
from bouncer_infra.auto_bouncer import AutoBouncer
from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.deployment_settings_reader import read_settings


def auto_bouncer(app: App) -> "AutoBouncerStack":
    """Return the stack of the app's `bouncer` context; raises `DocumentError` if that is wrong."""
    settings = read_settings(app.node.try_get_context("bouncer"))
    return AutoBouncerStack(
        app,
        settings.full_name,
        settings=settings,
        target_region=os.environ.get("CDK_DEFAULT_REGION"),
        target_account=os.environ.get("CDK_DEFAULT_ACCOUNT"),
    )


class AutoBouncerStack(Stack):
    """A stack with one auto-bouncer, by the deployment's name, with the outputs of the runbooks."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        settings: DeploymentSettings,
        code: lambda_.Code | None = None,
        target_region: str | None = None,
        target_account: str | None = None,
    ) -> None:
        super().__init__(scope, id_, stack_name=settings.full_name)
        # CDK leaves "Default" out of logical ids, which names in the consoles begin with.
        self.bouncer = AutoBouncer(
            self,
            "Default",
            settings=settings,
            code=code,
            target_region=target_region,
            target_account=target_account,
        )
        Validations.of(self).acknowledge(
            Acknowledgment(
                id="CloudFormation-Validate::W7001",
                reason="CDK adds the map of Firehose's networks to every stack with a stream; only "
                "streams into Redshift need it.",
            )
        )
        for name, value in _outputs(self.bouncer).items():
            CfnOutput(self, name, value=value)


def _outputs(bouncer: AutoBouncer) -> dict[str, str]:
    """Return what the commands of docs/operations.md and docs/deploy.md ask for."""
    queue, dead_letters = bouncer.queue.queue, bouncer.queue.dead_letters
    outputs = {
        "RulesPrefix": f"{bouncer.settings.prefix}/{RULES}",
        "HeldParameter": f"{bouncer.settings.prefix}/{HELD}",
        "RulesBucket": bouncer.revisions.bucket.bucket_name,
        "PublisherArn": bouncer.publisher.function.function_arn,
        "RuleSetName": bouncer.settings.rule_set,
        "QueueUrl": queue.queue_url,
        "QueueArn": queue.queue_arn,
        "DeadLetterUrl": dead_letters.queue_url,
        "DeadLetterArn": dead_letters.queue_arn,
        "IntakeArn": bouncer.intake.function.function_arn,
        "FeedbackArn": bouncer.feedback.queue.queue_arn,
        "LostFeedbackArn": bouncer.feedback.dead_letters.queue_arn,
    }
    if bouncer.archive:
        outputs["ArchiveBucket"] = bouncer.archive.bucket.bucket_name
    if bouncer.failed_events:
        outputs["FailedEventsUrl"] = bouncer.failed_events.queue.queue_url
    if bouncer.replies:
        outputs["ReplyQueueUrl"] = bouncer.replies.queue.queue_url
        outputs["ReplyDeadLetterUrl"] = bouncer.replies.dead_letters.queue_url
    if bouncer.store:
        outputs["MailBucket"] = bouncer.store.bucket_name
    return outputs
