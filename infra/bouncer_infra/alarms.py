"""The alarms of a deployment: one row each, with its section in docs/operations.md.

An alarm changes nothing; it notifies `alarm_email`, if the settings have one. Missing data is taken
for good, as our metrics exist only while they count something. SES publishes its rates when they
change, so between two of them the last one holds.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from bouncer.environment import UNKNOWN_DEPLOYMENT
from bouncer.mail.address import mailbox_address
from bouncer.metric_names import Metric, withheld_for
from bouncer.reasons import Reason
from bouncer_infra.alarm_limits import (
    HOUR_S,
    LONG_WAIT_H,
    MOST_BOUNCE_RATE,
    MOST_COMPLAINT_RATE,
    MOST_DOUBLE_BOUNCE_PERCENT,
    MOST_DUPLICATE_PERCENT,
    MOST_FAILED_PERCENT,
    TOO_LONG_WAIT_H,
)
from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.metrics import DAY, FIVE_MINUTES, HOUR, Metrics, percentage, total

# An alarm takes ten metrics (CloudWatch User Guide, "CloudWatch quotas"): a share of two sums.
_MOST_SUMMED = 5
_SERVICES = ("intake", "worker")  # both read settings; the intake reads rules as well


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """An alarm: `key` is the last part of its name and the anchor of its section.

    A period breaches from `threshold` on, or `above` it only. The alarm is in ALARM if `breaches`
    of the last `periods` breach: one of three by default, as metrics come a little late, and
    CloudWatch does not look again at a period that it filled with 0 (CloudWatch User Guide, "Using
    metric math", FILL).
    """

    key: str
    says: str
    measure: cloudwatch.Metric | cloudwatch.MathExpression
    threshold: float = 1
    above: bool = False
    breaches: int = 1
    periods: int = 3
    missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING


class Alarms(Construct):
    """All alarms of a deployment; `topic` exists if the settings have an `alarm_email`."""

    def __init__(
        self, scope: Construct, id_: str, *, settings: DeploymentSettings, metrics: Metrics
    ) -> None:
        super().__init__(scope, id_)
        self.topic = self._topic(settings.alarm_email) if settings.alarm_email else None
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
        operator = cloudwatch.ComparisonOperator
        alarm = watch.measure.create_alarm(
            self,
            watch.key,
            alarm_name=f"{full_name}-{watch.key}",
            alarm_description=f"{watch.says} See docs/operations.md#{watch.key}",
            threshold=watch.threshold,
            comparison_operator=operator.GREATER_THAN_THRESHOLD
            if watch.above
            else operator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=watch.periods,
            datapoints_to_alarm=watch.breaches,
            treat_missing_data=watch.missing,
        )
        if self.topic:
            action = actions.SnsAction(self.topic)
            alarm.add_alarm_action(action)
            alarm.add_ok_action(action)
        return alarm


def watches(metrics: Metrics) -> Iterator[Watch]:
    """Yield every alarm, in the order of docs/operations.md."""
    yield from _queue(metrics)
    yield from _functions(metrics)
    yield from _documents(metrics)
    yield _went_on(metrics)
    yield from _bounces(metrics)


def _queue(metrics: Metrics) -> Iterator[Watch]:
    yield Watch(
        key="dead-letters",
        says="Jobs were given up and are in the dead-letter queue.",
        measure=metrics.dead_letters.metric_approximate_number_of_messages_visible(
            statistic="Maximum", period=FIVE_MINUTES
        ),
        periods=1,
    )
    for hours, says in (
        (
            LONG_WAIT_H,
            "The oldest job has waited half of the 24 hours in which SES takes it.",
        ),
        (TOO_LONG_WAIT_H, "The oldest job will expire in less than 4 hours."),
    ):
        yield Watch(
            key=f"oldest-job-{hours}h",
            says=says,
            measure=metrics.queue.metric_approximate_age_of_oldest_message(
                statistic="Maximum", period=FIVE_MINUTES
            ),
            threshold=hours * HOUR_S,
            periods=1,
        )
    # SQS leaves jobs that were received three times or more out of the age (SQS Developer Guide,
    # "Available CloudWatch metrics"): it does not show a job that is handed back again and again.
    yield Watch(
        key="stuck-worker",
        says="The worker has handed jobs back to the queue for a quarter of an hour.",
        measure=metrics.own("worker", Metric.HANDED_BACK),
        breaches=3,
    )
    yield Watch(
        key="unreadable-jobs",
        says="The worker could not read a queue message as a job; it is a dead letter now.",
        measure=metrics.own("worker", Metric.UNREADABLE_JOBS),
    )


def _functions(metrics: Metrics) -> Iterator[Watch]:
    yield Watch(
        key="intake-errors",
        says="The intake failed, so mail went on without being judged.",
        measure=total(
            [
                metrics.own("intake", Metric.INTAKE_ERRORS),
                metrics.own(
                    "intake",
                    Metric.INTAKE_ERRORS,
                    deployment=UNKNOWN_DEPLOYMENT,
                    label="no environment",
                ),
                metrics.intake.metric_errors(label="crashes"),
            ],
            label="intake errors",
        ),
    )
    yield Watch(
        key="worker-errors",
        says="The worker crashed, or could not write to its ledger or its queue.",
        measure=total(
            [
                metrics.own("worker", Metric.WORKER_ERRORS),
                metrics.worker.metric_errors(label="crashes"),
            ],
            label="worker errors",
        ),
    )
    yield Watch(
        key="throttles",
        says="Lambda throttled the intake or the worker.",
        measure=total(
            [
                metrics.intake.metric_throttles(label="intake"),
                metrics.worker.metric_throttles(label="worker"),
            ],
            label="throttles",
        ),
    )


def _documents(metrics: Metrics) -> Iterator[Watch]:
    yield Watch(
        key="invalid-rules",
        says="A rule or the settings are invalid; an earlier version is in force, or none.",
        measure=total(
            [
                metrics.own(service, Metric.INVALID_DOCUMENTS, label=service)
                for service in _SERVICES
            ],
            label="invalid documents",
        ),
    )
    yield Watch(
        key="stale-rules",
        says="Rules or settings could not be read again; the last good ones are in force.",
        measure=total(
            [metrics.own(each, Metric.STALE_RULES, label=each) for each in _SERVICES],
            label="stale rules",
        ),
    )


def _went_on(metrics: Metrics) -> Watch:
    most = metrics.settings.went_on_percent
    reasons = (Reason.HEADERS_TRUNCATED, Reason.UNVERIFIABLE)
    unanswered = [metrics.own("intake", withheld_for(each), period=HOUR) for each in reasons]
    rejected = metrics.own("intake", Metric.REJECTED, period=HOUR)
    return Watch(
        key="went-on",
        says=f"More than {most} % of an hour's rejected mail went on without a bounce.",
        measure=percentage(unanswered, [rejected], label="% went on", period=HOUR, least=10),
        threshold=most,
        above=True,
        periods=2,
    )


def _bounces(metrics: Metrics) -> Iterator[Watch]:
    sent = metrics.own("worker", Metric.SENT, period=HOUR)
    failed = metrics.own("worker", Metric.FAILED, period=HOUR)
    duplicates = metrics.own("worker", withheld_for(Reason.DUPLICATE), period=HOUR)
    yield Watch(
        key="failed-bounces",
        says=f"More than {MOST_FAILED_PERCENT} % of an hour's bounces failed.",
        measure=percentage([failed], [sent, failed], label="% failed", period=HOUR),
        threshold=MOST_FAILED_PERCENT,
        above=True,
        periods=2,
    )
    yield Watch(
        key="duplicates",
        says=f"More than {MOST_DUPLICATE_PERCENT} % of an hour's jobs had been answered before.",
        measure=percentage(
            [duplicates], [sent, duplicates], label="% duplicate", period=HOUR, least=10
        ),
        threshold=MOST_DUPLICATE_PERCENT,
        above=True,
        periods=2,
    )
    yield Watch(
        key="double-bounces",
        says=f"More than {MOST_DOUBLE_BOUNCE_PERCENT} % of a day's mail with our set bounced.",
        measure=percentage(
            metrics.events("Bounce", period=DAY)[:_MOST_SUMMED],
            metrics.events("Send", period=DAY)[:_MOST_SUMMED],
            label="% bounced",
            period=DAY,
            least=10,
        ),
        threshold=MOST_DOUBLE_BOUNCE_PERCENT,
        above=True,
        periods=1,
    )
    yield Watch(
        key="reputation-bounces",
        says="The account's bounce rate is so high that SES may review the account.",
        measure=metrics.reputation("BounceRate"),
        threshold=MOST_BOUNCE_RATE,
        periods=1,
        missing=cloudwatch.TreatMissingData.IGNORE,
    )
    yield Watch(
        key="reputation-complaints",
        says="The account's complaint rate is so high that SES may review the account.",
        measure=metrics.reputation("ComplaintRate"),
        threshold=MOST_COMPLAINT_RATE,
        periods=1,
        missing=cloudwatch.TreatMissingData.IGNORE,
    )
