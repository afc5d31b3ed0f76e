"""The intake while AWS fails: which mail goes on, and what its lines say about the bounce."""

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from bouncer.aws.client import SQS, Surroundings
from bouncer.held_document import held_document
from bouncer.intake import Intake
from bouncer.jobs.job import MOST_RECIPIENTS
from bouncer.jobs.job_json import from_json
from bouncer.journal import Journal
from bouncer.operator_settings import Settings
from bouncer.sending.queue import Queue
from bouncer.sources.source import Document, Documents
from bouncer_sim.document_bucket import document_loader
from tests.front import KEY, SECRET, Reply, front
from tests.functions.intake_events import event

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
RULE = 'when: {recipient: "*"}\nreject: {type: DoesNotExist}'
MANY = tuple(f"box{number}@example.com" for number in range(MOST_RECIPIENTS + 1))
URL = "https://sqs.example/queue"
Line = dict[str, Any]


class Documented:
    """A source with one rule; `held` is the document that holds sending."""

    def __init__(self, held: str | None = None) -> None:
        self.held = held

    def read(self) -> Documents:
        held = Document("held", self.held) if self.held else None
        return Documents({"100-all": Document("100-all", RULE)}, None, held)


class Sqs:
    """A client of SQS; `errors` are raised one after the other, None is a message taken."""

    def __init__(self, *errors: Exception | None) -> None:
        self.errors = list(errors)
        self.taken: list[dict[str, Any]] = []

    def send_message(self, **message: Any) -> dict[str, Any]:
        error = self.errors.pop(0) if self.errors else None
        if error:
            raise error
        self.taken.append(message)
        return {}


class Bench:
    """One intake before a queue; `lines` is its journal."""

    def __init__(self, sqs: Any, held: str | None = None) -> None:
        self._stream = io.StringIO()
        self.intake = Intake(
            loader=document_loader(Documented(held), Settings(), now=lambda: 0.0),
            jobs=Queue(sqs, URL),
            journal=Journal("intake", "test", stream=self._stream),
            now=lambda: NOW,
        )

    def __call__(self, *recipients: str, request_id: str = "r1") -> str:
        answer = self.intake.handle(event(*recipients), request_id=request_id)
        return answer["disposition"]

    def lines(self, kind: str) -> list[Line]:
        written = map(json.loads, self._stream.getvalue().splitlines())
        return [line for line in written if line["message"] == kind]


def refused(status: int, code: str = "InternalError") -> ClientError:
    metadata: Any = {"HTTPStatusCode": status}
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": metadata}, "SendMessage")


LOST = [
    ReadTimeoutError(endpoint_url=URL),
    ConnectionClosedError(endpoint_url=URL),
    refused(500),
    refused(503),
    refused(200, "HTTP 200"),  # an answer that is not SQS's
    MemoryError(),  # an error of our own, whenever it came
]
NOT_TAKEN = [
    EndpointConnectionError(endpoint_url=URL),
    ConnectTimeoutError(endpoint_url=URL),
    ReadTimeoutError(endpoint_url=URL, never_sent=True),
    refused(400, "AWS.SimpleQueueService.NonExistentQueue"),
    refused(403, "AccessDenied"),
]


def named(error: Exception) -> str:
    return f"{type(error).__name__} {getattr(error, 'response', '')}"


@pytest.mark.parametrize("error", LOST, ids=named)
def test_a_lost_answer_is_reported_as_unknown(error: Exception) -> None:
    """The mail goes on, and its line says so, and that its bounce may be sent all the same."""
    tried = Bench(Sqs(error))
    assert tried("ann@example.com") == "CONTINUE"
    (failure,), (line,) = tried.lines("intake_failed"), tried.lines("mail")
    assert (failure["stage"], failure["message_id"]) == ("queue", "m1")
    assert (line["disposition"], line["queue_answers"]) == ("CONTINUE", ["unknown"])
    assert len(line["references"]) == 1
    assert "Queued" not in line
    assert (line["Mails"], line["Rejected"]) == ([1], [1])


