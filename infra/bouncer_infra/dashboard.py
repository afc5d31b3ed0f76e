"""One dashboard to run a deployment by: mail in, decisions, waiting jobs, bounces, in that order.

It shows metrics only: a log widget would scan the logs each time somebody looks, and that is
charged. It shows at most `MOST_METRICS`, whatever the settings: three such dashboards of an account
cost nothing. What has an alarm, or is for whoever looks for a cause, is left to the queries.
"""

from collections.abc import Sequence

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from bouncer.metric_names import Metric, withheld_for
from bouncer.reasons import BOUNCE_REASONS
from bouncer.sending.gate import LIFETIME
from bouncer_infra.alarm_limits import (
    HOUR_S,
    LONG_WAIT_H,
    MOST_BOUNCE_RATE,
    MOST_COMPLAINT_RATE,
    TOO_LONG_WAIT_H,
)
from bouncer_infra.metrics import FIVE_MINUTES, MINUTE, Metrics

PER_MINUTE = 60  # SES API reference, SendBounce: at most one call a second
MOST_METRICS = 50  # Amazon CloudWatch pricing, free tier
_EVENTS = ("Send", "Bounce")
_ROW = 24  # columns of a dashboard


class Dashboard(Construct):
    """The dashboard `ses-auto-bouncer-<name>-<region>`: an account has one list of dashboards."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        metrics: Metrics,
        alarms: Sequence[cloudwatch.IAlarm],
    ) -> None:
        super().__init__(scope, id_)
        self.dashboard = cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=f"{metrics.settings.full_name}-{Aws.REGION}",
            default_interval=Duration.days(1),
            period_override=cloudwatch.PeriodOverride.INHERIT,  # or the titles' units are wrong
            widgets=[
                [_title(metrics)],
                [cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms, width=_ROW, height=4)],
                [_mail(metrics), _decisions(metrics), _withheld(metrics)],
                [_waiting(metrics), _oldest(metrics), _rate(metrics)],
                [_trouble(metrics), _wait(metrics), _dead_letters(metrics)],
                [_durations(metrics), _crashes(metrics)],
                [_reputation(metrics), _events(metrics)],
                *([[_replies(metrics)]] if metrics.replies else []),
            ],
        )


def _title(metrics: Metrics) -> cloudwatch.TextWidget:
    prefix = metrics.settings.prefix
    text = (
        f"**{metrics.settings.name}** bounces mail to {', '.join(metrics.settings.recipients)}. "
        "To stop all bounces, run `bouncer pause`; to let all mail go on, add `mode: shadow` to "
        f"the parameter `{prefix}/settings`. What to do about an alarm: docs/operations.md."
    )
    return cloudwatch.TextWidget(markdown=text, width=_ROW, height=2)


def _graph(
    title: str,
    metrics: Sequence[cloudwatch.IMetric],
    *,
    unit: str | None = None,
    limits: Sequence[tuple[float, str]] = (),
    stacked: bool = False,
    width: int = 8,
) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=title,
        left=metrics,
        left_y_axis=cloudwatch.YAxisProps(min=0, label=unit, show_units=False),
        left_annotations=[
            cloudwatch.HorizontalAnnotation(value=value, label=label) for value, label in limits
        ],
        stacked=stacked,
        width=width,
    )


def _mail(metrics: Metrics) -> cloudwatch.GraphWidget:
    named = {
        Metric.MAILS: "mails",
        Metric.INTAKE_ERRORS: "let through by an error",
        Metric.WENT_ON: "rejected, but went on",
    }
    shown = [metrics.own("intake", name, label=label) for name, label in named.items()]
    return _graph("Mail in", shown, unit="mails in 5 minutes")


def _decisions(metrics: Metrics) -> cloudwatch.GraphWidget:
    names = (Metric.ACCEPTED, Metric.REJECTED, Metric.DROPPED, Metric.UNMATCHED)
    shown = [metrics.own("intake", name) for name in names]
    return _graph("Decisions", shown, unit="recipients in 5 minutes", stacked=True)


def _withheld(metrics: Metrics) -> cloudwatch.GraphWidget:
    shown = [
        metrics.own(
            "worker" if reason.asked_by == "gate" else "intake", withheld_for(reason), label=reason
        )
        for reason in BOUNCE_REASONS
    ]
    return _graph("Bounces withheld, by reason", shown, unit="in 5 minutes", stacked=True)


def _waiting(metrics: Metrics) -> cloudwatch.GraphWidget:
    queue = metrics.queue
    shown = [
        queue.metric_approximate_number_of_messages_visible(
            label="waiting", statistic="Maximum", period=FIVE_MINUTES
        ),
        queue.metric_approximate_number_of_messages_not_visible(
            label="with the worker, or handed back", statistic="Maximum", period=FIVE_MINUTES
        ),
        metrics.own("intake", Metric.QUEUED, label="recipients queued in 5 minutes"),
    ]
    return _graph("Queue", shown, unit="jobs")


def _oldest(metrics: Metrics) -> cloudwatch.GraphWidget:
    age = metrics.queue.metric_approximate_age_of_oldest_message(
        statistic="Maximum", period=FIVE_MINUTES
    )
    hours = cloudwatch.MathExpression(
        expression=f"age / {HOUR_S}",
        using_metrics={"age": age},
        label="oldest job, received less than three times",
        period=FIVE_MINUTES,
    )
    limits = [
        (LONG_WAIT_H, "alarm"),
        (TOO_LONG_WAIT_H, "alarm"),
        (LIFETIME.total_seconds() / HOUR_S, "from here on SES takes no bounce"),
    ]
    return _graph("Age of the oldest job", [hours], unit="hours", limits=limits)


def _rate(metrics: Metrics) -> cloudwatch.GraphWidget:
    sent = metrics.own("worker", Metric.SENT, period=MINUTE)
    rate = cloudwatch.MathExpression(  # a rate in any period that a reader chooses
        expression=f"{MINUTE.to_seconds()} * sent / PERIOD(sent)",
        using_metrics={"sent": sent},
        label="sent",
        period=MINUTE,
    )
    limits = [(PER_MINUTE, "SES's limit")]
    return _graph("Bounces sent", [rate], unit="in a minute", limits=limits)


def _trouble(metrics: Metrics) -> cloudwatch.GraphWidget:
    names = [Metric.FAILED, Metric.RETRIED]
    if metrics.replies is None:  # else these, which have alarms, leave their room to replies
        names += [Metric.HANDED_BACK, Metric.HELD, Metric.WORKER_ERRORS]
    shown = [metrics.own("worker", name) for name in names]
    return _graph("Failures and retries", shown, unit="in 5 minutes")


def _wait(metrics: Metrics) -> cloudwatch.GraphWidget:
    wait = metrics.own("worker", Metric.WAIT_TIME, statistic="p90")
    seconds = cloudwatch.MathExpression(
        expression="wait / 1000",
        using_metrics={"wait": wait},
        label="nine of ten bounces",
        period=FIVE_MINUTES,
    )
    return _graph("From mail to bounce", [seconds], unit="seconds")


def _dead_letters(metrics: Metrics) -> cloudwatch.GraphWidget:
    dead = metrics.dead_letters.metric_approximate_number_of_messages_visible(
        label="dead letters", statistic="Maximum", period=FIVE_MINUTES
    )
    invalid = metrics.own("publisher", Metric.INVALID_DOCUMENTS, label="invalid documents")
    return _graph("Dead letters and rules", [dead, invalid])


def _durations(metrics: Metrics) -> cloudwatch.GraphWidget:
    shown = [metrics.intake.metric_duration(label="99 of 100 mails", statistic="p99")]
    return _graph("Duration of the intake", shown, unit="ms", width=12)


def _crashes(metrics: Metrics) -> cloudwatch.GraphWidget:
    shown = [
        metric
        for name, function in (("intake", metrics.intake), ("worker", metrics.worker))
        for metric in (
            function.metric_errors(label=f"{name} crashed"),
            function.metric_throttles(label=f"{name} throttled"),
        )
    ]
    return _graph("Crashes and throttles", shown, unit="in 5 minutes", width=12)


def _reputation(metrics: Metrics) -> cloudwatch.GraphWidget:
    shown = [metrics.reputation("BounceRate"), metrics.reputation("ComplaintRate")]
    limits = [
        (MOST_BOUNCE_RATE, "bounces: under review"),
        (MOST_COMPLAINT_RATE, "complaints: under review"),
    ]
    return _graph("Reputation of the account", shown, unit="share of 1", limits=limits, width=12)


def _events(metrics: Metrics) -> cloudwatch.GraphWidget:
    shown = [metrics.events(kind)[0] for kind in _EVENTS]  # of the bounce sender's own domain
    return _graph(
        "Mail with our configuration set, as SES reports it", shown, unit="in an hour", width=12
    )


def _replies(metrics: Metrics) -> cloudwatch.GraphWidget:
    names = (Metric.REPLIED, Metric.REPLIES_WITHHELD, Metric.REPLIES_FAILED)
    shown = [metrics.own("replier", name) for name in names]
    return _graph("Replies", shown, unit="in 5 minutes", width=12)
