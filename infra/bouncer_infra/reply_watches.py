"""The alarms about replies, in a deployment that sends some."""

from collections.abc import Iterator

from bouncer.metric_names import Metric
from bouncer_infra.alarm_limits import HOUR_S, LONG_WAIT_H
from bouncer_infra.metrics import FIVE_MINUTES, Metrics, total
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
