"""The alarms about replies, in a deployment that sends some."""

from collections.abc import Iterator

from bouncer.metric_names import Metric, withheld_for
from bouncer.reasons import Reason
from bouncer_infra.alarm_limits import HOUR_S, LONG_WAIT_H
from bouncer_infra.metrics import FIVE_MINUTES, HOUR, Metrics, total
from bouncer_infra.watch import Watch


def replies(metrics: Metrics) -> Iterator[Watch]:
    """Yield the alarms about replies, if there are any."""
    path = metrics.replies
    if path is None:
        return
    yield Watch(
        key="dead-replies",
        says="Replies were given up and are in their dead-letter queue.",
        measure=path.dead_letters.metric_approximate_number_of_messages_visible(
            statistic="Maximum", period=FIVE_MINUTES
        ),
        periods=1,
    )
    yield Watch(
        key="failed-replies",
        says="SES refused a reply, or may have sent it or not; it is not sent again by itself.",
        measure=metrics.own("replier", Metric.REPLIES_FAILED),
    )
    # The age shows a replier that takes nothing: SQS leaves out what was received three times or
    # more (SQS Developer Guide, "Available CloudWatch metrics"), and so what was handed back.
    yield Watch(
        key="waiting-replies",
        says="The oldest reply has waited half of the 24 hours in which it is sent.",
        measure=path.queue.metric_approximate_age_of_oldest_message(
            statistic="Maximum", period=FIVE_MINUTES
        ),
        threshold=LONG_WAIT_H * HOUR_S,
        periods=1,
    )
    yield Watch(
        key="stuck-replier",
        says="The replier has handed replies back to the queue for a quarter of an hour.",
        measure=metrics.own("replier", Metric.HANDED_BACK),
        breaches=3,
    )
    yield Watch(
        key="held-replies",
        says="Replies have waited for six hours because sending is held.",
        measure=metrics.own("replier", Metric.HELD, period=HOUR),
        breaches=6,
        periods=6,
    )
    yield Watch(
        key="expired-replies",
        says="Replies were not sent within 24 hours of their mail, so that they never will be.",
        measure=metrics.own("replier", withheld_for(Reason.EXPIRED)),
    )
    yield Watch(
        key="replier-errors",
        says="The replier crashed, or could not write to its ledger or its queue, or the intake "
        "could not queue a reply.",
        measure=total(
            [
                metrics.own("intake", Metric.REPLY_ERRORS),
                metrics.own("replier", Metric.REPLIER_ERRORS),
                path.replier.function.metric_errors(label="crashes"),
            ],
            label="replier errors",
        ),
    )
