"""Lines of the journal, for mails, jobs and errors whose every text is a stranger's."""

import json
import re
from collections.abc import Mapping
from contextlib import redirect_stderr
from io import StringIO
from typing import Any

from bouncer.errors import BouncerError, UnreadableEventError
from bouncer.jobs.job import Job, JobError
from bouncer.jobs.job_json import from_json
from bouncer.journal import Journal
from bouncer.judge import judge
from bouncer.mail.message import read_event
from bouncer.mail_line import QueueAnswer
from bouncer.reasons import Reason
from bouncer.sending.ending import Ending, Failure, Outcome, failed, sent, withheld
from bouncer.settings_reader import overlaid
from bouncer.sources.loaded import Loaded
from tests.fuzz.drawn import bent
from tests.fuzz.event_target import EVENTS
from tests.fuzz.fuzz_target import FuzzTarget
from tests.fuzz.job_target import JOB, OTHER_JOB
from tests.fuzz.judged import LOADED, NOW, RULESET
from tests.fuzz.line_law import check_lines

_SECRET = "secret-person"  # noqa: S105  # a local part, not a password
# In JSON, where a backslash is doubled. Outside quotes a comma stands between two addresses.
_SHOWN = re.compile(rf"{_SECRET}(?:\\\\.|\\(?!\\)|[^\"\s,\\])*@")

_MASKED = overlaid(LOADED.settings, "mask_addresses: true")


def check(data: bytes) -> None:
    """Each event is one short line of ASCII; with masked addresses no local part is in it."""
    try:
        asked = json.loads(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(asked, dict):
        return
    stream, broken = StringIO(), StringIO()
    journal = Journal("worker", "fuzz", stream=stream)
    with redirect_stderr(broken):
        written = _write(journal, asked)
    assert not broken.getvalue(), broken.getvalue()
    lines = check_lines(stream.getvalue())
    assert len(lines) == written
    if asked.get("masked") is True:
        _check_masked(lines)


def _write(journal: Journal, asked: Mapping[str, Any]) -> int:
    """Report what is asked for, and return the number of lines that this takes."""
    text = str(asked.get("text"))
    error = BouncerError(text)
    settings = _MASKED if asked.get("masked") is True else LOADED.settings
    journal.begin("request")
    journal.documents(Loaded(RULESET, settings, problems=(text, text), stale=True))
    journal.not_mail(text)
    journal.intake_failed("queue", error, text)
    journal.handed_back(1, error)
    journal.worker_failed("ending", error, text, answer=text)
    count = 5
    for message in _messages(asked.get("event")):
        try:
            judgement = judge(message, RULESET, settings, now=NOW)
        except JobError:
            continue
        answers = [QueueAnswer.UNKNOWN] * len(judgement.jobs)
        journal.mail(judgement, settings, answers=answers)
        count += 1
    job = _job(asked.get("job"))
    for ending in _endings(text):
        journal.ended(ending, job, settings, record=text, capped=job.recipients if job else ())
        count += 1
    return count


def _messages(event: Any) -> Any:
    try:
        return read_event(event)
    except UnreadableEventError:
        return ()


def _job(members: Any) -> Job | None:
    try:
        return from_json(json.dumps(members))
    except JobError:
        return None


def _endings(text: str) -> tuple[Ending, ...]:
    return (
        sent(text),
        withheld(Reason.CAPPED, cap="sender: 20 in 10m"),
        failed(Failure.REFUSED, BouncerError(text), dead=True),
        Ending(outcome=Outcome.FAILED, reason=Failure.UNREADABLE),
    )


def _check_masked(lines: list[dict[str, Any]]) -> None:
    """No address stands in a line as it is, wherever a stranger wrote it."""
    for line in lines:
        assert not _SHOWN.search(json.dumps(line)), line["message"]


def _asked(event: dict[str, Any], job: dict[str, Any]) -> dict[str, Any]:
    return {"text": "bob@example.com", "masked": True, "event": event, "job": job}


def _secret(value: dict[str, Any]) -> Any:
    text = json.dumps(value).replace("ann@", f"{_SECRET}@").replace("eve@", f"{_SECRET}@")
    return json.loads(text.replace("bob@", f"{_SECRET}@"))


_ASKED = [_asked(_secret(event), _secret(job)) for event in EVENTS for job in (JOB, OTHER_JOB)]
TARGET = FuzzTarget(
    name="journal",
    check=check,
    examples=bent(*_ASKED),
    words=("masked", "recipients", "refusals", _SECRET, "headers"),
    json=True,
)
