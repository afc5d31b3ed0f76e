"""The looks of a report at AWS: each answer, each refusal, each silence."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from bouncer.held import Held
from bouncer.reporter import PATIENCE_S
from bouncer.reporting.insights import Insights
from bouncer.reporting.journal_counts import QUERIES
from bouncer.reporting.journal_query import MOST_ROWS, JournalQuery
from bouncer.reporting.standing_look import LookedAt, StandingLook
from tests.functions.reporting.aws_fakes import DEAD, NOW, QUEUE, Aws, Bucket, look, lost, refused
from tests.functions.reporting.report_cases import PERIOD

QUERY = JournalQuery("the mails", "filter x", "mails")
LOGS = "/aws/lambda/intake"


class Slow(Aws):
    """An AWS each of whose calls takes so many seconds."""

    def __init__(self, seconds: float, **answers: Any) -> None:
        super().__init__(**answers)
        self.seconds = seconds
        self.time = [0.0]

    def __getattr__(self, name: str) -> Any:
        self.time[0] += self.seconds
        return super().__getattr__(name)


def insights(aws: Any, *groups: str, patience_s: float = 10.0) -> Insights:
    time = aws.time if isinstance(aws, Slow) else [0.0]

    def sleep(seconds: float) -> None:
        time[0] += seconds

    return Insights(
        aws, groups or (LOGS,), ticks=lambda: time[0], sleep=sleep, patience_s=patience_s
    )


def test_queries_are_asked_for_the_period_in_all_groups() -> None:
    """One call starts each query; all run at once."""
    aws = Aws()
    answers = insights(aws, LOGS, "/aws/lambda/worker").answers(QUERIES, PERIOD)
    assert [answer.gap for answer in answers] == [""] * len(QUERIES)
    assert [name for name, _ in aws.calls[: len(QUERIES)]] == ["start_query"] * len(QUERIES)
    given = aws.asked("start_query")[0]
    assert given["logGroupNames"] == [LOGS, "/aws/lambda/worker"]
    assert given["endTime"] - given["startTime"] == 24 * 3600
    assert given["queryString"].startswith("filter message")


def test_a_running_query_is_waited_for() -> None:
    """Its rows count only when it is complete: until then they are a part."""
    row = [{"field": "mails", "value": "3"}, {"field": "@ptr"}]
    running = {"status": "Running", "results": [row] * 9}
    aws = Aws(get_query_results=[running, running, {"status": "Complete", "results": [row]}])
    (answer,) = insights(aws).answers([QUERY], PERIOD)
    assert answer.rows == ({"mails": "3", "@ptr": ""},)
    assert answer.complete


def test_a_query_that_takes_too_long_is_stopped() -> None:
    """A failing stop changes nothing, and no other one is tried."""
    aws = Aws(get_query_results={"status": "Running"}, stop_query=refused("Throttling"))
    first, second = insights(aws).answers([QUERY, QUERY], PERIOD)
    assert first == second
    assert first.gap.startswith("CloudWatch Logs had no answer within 10 seconds: run bouncer")
    assert len(aws.asked("stop_query")) == 1
    assert len(aws.asked("get_query_results")) <= 13


def test_a_slow_query_delays_no_other_one() -> None:
    """Each is asked in turn, so that those which have ended are known."""
    done = {"status": "Complete", "results": []}
    aws = Aws(get_query_results=[{"status": "Running"}, done, {"status": "Running"}])
    first, second = insights(aws).answers([QUERY, QUERY], PERIOD)
    assert (bool(first.gap), second.gap) == (True, "")
    assert len(aws.asked("stop_query")) == 1


@pytest.mark.parametrize("stopped", [{}, refused("Throttling")])
def test_slow_calls_keep_to_the_time_of_all_queries(stopped: Any) -> None:
    """Starting, asking and stopping, so that the function has time left to send the report."""
    longest_s = 11.0
    aws = Slow(longest_s, get_query_results={"status": "Running"}, stop_query=stopped)
    answers = insights(aws, patience_s=PATIENCE_S).answers(QUERIES, PERIOD)
    assert all("no answer within 90 seconds" in each.gap for each in answers)
    assert aws.time[0] <= PATIENCE_S + longest_s + 2 * longest_s + 1


@pytest.mark.parametrize("error", [refused("AccessDenied"), KeyboardInterrupt()])
def test_queries_that_nobody_waits_for_are_stopped(error: Any) -> None:
    """After a refusal, and if an operator stops the command."""
    aws = Aws(start_query=[{"queryId": "a"}, {"queryId": "b"}], get_query_results=error)
    with suppress(KeyboardInterrupt):
        insights(aws).answers([QUERY, QUERY], PERIOD)
    assert [each["queryId"] for each in aws.asked("stop_query")] == ["a", "b"]


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        (
            {"start_query": refused("AccessDeniedException")},
            "logs:StartQuery was answered with AccessDeniedException: allow logs:StartQuery in IAM",
        ),
        (
            {"start_query": refused("LimitExceededException")},
            "logs:StartQuery was answered with LimitExceededException: run bouncer report later",
        ),
        (
            {"get_query_results": lost()},
            "logs:GetQueryResults had no answer (ReadTimeoutError): run bouncer report later",
        ),
        (
            {"get_query_results": {"status": "Timeout", "results": [[]]}},
            "the query ended as Timeout: run bouncer report later",
        ),
    ],
)
def test_a_query_without_an_answer_is_a_gap(answers: dict[str, Any], says: str) -> None:
    """A partial result does not count."""
    (answer,) = insights(Aws(**answers)).answers([QUERY], PERIOD)
    assert (answer.gap, answer.rows) == (says, ())


@pytest.mark.parametrize(
    ("code", "step"),
    [
        ("AccessDenied", "allow sqs:GetQueueAttributes in IAM"),
        ("KMS.AccessDeniedException", "allow kms:Decrypt on kms_key, and look if the key is"),
        ("KmsAccessDenied", "allow kms:Decrypt on kms_key, and look if the key is enabled"),
        ("ResourceNotFoundException", "run bouncer doctor"),
        ("AWS.SimpleQueueService.NonExistentQueue", "run bouncer doctor"),
        ("MalformedQueryException", "this is a defect of the bouncer, please report it"),
        ("ThrottlingException", "run bouncer report later"),
    ],
)
def test_each_refusal_has_its_next_step(code: str, step: str) -> None:
    """Waiting helps against a throttle, and against little else."""
    gap = look(Aws(get_queue_attributes=refused(code))).standing(NOW).gaps[0]
    assert f"sqs:GetQueueAttributes was answered with {code}: {step}" in gap


def test_as_many_rows_as_there_can_be_are_not_all() -> None:
    """CloudWatch Logs cuts an answer there, and does not say so."""
    rows = {"status": "Complete", "results": [[]] * MOST_ROWS}
    (answer,) = insights(Aws(get_query_results=rows)).answers([QUERY], PERIOD)
    assert not answer.complete


def test_without_log_groups_nothing_is_asked() -> None:
    """A stack that is half made has none."""
    aws = Aws()
    found = Insights(aws, (), ticks=lambda: 0, sleep=lambda _: None, patience_s=1)
    (answer,) = found.answers([QUERY], PERIOD)
    assert "found no log group" in answer.gap
    assert aws.calls == []


def test_what_waits_and_what_is_in_force() -> None:
    """Queues, alarms and the pointer, without any gap."""
    held = Held(since=NOW, by="ann", why="", document="held")
    bucket = Bucket(causes=(held,), braked=("a",), problems={"rules/b": ("b: found x",)})
    standing = look(Aws(), bucket).standing(NOW)
    assert (standing.waiting, standing.oldest_s, standing.dead) == (2, 600, {"dead-letters": 2})
    assert standing.in_force
    assert standing.in_force.causes == (held,)
    assert standing.in_force.braked == ("a",)
    assert standing.in_force.problems == ("b: found x",)
    assert standing.in_force.rules == ()
    assert standing.gaps == ()


def test_alarms_are_ours_and_of_all_pages() -> None:
    """The names of deployment main-2 begin like those of main: the description tells."""

    def alarm(name: str, key: str, state: str = "ALARM") -> dict[str, str]:
        text = f"It is so. See docs/operations.md#{key}"
        return {"AlarmName": name, "AlarmDescription": text, "StateValue": state}

    pages: list[Any] = [
        {"MetricAlarms": [alarm("ses-auto-bouncer-main-held", "held")], "NextToken": "t"},
        {
            "MetricAlarms": [
                alarm("ses-auto-bouncer-main-2-held", "held"),
                alarm("ses-auto-bouncer-main-went-on", "went-on", "OK"),
                {"AlarmName": "ses-auto-bouncer-main-own", "StateValue": "ALARM"},
            ]
        },
    ]
    aws = Aws(describe_alarms=pages)
    assert look(aws).standing(NOW).alarms == ("held",)
    assert [each.get("NextToken") for each in aws.asked("describe_alarms")] == [None, "t"]


@pytest.mark.parametrize(
    ("call", "gaps", "known"),
    [
        ("get_queue_attributes", 2, lambda found: found.waiting is None and found.dead == {}),
        ("get_metric_statistics", 1, lambda found: found.oldest_s is None and found.waiting == 2),
        ("describe_alarms", 1, lambda found: found.alarms is None and found.waiting == 2),
    ],
)
@pytest.mark.parametrize("error", [refused("AccessDenied"), refused("Throttling"), lost()])
def test_what_one_look_cannot_learn_is_a_gap_of_its_own(
    call: str, gaps: int, known: Callable[[Any], bool], error: Exception
) -> None:
    """A missing permission or a service that is down costs no more than its own line."""
    standing = look(Aws(**{call: error})).standing(NOW)
    assert len(standing.gaps) == gaps
    assert known(standing)
    assert standing.in_force


def test_a_bucket_that_cannot_be_read_is_a_gap() -> None:
    """The counts are reported all the same."""
    standing = look(Aws(), Aws(get_object=refused("AccessDenied", status=403))).standing(NOW)
    assert standing.in_force is None
    (gap,) = standing.gaps
    assert gap == (
        "the rules in force: s3://rules/current-v1: found no object that may be read "
        "(AccessDenied): allow s3:GetObject on it (and kms:Decrypt, with kms_key), or run bouncer "
        "doctor if it is missing"
    )


def test_a_version_without_revisions_is_a_gap() -> None:
    """`bouncer report` works on it, too."""
    names = LookedAt(full_name="x", queue_url=QUEUE, dead_letters={"dead-letters": DEAD})
    found = StandingLook(names, sqs=Aws(), cloudwatch=Aws(), source=None).standing(NOW)
    assert found.gaps[0].endswith("publishes no revisions: run cdk deploy")


def test_an_empty_queue_has_no_age() -> None:
    """CloudWatch's last point may be of a job that was sent since."""
    empty = {"Attributes": {"ApproximateNumberOfMessages": "0"}}
    standing = look(Aws(get_queue_attributes=empty)).standing(NOW)
    assert (standing.waiting, standing.oldest_s) == (0, None)