@pytest.mark.parametrize("error", NOT_TAKEN, ids=named)
def test_a_job_that_was_surely_not_taken_has_no_mail_line(error: Exception) -> None:
    """The mail goes on, no bounce is sent, and the line of the failure says all of it."""
    tried = Bench(Sqs(error))
    assert tried("ann@example.com") == "CONTINUE"
    assert [line["stage"] for line in tried.lines("intake_failed")] == ["queue"]
    assert not tried.lines("mail")


@pytest.mark.parametrize(
    ("errors", "answers", "queued"),
    [
        ([None, None], ["taken", "taken"], [51]),
        ([None, NOT_TAKEN[0]], ["taken", "refused"], [50]),
        ([None, LOST[0]], ["taken", "unknown"], [50]),
        ([LOST[0], None], ["unknown", "not_asked"], None),
    ],
)
def test_each_job_of_a_mail_has_its_answer(
    errors: Sequence[Exception | None], answers: list[str], queued: list[int] | None
) -> None:
    """The mail goes on as soon as one job is not surely queued; further jobs are not tried."""
    tried = Bench(Sqs(*errors))
    complete = answers == ["taken", "taken"]
    assert tried(*MANY) == ("STOP_RULE_SET" if complete else "CONTINUE")
    (line,) = tried.lines("mail")
    assert (line["queue_answers"], line.get("Queued")) == (answers, queued)
    assert line["disposition"] == ("STOP_RULE_SET" if complete else "CONTINUE")
    assert len(line["references"]) == 2
    assert bool(tried.lines("intake_failed")) is not complete


def test_two_jobs_of_which_none_was_taken_have_no_mail_line() -> None:
    """The first refusal ends it."""
    tried = Bench(Sqs(NOT_TAKEN[0]))
    assert tried(*MANY) == "CONTINUE"
    assert not tried.lines("mail")
    assert len(tried.lines("intake_failed")) == 1


def test_a_repeated_event_is_the_same_job_and_the_same_line() -> None:
    """SES may call the intake again for a mail: the queue takes its job once."""
    sqs = Sqs()
    tried = Bench(sqs)
    assert [tried("ann@example.com", request_id=each) for each in ("r1", "r2")] == [
        "STOP_RULE_SET"
    ] * 2
    first, second = sqs.taken
    assert first == second
    own = {"request_id", "timestamp", "_aws", "ColdStarts"}
    lines = [{key: line[key] for key in line.keys() - own} for line in tried.lines("mail")]
    assert lines[0] == lines[1]


def test_an_event_repeated_after_a_lost_answer_stops_the_mail() -> None:
    """The second call asks with the same deduplication id, and now knows the answer."""
    sqs = Sqs(LOST[0])
    tried = Bench(sqs)
    assert tried("ann@example.com") == "CONTINUE"
    assert tried("ann@example.com") == "STOP_RULE_SET"
    first, second = tried.lines("mail")
    assert first["references"] == second["references"]
    assert [line["queue_answers"] for line in (first, second)] == [["unknown"], ["taken"]]


@contextmanager
def served(*replies: Reply, times_up_after: int = 99) -> Iterator[tuple[SQS, list[str]]]:
    """Serve SQS on loopback; yield the intake's own client and the ids it asked with."""
    asked: list[str] = []
    ticks = [0.0]

    def reply(_: str, body: bytes) -> Reply:
        asked.append(json.loads(body)["MessageDeduplicationId"])
        ticks[0] += 1.0
        return replies[min(len(asked), len(replies)) - 1]

    with front(reply) as (endpoint, _):
        surroundings = Surroundings(
            environ={
                "AWS_ACCESS_KEY_ID": KEY,
                "AWS_SECRET_ACCESS_KEY": SECRET,
                "AWS_ENDPOINT_URL": endpoint,
            },
            region="eu-west-1",
            domain="",
            now=lambda: NOW,
            ticks=lambda: ticks[0],
            sleep=lambda _: None,
            until=float(times_up_after),
        )
        client = SQS(surroundings)
        yield client, asked
        client.close()


