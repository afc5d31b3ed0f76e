"""The doctor's finding about events of our bounces, without which nobody is suppressed."""

import json
from typing import Any

import pytest

from bouncer_cli.doctor.finding import Finding, Level
from tests.functions.doctor.aws import HEALTHY, NOW, RESOURCES, found, lines, summaries


def finding(sent: int, counted: int, **settings: Any) -> list[Finding]:
    """The findings in an account with so many bounces, and so many mails that SES counted."""

    def answer(asked: str) -> dict[str, Any]:
        number = counted if "ses%3Afrom-domain" in asked or "ses:from-domain" in asked else sent
        return {"Datapoints": [{"Timestamp": NOW, "Sum": float(number), "Maximum": 1.0}]}

    findings = found({"cloudwatch.GetMetricStatistics": answer}, **settings)
    return [each for each in findings if each.check == "feedback"]


def test_bounces_without_any_event_are_reported() -> None:
    """The next step names what may be wrong, and the open question."""
    (told,) = finding(100, 0)
    assert told.level is Level.WARNING
    assert told.found == (
        "100 bounces were sent in 14 days, and SES published no event: nobody is suppressed"
    )
    assert "default of the sender's identity" in told.next_step


@pytest.mark.parametrize(("sent", "counted"), [(99, 0), (0, 0), (100, 1), (5000, 7)])
def test_a_few_bounces_or_any_event_are_no_warning(sent: int, counted: int) -> None:
    """A new deployment has sent too few to know."""
    (told,) = finding(sent, counted)
    assert told.level is Level.OK
    assert told.found.startswith(f"{sent} bounces were sent in 14 days")


def test_without_counting_sends_nothing_is_known() -> None:
    """`events` may leave `send` out."""
    assert finding(100, 0, events=("bounce",)) == []


@pytest.mark.parametrize(
    ("waiting", "lost", "level", "words"),
    [
        (3, 0, Level.OK, "events: 3 of our bounces wait in events"),
        (0, 2, Level.PROBLEM, "dead letters: 2 in lost"),
    ],
)
def test_the_queue_of_events_is_not_one_of_jobs(
    waiting: int, lost: int, level: Level, words: str
) -> None:
    """Its dead letters have a section of their own."""
    at = "https://sqs.eu-west-1.amazonaws.com/123456789012/"
    arn = "arn:aws:sqs:eu-west-1:123456789012:lost"

    def attributes(asked: str) -> dict[str, Any]:
        if "lost" in asked:
            return {"Attributes": {"QueueArn": arn, "ApproximateNumberOfMessages": str(lost)}}
        if "events" in asked:
            redrive = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn})}
            return {"Attributes": {"ApproximateNumberOfMessages": str(waiting), **redrive}}
        shown: dict[str, Any] = HEALTHY["sqs.GetQueueAttributes"](asked)
        return shown

    queues = [*RESOURCES["AWS::SQS::Queue"], f"{at}events", f"{at}lost"]
    resources = summaries({**RESOURCES, "AWS::SQS::Queue": queues})
    findings = found(
        {
            "cloudformation.ListStackResources": {"StackResourceSummaries": resources},
            "sqs.GetQueueAttributes": attributes,
        }
    )
    assert words in lines(findings, level)
    steps = [each.next_step for each in findings if each.level is Level.PROBLEM]
    assert all("docs/operations.md#lost-feedback" in step for step in steps)
