"""Events of SES, as the intake reads and answers them."""

import json
from contextlib import redirect_stderr
from io import StringIO
from typing import Any

from bouncer.intake import Intake
from bouncer.jobs.job import Job
from bouncer.jobs.job_json import from_json, to_json
from bouncer.jobs.reply import Reply
from bouncer.journal import Journal
from bouncer.sending.bounce_request import bounce_request
from bouncer.sources.loaded import Loaded
from tests.fuzz.call_law import check_call
from tests.fuzz.drawn import bent
from tests.fuzz.fuzz_target import FuzzTarget
from tests.fuzz.judged import KEEPS_A_COPY, LOADED, NOW
from tests.fuzz.line_law import check_lines
from tests.fuzz.reply_law import check_reply
from tests.unit.ses_events import RECORD

_LONGEST = 600  # characters of an address that the journal surely does not cut
_ANSWERS = ({"disposition": "CONTINUE"}, {"disposition": "STOP_RULE_SET"})


class _Rules:
    """Rules that are always in force."""

    def load(self) -> Loaded:
        return LOADED


class _Jobs:
    """A queue that takes every job."""

    def __init__(self) -> None:
        self.taken: list[Job] = []

    def send(self, job: Job) -> None:
        self.taken.append(job)


class _Replies:
    """A queue that takes every reply that keeps the law."""

    def __init__(self) -> None:
        self.broken: AssertionError | None = None

    def send(self, reply: Reply) -> None:
        try:
            check_reply(reply)
        except AssertionError as error:  # the intake would take it for an error of the queue
            self.broken = error


def check(data: bytes) -> None:
    """The intake answers any event; its jobs can be sent, and name recipients of the envelope."""
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        return
    jobs, stream, broken = _Jobs(), StringIO(), StringIO()
    journal = Journal("intake", "fuzz", stream=stream)
    replies = _Replies()
    intake = Intake(loader=_Rules(), jobs=jobs, journal=journal, now=lambda: NOW, replies=replies)
    with redirect_stderr(broken):
        answer = intake.handle(event)
    assert answer in _ANSWERS
    if replies.broken:
        raise replies.broken
    assert not broken.getvalue(), broken.getvalue()
    bounced = {recipient for job in jobs.taken for recipient in job.recipients}
    for line in check_lines(stream.getvalue()):
        _check_error(line)
        if line.get("disposition") == "STOP_RULE_SET":
            _check_stopped(line["decisions"], bounced)
    envelope = _envelope(event) if jobs.taken else set()
    for job in jobs.taken:
        check_call(bounce_request(job), envelope)
        assert from_json(to_json(job)) == job


def _check_error(line: dict[str, Any]) -> None:
    """An error of the intake is one that the flow documents: what is sent can't be made."""
    if line["message"] == "reply_not_queued":
        assert line["stage"] == "make", line["error"]
    if line["message"] == "intake_failed":
        assert line["stage"] == "queue", line["error"]
        assert line["error"].startswith("JobError: "), line["error"]


def _check_stopped(decisions: list[dict[str, Any]], bounced: set[str]) -> None:
    """A mail is stopped only if each recipient is dropped, or is rejected and told or withheld."""
    assert decisions
    for each in decisions:
        assert each["action"] in {"reject", "drop"}, each
        assert each["rule"] != KEEPS_A_COPY, each
        told = each["recipient"] in bounced or len(each["recipient"]) > _LONGEST
        assert told or each["withheld"] or each["action"] == "drop", each


def _envelope(event: Any) -> set[str]:
    """Return the recipients of all envelopes in an event, read as simply as possible."""
    found: set[str] = set()
    for record in event["Records"]:
        receipt = record["ses"].get("receipt")
        listed = receipt.get("recipients") if isinstance(receipt, dict) else None
        texts = [listed] if isinstance(listed, str) else listed if isinstance(listed, list) else []
        for text in filter(lambda each: isinstance(each, str), texts):
            found |= {text.strip(), text.strip()[1:-1].strip()}
    return found


_MANY = [f"b{number}@example.com" for number in range(60)]
_RECIPIENTS = (
    ["ann@example.com"],
    ["bea@example.com", "kim@example.com", "dan@example.com"],
    ["someone.else@example.com"],
    _MANY,
)
EVENTS = [
    {"Records": [RECORD | {"ses": {**RECORD["ses"], "receipt": receipt}}]}
    for recipients in _RECIPIENTS
    for receipt in [{**RECORD["ses"]["receipt"], "recipients": recipients}]
]
TARGET = FuzzTarget(
    name="event",
    check=check,
    examples=bent(*EVENTS),
    words=("Records", "receipt", "recipients", "headersTruncated", "Return-Path", "Auto-Submitted"),
    json=True,
)
