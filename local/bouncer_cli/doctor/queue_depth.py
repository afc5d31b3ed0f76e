"""The age of the oldest message of a queue, as CloudWatch saw it."""

from datetime import datetime, timedelta

from bouncer_cli.doctor.account import Account, UnavailableError


def oldest_s(
    account: Account, queue: str, now: datetime
) -> tuple[float | None, UnavailableError | None]:
    """Return the age CloudWatch saw last; SQS publishes no age for a queue that nobody uses.

    `queue` is the name. Messages received three times or more are not in it (SQS Developer Guide).
    """
    try:
        answer = account.ask(
            "cloudwatch",
            "get_metric_statistics",
            Namespace="AWS/SQS",
            MetricName="ApproximateAgeOfOldestMessage",
            Dimensions=[{"Name": "QueueName", "Value": queue}],
            StartTime=now - timedelta(minutes=15),
            EndTime=now,
            Period=300,
            Statistics=["Maximum"],
        )
    except UnavailableError as error:
        return None, error
    points = sorted(answer.get("Datapoints", []), key=lambda point: point["Timestamp"])
    return (float(points[-1]["Maximum"]) if points else None), None
