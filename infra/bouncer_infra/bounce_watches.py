"""The alarms about what becomes of bounces, and of the mail whose bounce is withheld."""

from collections.abc import Iterator

from aws_cdk import aws_cloudwatch as cloudwatch

from bouncer.metric_names import Metric, withheld_for
from bouncer.reasons import GUARD_REASONS, Reason
from bouncer_infra.alarm_limits import (
    MOST_BOUNCE_RATE,
    MOST_COMPLAINT_RATE,
    MOST_DOUBLE_BOUNCE_PERCENT,
    MOST_DUPLICATE_PERCENT,
    MOST_FAILED_PERCENT,
    MOST_SILENCED_PERCENT,
)
from bouncer_infra.metrics import DAY, HOUR, Metrics, percentage
from bouncer_infra.watch import Watch

# An alarm takes ten metrics (CloudWatch User Guide, "CloudWatch quotas"): a share of two sums.
_MOST_SUMMED = 5


def went_on(metrics: Metrics) -> Watch:
    """Return the alarm about rejected mail that goes on."""
    most = metrics.settings.went_on_percent
    reasons = [each for each in GUARD_REASONS if not each.about_sender]
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


def bounces(metrics: Metrics) -> Iterator[Watch]:
    """Yield the alarms about bounces that failed, were withheld, or bounced themselves."""
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
        key="unknown-outcomes",
        says="SES may have sent a bounce or not; the bounce is not sent again.",
        measure=metrics.own("worker", Metric.FAILED_UNKNOWN),
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
    yield _silenced(metrics, sent)
    yield Watch(
        key="double-bounces",
        says=f"More than {MOST_DOUBLE_BOUNCE_PERCENT} % of the mail sent with our configuration "
        "set in a day bounced.",
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


def _silenced(metrics: Metrics, sent: cloudwatch.Metric) -> Watch:
    silenced = [
        metrics.own("worker", withheld_for(each), period=HOUR)
        for each in (Reason.CAPPED, Reason.SENDER_BOUNCED_BEFORE)
    ]
    return Watch(
        key="silenced-senders",
        says=f"More than {MOST_SILENCED_PERCENT} % of an hour's bounces were withheld because "
        "their senders are capped or suppressed.",
        measure=percentage(silenced, [sent, *silenced], label="% silenced", period=HOUR, least=10),
        threshold=MOST_SILENCED_PERCENT,
        above=True,
        periods=2,
    )
