"""The alarms of a deployment, made of the rows of `watches`.

An alarm changes nothing; it notifies `alarm_email` and `alarm_topic`, if the settings have them.
"""

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from bouncer.mail.address import mailbox_address
from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.metrics import Metrics
from bouncer_infra.watch import Watch
from bouncer_infra.watches import watches


class Alarms(Construct):
    """All alarms of a deployment; `topic` exists if the settings have an `alarm_email`."""

    def __init__(
        self, scope: Construct, id_: str, *, settings: DeploymentSettings, metrics: Metrics
    ) -> None:
        super().__init__(scope, id_)
        self.topic = self._topic(settings.alarm_email) if settings.alarm_email else None
        self._topics: list[sns.ITopic] = [self.topic] if self.topic else []
        if settings.alarm_topic:
            self._topics.append(sns.Topic.from_topic_arn(self, "Theirs", settings.alarm_topic))
        self.alarms = [self._alarm(settings.full_name, watch) for watch in watches(metrics)]

    def _topic(self, address: str) -> sns.Topic:
        topic = sns.Topic(self, "Topic", enforce_ssl=True)
        topic.add_subscription(subscriptions.EmailSubscription(mailbox_address(address)))
        # This policy replaces the default one, which allows CloudWatch to publish.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["sns:Publish"],
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )
        return topic

    def _alarm(self, full_name: str, watch: Watch) -> cloudwatch.Alarm:
        alarm = watch.measure.create_alarm(
            self,
            watch.key,
            alarm_name=f"{full_name}-{watch.key}",
            alarm_description=f"{watch.says} See docs/operations.md#{watch.key}",
            threshold=watch.threshold,
            comparison_operator=_comparison(watch),
            evaluation_periods=watch.periods,
            datapoints_to_alarm=watch.breaches,
            treat_missing_data=watch.missing,
        )
        for topic in self._topics:
            action = actions.SnsAction(topic)
            alarm.add_alarm_action(action)
            alarm.add_ok_action(action)
        return alarm


def _comparison(watch: Watch) -> cloudwatch.ComparisonOperator:
    operator = cloudwatch.ComparisonOperator
    if watch.below:
        return operator.LESS_THAN_THRESHOLD
    return (
        operator.GREATER_THAN_THRESHOLD
        if watch.above
        else operator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
    )
