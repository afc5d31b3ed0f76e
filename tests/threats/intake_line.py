"""One event through the deployed intake: its answer, its jobs, and what it wrote to the journal."""

import io
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bouncer.intake import Intake
from bouncer.jobs.job import Job
from bouncer.journal import Journal
from bouncer.operator_settings import Settings
from bouncer.sources.source import Document, Documents
from bouncer_sim.document_bucket import document_loader

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
VERDICTS = ("spf", "dkim", "dmarc", "spam", "virus")
REJECT_ALL = "when: {recipient: '*'}\nreject: {type: DoesNotExist}"


@dataclass(frozen=True)
class Handled:
    """All that came of one event."""

    disposition: str
    jobs: list[Job]
    written: str


class _FixedRule:
    def __init__(self, rule: str, settings: str | None) -> None:
        self._documents = Documents(
            {"100-rule": Document("100-rule", rule)},
            Document("settings", settings) if settings else None,
        )

    def read(self) -> Documents:
        return self._documents


class _JobList:
    def __init__(self) -> None:
        self.sent: list[Job] = []

    def send(self, job: Job) -> None:
        self.sent.append(job)


def handled(event: object, rule: str = REJECT_ALL, settings: str | None = None) -> Handled:
    """Return what the intake makes of an event under one rule."""
    stream, queue = io.StringIO(), _JobList()
    intake = Intake(
        loader=document_loader(_FixedRule(rule, settings), Settings(), now=lambda: 0.0),
        jobs=queue,
        journal=Journal("intake", "test", stream=stream),
        now=lambda: NOW,
    )
    answer = intake.handle(event, request_id="r1")["disposition"]
    return Handled(answer, queue.sent, stream.getvalue())


def event(
    *headers: tuple[str, str],
    sender: str = "eve@partner.example",
    recipients: tuple[str, ...] = ("ann@example.com",),
    message_id: str = "m1",
    **verdicts: str,
) -> dict[str, Any]:
    """Return an event of SES: the mail of a person whose SPF passes, unless told otherwise."""
    words = dict.fromkeys(VERDICTS, "PASS") | verdicts
    named = headers or (("From", f"Eve <{sender}>"), ("Subject", "Hello"))
    mail = {
        "messageId": message_id,
        "source": sender,
        "timestamp": NOW.isoformat(),
        "headers": [{"name": name, "value": value} for name, value in named],
    }
    receipt = {f"{name}Verdict": {"status": word} for name, word in words.items()}
    ses = {"mail": mail, "receipt": {"recipients": list(recipients), **receipt}}
    return {"Records": [{"eventSource": "aws:ses", "ses": ses}]}
