"""Deployments as stacks, as CDK's command line asks for them: by cdk.json and its environment."""

import os

from aws_cdk import Acknowledgment, App, CfnOutput, Environment, Stack, Validations
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from bouncer.sources.source import HELD, RULES
from bouncer_infra.auto_bouncer import AutoBouncer
from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.deployment_settings_reader import chosen, read_deployments
from bouncer_infra.deployments import needs


def auto_bouncers(app: App) -> None:
    """Add the stack of each deployment in the app's `bouncer` context.

    With `-c deployment=NAME` only that one is added; what clashes is refused all the same. Raises
    `BouncerError`.
    """
    every = read_deployments(app.node.try_get_context("bouncer"))
    name = app.node.try_get_context("deployment")
    wanted = every if name is None else (chosen(every, name),)
    stacks = {each.name: _stack(app, each) for each in wanted}
    for each in wanted:
        for needed in needs(each, wanted):
            stacks[each.name].add_stack_dependency(stacks[needed.name])


def _stack(app: App, settings: DeploymentSettings) -> "AutoBouncerStack":
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
        super().__init__(
            scope,
            id_,
            stack_name=settings.full_name,
            env=Environment(account=settings.account, region=settings.region),
            tags=dict(settings.tags),
            termination_protection=settings.termination_protection,
        )
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
        for name, value in outputs(self.bouncer).items():
            CfnOutput(self, name, value=value)


def outputs(bouncer: AutoBouncer) -> dict[str, str]:
    """Return the outputs that the commands of docs/operations.md and of `bouncer` ask for."""
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
