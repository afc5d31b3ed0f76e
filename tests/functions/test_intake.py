"""The intake function decides, queues and answers SES, and lets mail through whatever breaks."""

import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from bouncer.intake import Intake
from bouncer.jobs.job import Job
from bouncer.journal import Journal
from bouncer.operator_settings import Settings
from bouncer.sending.queue import QueueError
from bouncer.sources.source import Document, Documents, SourceError
from bouncer_sim.document_bucket import document_loader
from tests.functions.intake_events import REJECT, event

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)


@dataclass
class Documented:
    """A source of documents that can be broken."""

    rules: dict[str, str]
    settings: str | None = None
    error: Exception | None = None

    def read(self) -> Documents:
        if self.error:
            raise self.error
        rules = {name: Document(name, text) for name, text in self.rules.items()}
        return Documents(rules, Document("settings", self.settings) if self.settings else None)


@dataclass
class Jobs:
    """A queue that can be broken."""

    sent: list[Job] = field(default_factory=list)
    error: Exception | None = None

    def send(self, job: Job) -> None:
        if self.error:
            raise self.error
        self.sent.append(job)


class Bench:
    """One intake with fakes around it; `lines` is its journal."""

    def __init__(self, source: Documented) -> None:
        self.source = source
        self.jobs = Jobs()
        self.ticks = 0.0
        self._stream = io.StringIO()
        self.intake = Intake(
            loader=document_loader(source, Settings(), now=lambda: self.ticks),
            jobs=self.jobs,
            journal=Journal("intake", "test", stream=self._stream),
            now=lambda: NOW,
        )

    def __call__(self, what: object) -> str:
        return self.intake.handle(what, request_id="r1")["disposition"]

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]


def bench(rule: str = REJECT, **more: Any) -> Bench:
    return Bench(Documented({"200-departed": rule}, **more))


def test_a_rejected_mail_is_queued_and_stopped() -> None:
    """One job goes on the queue, SES is to stop, one line reports it all with its metrics."""
    tried = bench()
    assert tried(event()) == "STOP_RULE_SET"
    (job,) = tried.jobs.sent
    assert (job.sender, job.recipients) == ("eve@partner.example", ("ann@example.com",))
    assert job.received_at == NOW
    (line,) = tried.lines
    assert line["message"] == "mail"
    assert line["request_id"] == "r1"
    assert line["decisions"] == [
        {
            "recipient": "ann@example.com",
            "action": "reject",
            "rule": "200-departed",
            "shadow": [],
            "withheld": None,
        }
    ]
    assert line["references"] == [job.reference]
    metrics = {metric["Name"] for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert metrics == {"Mails", "Rejected", "Queued", "ColdStarts"}
    assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["deployment", "service"]]


def test_a_mail_somebody_still_gets_goes_on() -> None:
    """With one recipient rejected and one not, the bounce is queued and the mail continues."""
    tried = bench()
    assert tried(event("ann@example.com", "bob@example.com")) == "CONTINUE"
    assert [job.recipients for job in tried.jobs.sent] == [("ann@example.com",)]


def test_a_withheld_bounce_is_still_a_rejection() -> None:
    """The null sender gets no answer, yet the mail is stopped; the reason is logged and counted."""
    tried = bench()
    assert tried(event(source="<>")) == "STOP_RULE_SET"
    assert not tried.jobs.sent
    assert tried.lines[0]["decisions"][0]["withheld"] == "null_sender"
    assert tried.lines[0]["Withheld_null_sender"] == [1]


def test_a_mail_that_ses_told_too_little_about_goes_on() -> None:
    """It is neither stopped nor bounced, and its line says the reason and that it went on."""
    tried = bench()
    assert tried(event(headersTruncated=True)) == "CONTINUE"
    assert not tried.jobs.sent
    (line,) = tried.lines
    assert line["decisions"][0]["withheld"] == "headers_truncated"
    assert (line["disposition"], line["went_on"]) == ("CONTINUE", "headers_truncated")
    assert line["WentOn"] == line["Withheld_headers_truncated"] == line["Rejected"] == [1]


@pytest.mark.parametrize(
    ("rule", "disposition", "queued"),
    [
        ("drop: {}", "STOP_RULE_SET", 0),
        ("accept: {}", "CONTINUE", 0),
        ("when: {subject: nothing}\ndrop: {}", "CONTINUE", 0),
        ("mode: shadow\nreject: {type: Undefined}", "CONTINUE", 0),
        ("reject: {type: Undefined, keep_copy: true}", "CONTINUE", 1),
    ],
)
def test_what_each_action_answers(rule: str, disposition: str, queued: int) -> None:
    """Only what nobody keeps is stopped; shadow rules do nothing."""
    tried = bench(rule)
    assert tried(event()) == disposition
    assert len(tried.jobs.sent) == queued


@pytest.mark.parametrize("mode", ["shadow", "off"])
def test_the_settings_can_hold_everything_back(mode: str) -> None:
    """With mode shadow or off nothing is stopped and nothing is queued."""
    tried = bench(settings=f"mode: {mode}")
    assert tried(event()) == "CONTINUE"
    assert not tried.jobs.sent
    assert bool(tried.lines[0]["decisions"]) == (mode == "shadow")


