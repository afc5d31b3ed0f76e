"""The conditions that a deployment watches for: one row for each alarm.

Each has its section in docs/operations.md. Missing data is taken for good, as our metrics exist
only while they count something. SES publishes its rates when they change, so between two of them
the last one holds.
"""

from collections.abc import Iterator

from aws_cdk import aws_cloudwatch as cloudwatch

from bouncer.environment import UNKNOWN_DEPLOYMENT
from bouncer.metric_names import Metric
from bouncer_infra.alarm_limits import (
    HOUR_S,
    LONG_WAIT_H,
    MOST_UNWRITTEN_S,
    TOO_LONG_WAIT_H,
)
from bouncer_infra.bounce_watches import bounces, went_on
from bouncer_infra.metrics import FIVE_MINUTES, HOUR, Metrics, total
from bouncer_infra.reply_watches import replies
from bouncer_infra.watch import Watch

_READERS = ("intake", "worker")  # of what the publisher put in force


def watches(metrics: Metrics) -> Iterator[Watch]:
    """Yield every alarm, in the order of docs/operations.md."""
    yield from _queue(metrics)
    yield from _consumer(metrics)
    yield from _functions(metrics)
    yield from _feedback(metrics)
    yield from _events(metrics)
    yield from _mail(metrics)
    yield from _documents(metrics)
    yield from _brakes(metrics)
    yield from _publisher(metrics)
    yield from _reporter(metrics)
    yield went_on(metrics)
    yield from bounces(metrics)
    yield from replies(metrics)
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
        key="copy-errors",
        says="Stored mail could not be read, or stopped mail not kept, so that it may go on.",
        measure=metrics.own("intake", Metric.COPY_ERRORS),
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
        says=f"Lambda throttled {_of_functions(metrics)}.",
        measure=total(
            [
                metrics.intake.metric_throttles(label="intake"),
                metrics.worker.metric_throttles(label="worker"),
                metrics.publisher.metric_throttles(label="publisher"),
                metrics.feedback.metric_throttles(label="feedback"),
                *_throttled_replier(metrics),
            ],
            label="throttles",
        ),
    )


def _of_functions(metrics: Metrics) -> str:
    if metrics.replies is None:
        return "the intake, the worker, the publisher or the feedback function"
    return "the intake, the worker, the replier, the publisher or the feedback function"


def _throttled_replier(metrics: Metrics) -> list[cloudwatch.Metric]:
    if metrics.replies is None:
        return []
    return [metrics.replies.replier.function.metric_throttles(label="replier")]


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
        says="A rule or the settings are invalid; the form before is in force, or none.",
        measure=metrics.own("publisher", Metric.INVALID_DOCUMENTS),
    )
    yield Watch(
        key="stale-rules",
        says="Rules or settings could not be read again; the last good ones are in force.",
        measure=total(
            [metrics.own(each, Metric.STALE_RULES, label=each) for each in _READERS],
            label="stale rules",
        ),
    )


def _brakes(metrics: Metrics) -> Iterator[Watch]:
    yield Watch(
        key="braked-rules",
        says="A rule passed its at_most, so it only records until bouncer rules release.",
        measure=metrics.own("publisher", Metric.BRAKED_RULES),
    )


def _publisher(metrics: Metrics) -> Iterator[Watch]:
    yield Watch(
        key="publisher-errors",
        says="The publisher failed, so changed rules and settings may not be in force.",
        measure=total(
            [
                metrics.own("publisher", Metric.PUBLISHER_ERRORS),
                metrics.publisher.metric_errors(label="crashes"),
            ],
            label="publisher errors",
        ),
    )
    yield Watch(
        key="stopped-publisher",
        says="The publisher has not run for half an hour, though it should every minute.",
        measure=metrics.publisher.metric_invocations(statistic="Sum", period=FIVE_MINUTES),
        below=True,
        breaches=6,
        periods=6,
        missing=cloudwatch.TreatMissingData.BREACHING,
    )


def _reporter(metrics: Metrics) -> Iterator[Watch]:
    if metrics.reporter is None:
        return
    yield Watch(
        key="report-errors",
        says="The daily report was not sent, or nobody knows if it was.",
        measure=total(
            [
                metrics.own("reporter", Metric.REPORT_ERRORS),
                metrics.reporter.metric_errors(label="crashes"),
            ],
            label="report errors",
        ),
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