TAKEN: Reply = (200, b'{"MessageId": "q1"}')


@pytest.mark.parametrize("stumbles", [1, 2, 3, 4])
def test_a_lost_answer_is_asked_for_again(stumbles: int) -> None:
    """With the same deduplication id, so that the queue has one job however often it is sent."""
    with served(*[None] * stumbles, TAKEN) as (client, asked):
        assert Bench(client)("ann@example.com") == "STOP_RULE_SET"
    assert len(asked) == stumbles + 1
    assert len(set(asked)) == 1


def test_a_refusal_after_a_lost_answer_stays_unknown() -> None:
    """The first call may have had its effect, whatever the later ones say."""
    refusal: Reply = (403, b'{"__type": "AccessDenied"}')
    with served(None, refusal) as (client, _):
        tried = Bench(client)
        assert tried("ann@example.com") == "CONTINUE"
    (line,) = tried.lines("mail")
    assert line["queue_answers"] == ["unknown"]


def test_asking_again_ends_before_the_functions_time() -> None:
    """SES waits for an answer: no call begins when the intake must give one."""
    with served(None, times_up_after=3) as (client, asked):
        tried = Bench(client)
        assert tried("ann@example.com") == "CONTINUE"
    assert len(asked) == 3
    assert tried.lines("mail")[0]["queue_answers"] == ["unknown"]


def test_without_time_the_queue_is_not_asked_at_all() -> None:
    """That is known for sure: no bounce is sent."""
    with served(TAKEN, times_up_after=0) as (client, asked):
        tried = Bench(client)
        assert tried("ann@example.com") == "CONTINUE"
    assert not asked
    assert not tried.lines("mail")


@pytest.mark.parametrize(
    ("hours", "disposition", "jobs"), [(0, "STOP_RULE_SET", 1), (11, "STOP_RULE_SET", 1)]
)
def test_while_sending_is_held_jobs_wait(hours: int, disposition: str, jobs: int) -> None:
    """For 12 hours mail is stopped as ever, and its job is queued."""
    sqs = Sqs()
    text = held_document(since=NOW - timedelta(hours=hours), by="ann", why="")
    assert Bench(sqs, text)("ann@example.com") == disposition
    assert len(sqs.taken) == jobs
    assert from_json(sqs.taken[0]["MessageBody"]).recipients == ("ann@example.com",)


@pytest.mark.parametrize(
    "text", [held_document(since=NOW - timedelta(hours=12), by="a", why=""), "?"]
)
def test_mail_goes_on_while_sending_is_held_for_long(text: str) -> None:
    """Its line names the reason, as for every mail that goes on; nothing is queued."""
    sqs = Sqs()
    tried = Bench(sqs, text)
    assert tried("ann@example.com") == "CONTINUE"
    assert not sqs.taken
    (line,) = tried.lines("mail")
    assert (line["went_on"], line["decisions"][0]["withheld"]) == ("held", "held")
    assert line["WentOn"] == line["Withheld_held"] == [1]


def test_a_bounce_that_cannot_be_made_stops_nothing() -> None:
    """SES would misread its message id; nothing is queued, and the mail goes on."""
    sqs = Sqs()
    tried = Bench(sqs)
    odd = event("ann@example.com", messageId="m\n1")
    assert tried.intake.handle(odd) == {"disposition": "CONTINUE"}
    assert not sqs.taken
    assert [line["stage"] for line in tried.lines("intake_failed")] == ["queue"]
    assert not tried.lines("mail")


def test_mails_of_one_event_get_one_answer() -> None:
    """SES sends one at a time; if it sent two, each line would have the answer that both got."""
    tried = Bench(Sqs(None, LOST[0]))
    both = {"Records": [*event()["Records"], *event(messageId="m2")["Records"]]}
    assert tried.intake.handle(both) == {"disposition": "CONTINUE"}
    first, second = tried.lines("mail")
    assert [line["disposition"] for line in (first, second)] == ["CONTINUE"] * 2
    assert [line["queue_answers"] for line in (first, second)] == [["taken"], ["unknown"]]
