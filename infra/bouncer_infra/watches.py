"""The conditions that a deployment watches for: one row for each alarm.

Each has its section in docs/operations.md. Missing data is taken for good, as our metrics exist
only while they count something. SES publishes its rates when they change, so between two of them
the last one holds.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch

from bouncer.environment import UNKNOWN_DEPLOYMENT
from bouncer.metric_names import Metric, withheld_for
from bouncer.reasons import GUARD_REASONS, Reason
from bouncer_infra.alarm_limits import (
    HOUR_S,
    LONG_WAIT_H,
    MOST_BOUNCE_RATE,
    MOST_COMPLAINT_RATE,
    MOST_DOUBLE_BOUNCE_PERCENT,
    MOST_DUPLICATE_PERCENT,
    MOST_FAILED_PERCENT,
    MOST_SILENCED_PERCENT,
    MOST_UNWRITTEN_S,
    TOO_LONG_WAIT_H,
)
from bouncer_infra.metrics import DAY, FIVE_MINUTES, HOUR, Metrics, percentage, total

# An alarm takes ten metrics (CloudWatch User Guide, "CloudWatch quotas"): a share of two sums.
_MOST_SUMMED = 5
_SERVICES = ("intake", "worker")  # both read settings; the intake reads rules as well


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """An alarm: `key` is the last part of its name and the anchor of its section.

    A period breaches from `threshold` on, or only `above` or `below` it. The alarm is in ALARM if
    `breaches` of the last `periods` breach: one of three by default: metrics arrive late, and
    CloudWatch does not re-evaluate a period that it has filled with 0 (CloudWatch User Guide,
    "Using metric math", FILL).
    """

    key: str
    says: str
    measure: cloudwatch.Metric | cloudwatch.MathExpression
    threshold: float = 1
    above: bool = False
    below: bool = False
    breaches: int = 1
    periods: int = 3
    missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING


def watches(metrics: Metrics) -> Iterator[Watch]:
    """Yield every alarm, in the order of docs/operations.md."""
    yield from _queue(metrics)
    yield from _consumer(metrics)
    yield from _functions(metrics)
    yield from _feedback(metrics)
    yield from _events(metrics)
    yield from _mail(metrics)
    yield from _documents(metrics)
    yield _went_on(metrics)
    yield from _bounces(metrics)
    yield from _archive(metrics)


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
        key="held",
        says="Jobs have waited for six hours because sending is held.",
        measure=metrics.own("worker", Metric.HELD, period=HOUR),
        breaches=6,
        periods=6,
    )
    yield Watch(
        key="unreadable-jobs",
        says="The worker could not read a queue message as a job; it is a dead letter now.",
        measure=metrics.own("worker", Metric.UNREADABLE_JOBS),
    )


def _consumer(metrics: Metrics) -> Iterator[Watch]:
    visible = metrics.queue.metric_approximate_number_of_messages_visible(
        statistic="Minimum", period=FIVE_MINUTES
    )
    received = metrics.queue.metric_number_of_messages_received(
        statistic="Sum", period=FIVE_MINUTES
    )
    yield Watch(
        key="stopped-worker",
        says="Jobs have waited for half an hour, and nothing has taken one from the queue.",
        measure=cloudwatch.MathExpression(
            expression="IF(visible > 0 AND FILL(received, 0) < 1, 1, 0)",
            using_metrics={"visible": visible, "received": received},
            label="waiting, and not received",
            period=FIVE_MINUTES,
        ),
        breaches=6,
        periods=6,
        # SQS publishes nothing about a queue that nobody has used for six hours: the jobs still
        # wait then, so the last state holds.
        missing=cloudwatch.TreatMissingData.IGNORE,
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
        says="Lambda throttled the intake, the worker or the feedback function.",
        measure=total(
            [
                metrics.intake.metric_throttles(label="intake"),
                metrics.worker.metric_throttles(label="worker"),
                metrics.feedback.metric_throttles(label="feedback"),
            ],
            label="throttles",
        ),
    )


def _feedback(metrics: Metrics) -> Iterator[Watch]:
    yield Watch(
        key="breaker",
        says="Too many bounces of a day bounced, so sending is held; bouncer resume ends that.",
        measure=metrics.own("feedback", Metric.BREAKER_TRIPS),
    )
    yield Watch(
        key="feedback-errors",
        says="The feedback function crashed, or could not write to the ledger.",
        measure=total(
            [
                metrics.own("feedback", Metric.FEEDBACK_ERRORS),
                metrics.feedback.metric_errors(label="crashes"),
            ],
            label="feedback errors",
        ),
    )
    yield Watch(
        key="lost-feedback",
        says="Events of our bounces were given up: their senders may not be suppressed.",
        measure=metrics.lost_feedback.metric_approximate_number_of_messages_visible(
            statistic="Maximum", period=FIVE_MINUTES
        ),
        periods=1,
    )


def _events(metrics: Metrics) -> Iterator[Watch]:
    """Yield the alarms of events for which SES does not wait."""
    if metrics.failed_events is None:
        return
    yield Watch(
        key="failed-events",
        says="The intake did not process an event, so its mail went on without being judged.",
        measure=metrics.failed_events.metric_approximate_number_of_messages_visible(
            statistic="Maximum", period=FIVE_MINUTES
        ),
        periods=1,
    )
    yield Watch(
        key="lost-events",
        says="Lambda could not keep an event that the intake did not process.",
        measure=metrics.intake.metric(
            "DestinationDeliveryFailures", statistic="Sum", period=FIVE_MINUTES
        ),
    )


def _mail(metrics: Metrics) -> Iterator[Watch]:
    hours = metrics.settings.alarm_without_mail
    if hours is None:
        return
    yield Watch(
        key="no-mail",
        says=f"SES has called the intake for no mail in {hours} h, which the settings ask to know.",
        measure=metrics.intake.metric_invocations(statistic="Sum", period=HOUR),
        below=True,
        breaches=hours,
        periods=hours,
        missing=cloudwatch.TreatMissingData.BREACHING,
    )


def _documents(metrics: Metrics) -> Iterator[Watch]:
    yield Watch(
        key="invalid-rules",
        says="A rule or the settings are invalid; an earlier version is in force, or none.",
        measure=_in_both(metrics, Metric.INVALID_DOCUMENTS, label="invalid documents"),
    )
    yield Watch(
        key="stale-rules",
        says="Rules or settings could not be read again; the last good ones are in force.",
        measure=_in_both(metrics, Metric.STALE_RULES, label="stale rules"),
    )


def _in_both(metrics: Metrics, name: Metric, *, label: str) -> cloudwatch.MathExpression:
    """Return a metric's sum over both functions that read rules or settings."""
    return total([metrics.own(each, name, label=each) for each in _SERVICES], label=label)


def _went_on(metrics: Metrics) -> Watch:
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


def _archive(metrics: Metrics) -> Iterator[Watch]:
    ages = {
        f"age{index}": stream.metric(
            "DeliveryToS3.DataFreshness", statistic="Maximum", period=FIVE_MINUTES
        )
        for index, stream in enumerate(metrics.streams)
    }
    if not ages:
        return
    yield Watch(
        key="stopped-archive",
        says="Firehose has not written lines to the archive that are more than an hour old.",
        measure=cloudwatch.MathExpression(
            expression=f"MAX([{', '.join(f'FILL({name}, 0)' for name in ages)}])",
            using_metrics=ages,
            label="oldest line, in seconds",
            period=FIVE_MINUTES,
        ),
        threshold=MOST_UNWRITTEN_S,
    )
