"""The metrics of one deployment as CloudWatch names them, for the dashboard and the alarms.

Our own have the names of `bouncer.metric_names` and two dimensions, deployment and service. None is
kept per sender or recipient: each set of dimensions is a metric to pay for, and strangers choose
their addresses.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from bouncer.metric_names import DEPLOYMENT, NAMESPACE, SERVICE
from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.reply_path import ReplyPath

MINUTE = Duration.minutes(1)
FIVE_MINUTES = Duration.minutes(5)
HOUR = Duration.hours(1)
DAY = Duration.days(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """The functions, queues and streams of a deployment, and the metrics they publish.

    `failed_events` is there if SES does not wait for the intake, `replies` if replies are sent,
    `reporter` if there is a report,
    `streams` if there is an archive.
    """

    settings: DeploymentSettings
    intake: lambda_.Function
    worker: lambda_.Function
    queue: sqs.Queue
    dead_letters: sqs.Queue
    publisher: lambda_.Function
    feedback: lambda_.Function
    lost_feedback: sqs.Queue
    failed_events: sqs.Queue | None = None
    reporter: lambda_.Function | None = None
    replies: ReplyPath | None = None
    streams: Sequence[firehose.DeliveryStream] = ()

    @property
    def deployment(self) -> str:
        """The value of the dimension `deployment`: the last part of the prefix."""
        return self.settings.name

    @property
    def sender_domains(self) -> list[str]:
        """The domains bounces come from."""
        domains = (address.rpartition("@")[2].lower() for address in self.settings.senders)
        return list(dict.fromkeys(domains))

    def own(
        self,
        service: str,
        name: str,
        *,
        label: str | None = None,
        statistic: str = "Sum",
        period: Duration = FIVE_MINUTES,
        deployment: str | None = None,
    ) -> cloudwatch.Metric:
        """Return the metric `name` of `bouncer.metric_names`; `service` is the function."""
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            dimensions_map={DEPLOYMENT: deployment or self.deployment, SERVICE: service},
            label=label or name,
            statistic=statistic,
            period=period,
        )

    def events(self, kind: str, *, period: Duration = HOUR) -> list[cloudwatch.Metric]:
        """Return SES's counts of one kind of event, one for each domain bounces come from.

        SES counts all mail of an identity whose default is our set, so other mail sent from that
        domain is in them, too.

        All dimensions of an event destination make one set (SES Developer Guide, "Set up a
        CloudWatch event destination"), so every one of the configuration set must be named.
        """
        return [
            cloudwatch.Metric(
                namespace="AWS/SES",
                metric_name=kind,
                dimensions_map={
                    "ses:from-domain": domain,
                    "ses:configuration-set": self.settings.full_name,
                    DEPLOYMENT: "none",
                },
                label=f"{kind} ({domain})",
                statistic="Sum",
                period=period,
            )
            for domain in self.sender_domains
        ]

    def reputation(self, rate: str) -> cloudwatch.Metric:
        """Return BounceRate or ComplaintRate of the account in this region, as a share of 1."""
        return cloudwatch.Metric(
            namespace="AWS/SES",
            metric_name=f"Reputation.{rate}",
            label=rate,
            statistic="Average",
            period=HOUR,
        )


def total(
    metrics: Sequence[cloudwatch.IMetric], *, label: str, period: Duration = FIVE_MINUTES
) -> cloudwatch.MathExpression:
    """Return the sum of metrics, each of which exists only while it counts something."""
    named = {f"m{index}": metric for index, metric in enumerate(metrics)}
    return cloudwatch.MathExpression(
        expression=" + ".join(f"FILL({name}, 0)" for name in named),
        using_metrics=named,
        label=label,
        period=period,
    )


def percentage(
    part: Sequence[cloudwatch.IMetric],
    whole: Sequence[cloudwatch.IMetric],
    *,
    label: str,
    period: Duration,
    least: int = 1,
) -> cloudwatch.MathExpression:
    """Return `part` in a hundred of `whole`; 0 while `part` counts fewer than `least`.

    It is 0, too, where `part` is more than `whole`: mail of an earlier period that bounced late.
    """
    parts = {f"p{index}": metric for index, metric in enumerate(part)}
    known = {metric: name for name, metric in parts.items()}  # asked for once, as each is paid for
    wholes = {known.get(metric, f"w{index}"): metric for index, metric in enumerate(whole)}
    counted, all_ = (
        f"({' + '.join(f'FILL({name}, 0)' for name in names)})" for names in (parts, wholes)
    )
    counts = f"({counted} >= {least}) AND ({all_} >= {counted})"
    return cloudwatch.MathExpression(
        expression=f"IF({counts}, 100 * {counted} / {all_}, 0)",
        using_metrics={**parts, **wholes},
        label=label,
        period=period,
    )
