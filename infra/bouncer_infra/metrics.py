"""The metrics of one deployment by the names CloudWatch has; dashboard and alarms share them.

Our own have the closed list of names and the two dimensions of `bouncer.journal`. None is kept per
sender or recipient: each set of dimensions is a metric that is paid for, and strangers choose their
addresses.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from bouncer_infra.deployment_settings import DeploymentSettings

NAMESPACE = "SesAutoBouncer"
# What a function that can't read its environment says it belongs to (`bouncer.intake`).
UNKNOWN = "unknown"

MINUTE = Duration.minutes(1)
FIVE_MINUTES = Duration.minutes(5)
HOUR = Duration.hours(1)
DAY = Duration.days(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Where the metrics of a deployment come from."""

    settings: DeploymentSettings
    intake: lambda_.Function
    worker: lambda_.Function
    queue: sqs.Queue
    dead_letters: sqs.Queue

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
        """One of the journal's metrics; `service` is intake or worker."""
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            dimensions_map={"deployment": deployment or self.deployment, "service": service},
            label=label or name,
            statistic=statistic,
            period=period,
        )

    def events(self, kind: str, *, period: Duration = HOUR) -> list[cloudwatch.Metric]:
        """SES's count of one kind of event, for each domain bounces come from.

        It counts all mail of an identity whose default is our set: where other mail than bounces is
        sent from that domain, that too.

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
                    "deployment": "none",
                },
                label=f"{kind} ({domain})",
                statistic="Sum",
                period=period,
            )
            for domain in self.sender_domains
        ]

    def reputation(self, rate: str) -> cloudwatch.Metric:
        """BounceRate or ComplaintRate of the whole account in this region, as a share of 1."""
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
    """The sum of metrics that are only there when they count something."""
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
    """How many in a hundred of `whole` are `part`; 0 while there are fewer than `least` of it.

    And 0 where `part` is more than `whole`: what bounced late, of mail that was sent before.
    """
    parts = {f"p{index}": metric for index, metric in enumerate(part)}
    wholes = {f"w{index}": metric for index, metric in enumerate(whole)}
    counted, all_ = (
        f"({' + '.join(f'FILL({name}, 0)' for name in names)})" for names in (parts, wholes)
    )
    told = f"({counted} >= {least}) AND ({all_} >= {counted})"
    return cloudwatch.MathExpression(
        expression=f"IF({told}, 100 * {counted} / {all_}, 0)",
        using_metrics={**parts, **wholes},
        label=label,
        period=period,
    )