def test_shadow_mode_reports_what_the_guard_would_withhold() -> None:
    """An operator looks at these reasons before setting the mode to enforce."""
    tried = bench(settings="mode: shadow")
    assert tried(event(source="<>")) == "CONTINUE"
    assert not tried.jobs.sent
    (line,) = tried.lines
    assert line["decisions"][0]["withheld"] == "null_sender"
    assert line["Withheld_null_sender"] == [1.0]


@pytest.mark.parametrize(
    "what",
    [
        None,
        [],
        {},
        "text",
        {"Records": []},
        {"Records": [None]},
        {"Records": [{"ses": {"mail": {}}}]},
        {"Records": [{"ses": {"mail": {"messageId": "AMAZON_SES_SETUP_NOTIFICATION"}}}]},
    ],
)
def test_an_event_that_is_not_a_mail_continues(what: object) -> None:
    """An odd event is journalled as such, not as an error, and SES goes on."""
    tried = bench()
    assert tried(what) == "CONTINUE"
    assert [line["message"] for line in tried.lines] == ["not_mail"]


def test_rules_that_cannot_be_read_let_mail_through() -> None:
    """Without any rules ever read, the mail goes on and the error is journalled and counted."""
    tried = bench(error=SourceError("ssm is down"))
    assert tried(event()) == "CONTINUE"
    (line,) = tried.lines
    assert (line["message"], line["stage"], line["message_id"]) == ("intake_failed", "rules", "m1")
    assert line["IntakeErrors"] == [1]


def test_the_last_good_rules_stay_in_force() -> None:
    """When SSM fails later, the rules read before decide, and a line says so once."""
    tried = bench()
    tried(event())
    tried.source.error = SourceError("ssm is down")
    tried.ticks = 1000.0
    assert tried(event()) == "STOP_RULE_SET"
    assert [line["message"] for line in tried.lines] == ["mail", "documents_stale", "mail"]


@pytest.mark.threat
def test_a_broken_rule_is_left_out_alone() -> None:
    """The others stay in force; the publisher names what is wrong with the broken one."""
    tried = Bench(Documented({"100-broken": "dorp: {}", "200-departed": REJECT}))
    assert tried(event()) == "STOP_RULE_SET"
    assert tried(event(messageId="m2")) == "STOP_RULE_SET"
    assert [line["message"] for line in tried.lines] == ["mail", "mail"]


def test_a_queue_that_fails_lets_mail_through() -> None:
    """A mail that can't be bounced is not stopped either: its sender would never learn of it."""
    tried = bench()
    tried.jobs.error = QueueError("down")
    assert tried(event()) == "CONTINUE"
    assert [line["stage"] for line in tried.lines] == ["queue"]


@pytest.mark.parametrize("error", [MemoryError(), KeyError("x"), RecursionError()])
def test_any_error_of_ours_lets_mail_through(error: Exception) -> None:
    """For any error inside, the answer is CONTINUE; the journal has the error, no traceback."""
    tried = bench(error=error)
    assert tried(event()) == "CONTINUE"
    assert type(error).__name__ in tried.lines[0]["error"]
    assert "Traceback" not in json.dumps(tried.lines)


@pytest.mark.parametrize("recipient", ["a\tb@example.com", "a\ud800@example.com", "nobody"])
def test_a_bounce_that_cannot_be_made_stops_nothing(recipient: str) -> None:
    """A mail whose bounce SES would refuse goes on; it is not stopped without an answer."""
    tried = bench('when: {recipient: "*"}\nreject: {type: DoesNotExist}')
    assert tried(event(recipient)) == "CONTINUE"
    assert not tried.jobs.sent
    (line,) = tried.lines
    assert line["decisions"][0]["withheld"] == line["went_on"] == "invalid_recipient"


def test_a_log_level_from_outside_hides_no_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every mail has its line and its metrics, whatever level the environment asks for."""
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "ERROR")
    monkeypatch.setenv("AWS_LAMBDA_LOG_LEVEL", "ERROR")
    tried = bench()
    tried(event())
    assert [line["message"] for line in tried.lines] == ["mail"]


def test_a_broken_journal_changes_nothing() -> None:
    """A log that can't be written neither stops nor lets through a mail."""
    tried = bench()
    tried._stream.close()  # noqa: SLF001  # as when stdout is gone
    assert tried(event()) == "STOP_RULE_SET"
    assert len(tried.jobs.sent) == 1


def test_several_records_are_judged_each() -> None:
    """Every mail of an event is judged; SES is to stop only if all of them are to be stopped."""
    tried = bench()
    both = {"Records": [*event()["Records"], *event("bob@example.com", messageId="m2")["Records"]]}
    assert tried(both) == "CONTINUE"
    assert [job.message_id for job in tried.jobs.sent] == ["m1"]


@pytest.mark.parametrize("setting", ["mask_addresses: true", "journal: {addresses: masked}"])
def test_addresses_can_be_masked(setting: str) -> None:
    """With this setting the journal names no mailbox; the older word for it means the same."""
    tried = bench(settings=setting)
    tried(event())
    text = json.dumps(tried.lines)
    assert "eve@" not in text
    assert "e***@partner.example" in text
