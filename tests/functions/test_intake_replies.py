"""The intake queues replies after its decision, and nothing that fails there changes the answer."""

import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from bouncer.environment import IntakeEnvironment
from bouncer.intake import Intake
from bouncer.jobs.job import Job
from bouncer.jobs.reply import Reply
from bouncer.journal import Journal
from bouncer.operator_settings import Settings
from bouncer.sending.queue import QueueError
from bouncer_sim.document_bucket import document_loader
from tests.functions.intake_events import event
from tests.functions.test_intake import Documented, Jobs

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
ANN, BOB = "ann@example.com", "bob@example.com"
REPLY = f"when: {{recipient: {ANN}}}\nreply: {{from: no-reply@example.com, text: Gone.}}"
REJECT = f"when: {{recipient: {BOB}}}\nreject: {{type: DoesNotExist}}"


@dataclass
class Replies:
    """A queue of replies that can be broken."""

    order: list[Reply | Job] = field(default_factory=list)
    error: Exception | None = None

    def send(self, reply: Reply | Job) -> None:
        if self.error:
            raise self.error
        self.order.append(reply)


class Bench:
    """One intake with fakes around it; `lines` is its journal."""

    def __init__(self, *, replies: Replies | None, jobs: Any = None, settings: str = "{}") -> None:
        self._stream = io.StringIO()
        source = Documented({"100": REPLY, "200": REJECT}, settings)
        self.intake = Intake(
            loader=document_loader(source, Settings(), now=lambda: 0.0),
            jobs=jobs or Jobs(),
            journal=Journal("intake", "test", stream=self._stream),
            now=lambda: NOW,
            replies=replies,
        )

    def __call__(self, *recipients: str, **mail: Any) -> str:
        headers = [
            {"name": "From", "value": "Eve <eve@partner.example>"},
            {"name": "To", "value": f"{ANN}, {BOB}"},
        ]
        what = event(*recipients, **{"headers": headers, **mail})
        return self.intake.handle(what, request_id="r1")["disposition"]

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]


def test_a_reply_is_queued_and_the_mail_goes_on() -> None:
    """The line has it, with the queue's answer."""
    replies = Replies()
    tried = Bench(replies=replies)
    assert tried(ANN) == "CONTINUE"
    (reply,) = replies.order
    (line,) = tried.lines
    assert line["decisions"][0] | {"shadow": []} == {
        "recipient": ANN,
        "action": "reply",
        "rule": "100",
        "shadow": [],
        "withheld": None,
    }
    assert line["replies"] == [
        {
            "reference": reply.reference,
            "rule": "100",
            "recipients": [ANN],
            "queue_answer": "taken",
        }
    ]
    assert (line["ToReply"], line["RepliesQueued"]) == ([1], [1])
    assert "RepliesWithheld" not in line
    assert "Queued" not in line


def test_jobs_are_queued_before_replies() -> None:
    """A mail with one recipient rejected and another replied for gets both, and goes on."""
    both = Replies()
    assert Bench(replies=both, jobs=both)(ANN, BOB) == "CONTINUE"
    assert [type(each) for each in both.order] == [Job, Reply]


def test_a_withheld_reply_has_its_reason_in_the_line() -> None:
    """It is counted apart from bounces."""
    replies = Replies()
    tried = Bench(replies=replies)
    assert tried(ANN, source="<>") == "CONTINUE"
    (line,) = tried.lines
    assert not replies.order
    assert line["decisions"][0]["withheld"] == "null_sender"
    assert line["RepliesWithheld"] == [1]
    assert "Withheld" not in line
    assert "replies" not in line


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (QueueError("the queue refused: AccessDenied"), "refused"),
        (QueueError("the queue can't be reached", unknown=True), "unknown"),
        (RuntimeError("broken"), "unknown"),
    ],
)
def test_a_queue_that_fails_changes_nothing(error: Exception, answer: str) -> None:
    """The failure is reported; the bounce of the other recipient is sent, and the mail goes on."""
    jobs = Jobs()
    tried = Bench(replies=Replies(error=error), jobs=jobs)
    assert tried(ANN, BOB) == "CONTINUE"
    assert [job.recipients for job in jobs.sent] == [(BOB,)]
    failed, line = tried.lines
    assert (failed["message"], failed["stage"]) == ("reply_not_queued", "queue")
    assert failed["ReplyErrors"] == [1]
    assert "IntakeErrors" not in failed
    assert [each["queue_answer"] for each in line["replies"]] == [answer]
    assert "RepliesQueued" not in line


def test_the_line_has_replies_even_if_all_jobs_were_refused() -> None:
    """All that goes to a stranger is journalled."""
    tried = Bench(replies=Replies(), jobs=Jobs(error=QueueError("refused")))
    assert tried(ANN, BOB) == "CONTINUE"
    assert [line["message"] for line in tried.lines] == ["intake_failed", "mail"]


def test_a_deployment_without_replies_says_so() -> None:
    """The mail goes on, and the reply counts as withheld."""
    tried = Bench(replies=None)
    assert tried(ANN) == "CONTINUE"
    (line,) = tried.lines
    assert [each["queue_answer"] for each in line["replies"]] == ["no_queue"]
    assert line["RepliesWithheld"] == [1]


def test_a_reply_that_cannot_be_made_is_reported() -> None:
    """The mail goes on, and the other recipient is bounced."""
    tried = Bench(replies=Replies())
    assert tried(ANN, timestamp="9999-12-31T00:00:00Z") == "CONTINUE"
    failed, line = tried.lines
    assert (failed["message"], failed["stage"]) == ("reply_not_queued", "make")
    assert line["message"] == "mail"
    assert "replies" not in line


def test_addresses_of_replies_are_masked() -> None:
    """As all others in the line."""
    tried = Bench(replies=Replies(), settings="journal: {addresses: masked}")
    tried(ANN)
    assert ANN not in json.dumps(tried.lines)
    assert tried.lines[0]["replies"][0]["recipients"] == ["a***@example.com"]


def test_the_queue_of_replies_is_optional() -> None:
    """A deployment without it has no such key in its environment."""
    given = {
        "BOUNCER_PREFIX": "/a/main",
        "AWS_REGION": "eu-west-1",
        "BOUNCER_AWS_DOMAIN": "amazonaws.com",
        "BOUNCER_QUEUE_URL": "https://queue",
        "BOUNCER_RULES_BUCKET": "rules",
    }
    assert IntakeEnvironment.from_env(given).reply_queue_url == ""
    assert IntakeEnvironment.from_env(given).reply_senders == frozenset()
    more = given | {"BOUNCER_REPLY_QUEUE_URL": "https://replies", "BOUNCER_REPLY_SENDERS": "A@x b"}
    assert IntakeEnvironment.from_env(more).reply_queue_url == "https://replies"
    assert IntakeEnvironment.from_env(more).reply_senders == frozenset({"a@x", "b"})


def test_the_loader_of_the_intake_keeps_the_reply_senders() -> None:
    """No document can change them."""
    settings = Settings(reply_senders=frozenset({"a@example.com"}))
    loader = document_loader(Documented({"100": REPLY}, "{}"), settings, now=lambda: 0.0)
    assert loader.load().settings.reply_senders == frozenset({"a@example.com"})
