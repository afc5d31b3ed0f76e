"""Lines of every kind, as the functions have the journal write them."""

import io
import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

from bouncer.feedback_journal import FeedbackJournal
from bouncer.held import Held
from bouncer.intake import Intake
from bouncer.jobs.job import Job
from bouncer.journal import Journal
from bouncer.operator_settings import Settings
from bouncer.publisher_journal import PublisherJournal
from bouncer.reasons import BOUNCE_REASONS, Reason
from bouncer.replier_journal import ReplierJournal
from bouncer.reporter_journal import ReporterJournal
from bouncer.rules.ruleset import Ruleset
from bouncer.sending.bounce_event import BounceEvent, Kind
from bouncer.sending.ending import Failure, failed, sent, withheld
from bouncer.sources.loaded import Loaded
from bouncer.sources.mail_bucket import MailBucket
from bouncer.sources.pointer import Pointer
from bouncer.sources.source import Document, Documents
from bouncer_sim.document_bucket import document_loader
from tests.functions.replier.lone_replier import REPLY
from tests.functions.reporting.report_cases import QUIET
from tests.stored_mails import BUCKET, PREFIX, MailObjects

Line = dict[str, Any]
NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
RULES = {
    "100-accept": "when: {recipient: staff@example.com}\naccept: {}",
    "200-departed": "when: {recipient: ann@example.com}\nreject: {type: DoesNotExist}",
    "210-shadow": "mode: shadow\nwhen: {recipient: bob@example.com}\ndrop: {}",
    "220-trial": "share: 0%\nwhen: {recipient: bob@example.com}\ndrop: {}",
    "300-drop": "when: {recipient: trash@example.com}\ndrop: {}",
    "310-offers": "when: {recipient: cut@example.com, subject: Offer}\ndrop: {}",
}


_LONG = b"From: eve@partner.example\r\nSubject: Offer\r\n\r\nHello\r\n"


class Fixed:
    """A source of fixed rules."""

    def read(self) -> Documents:
        return Documents({name: Document(name, text) for name, text in RULES.items()})


class Kept:
    """A queue that keeps its jobs."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def send(self, job: Job) -> None:
        self.jobs.append(job)


def event(
    source: str, *, names: tuple[str, ...] = ("ann", "bob", "staff", "trash"), word: str = "PASS"
) -> dict[str, Any]:
    recipients = [f"{name}@example.com" for name in names]
    verdict = {"status": word}
    mail = {"timestamp": NOW.isoformat(), "source": source, "messageId": "m1", "headers": []}
    verdicts = {f"{name}Verdict": verdict for name in ("spf", "dkim", "dmarc", "spam", "virus")}
    ses = {"mail": mail, "receipt": {"recipients": recipients, **verdicts}}
    return {"Records": [{"eventSource": "aws:ses", "ses": ses}]}


@cache
def lines() -> tuple[Line, ...]:
    """Return a line of every kind, as intake and worker have the journal write them."""
    intake, worker = io.StringIO(), io.StringIO()
    told = _Recording(Journal("intake", "main", stream=intake))
    jobs = Kept()
    loader = document_loader(Fixed(), Settings(), now=lambda: 0.0)
    mails = MailBucket(MailObjects({"m1": _LONG}), BUCKET, PREFIX, keeps=True)
    function = Intake(loader=loader, jobs=jobs, journal=told.journal, now=lambda: NOW, mails=mails)
    for source in ("eve@partner.example", "<>"):
        function.handle(event(source), request_id="r1")
    unverifiable = event("eve@partner.example", names=("ann",), word="PROCESSING_FAILED")
    function.handle(unverifiable, request_id="r1")
    cut = event("eve@partner.example", names=("cut",))
    cut["Records"][0]["ses"]["mail"]["headersTruncated"] = True
    function.handle(cut, request_id="r1")
    told.not_mail("no records")
    told.intake_failed("rules", _raised(), "m1")
    told.copy_failed("keep", _raised(), "m1")
    told.reply_not_queued("queue", _raised(), "m1")
    stale = Loaded(Ruleset([]), Settings(), ("a: found x, expected y",), stale=True)
    told.documents(stale)
    found = {"mail", *told.names}
    told = _Recording(Journal("worker", "main", stream=worker))
    told.begin("r2")
    told.documents(stale)
    (job,) = jobs.jobs
    endings = [withheld(reason) for reason in BOUNCE_REASONS]
    endings += [failed(failure, _raised()) for failure in Failure]
    for ending in (*endings, sent("b1")):
        told.ended(ending, job, Settings(), record="q1", wait_s=1.5)
    told.ended(sent("b1"), job, Settings(), record="q1", again=True)
    told.retried(job, _raised())
    told.handed_back(3, _raised())
    told.held(3, _raised())
    told.lease_busy(3, _raised())
    told.lease_taken_over()
    told.stale_batch(3, _raised())
    told.salt_made()
    told.worker_failed("release", _raised(), "ref", answer="sent b1", again=True)
    found |= told.names
    assert found == {name for name in vars(Journal) if not name.startswith("_")}
    text = intake.getvalue() + worker.getvalue() + _of_publisher() + _of_feedback()
    text += _of_replier() + _of_reporter()
    return tuple(json.loads(line) for line in text.splitlines())


def _of_publisher() -> str:
    """Return a line of every kind that the publisher writes."""
    stream = io.StringIO()
    told = _Recording(PublisherJournal("publisher", "main", stream=stream))
    held = Held(since=NOW, by="ann", why="", document="held")
    problems = {"rules/a": ("a: found x, expected y",)}
    told.show(Settings())
    told.published(Pointer("f" * 64, Settings(), (held,), problems, ("300-drop",), serial=7))
    told.refused(Pointer("f" * 64, Settings(), problems=problems))
    told.braked(Pointer("f" * 64, Settings(), braked=("300-drop",)))
    told.released(["300-drop"])
    told.brakes_unread(_raised())
    told.doubtful(("a: found x, expected y",))
    told.mended("current-v1: found x, expected y")
    told.publishing_failed(_raised())
    assert told.names == {name for name in vars(PublisherJournal) if not name.startswith("_")}
    return stream.getvalue()


def _of_feedback() -> str:
    """Return a line of every kind that the feedback function writes."""
    stream = io.StringIO()
    told = _Recording(FeedbackJournal("feedback", "main", stream=stream))
    for kind in Kind:
        told.bounced(BounceEvent(kind=kind, mail_id="b1", source="bounces@example.com"))
    event = BounceEvent(kind=Kind.PERMANENT, mail_id="b1", source="bounces@example.com")
    told.repeated(event)
    told.waits(event)
    told.ignored(event)
    told.tripped("23 of 310 bounces of a day bounced, more than 5%")
    told.unreadable(_raised())
    told.feedback_failed("ledger", _raised())
    assert told.names == {name for name in vars(FeedbackJournal) if not name.startswith("_")}
    return stream.getvalue()


def _of_reporter() -> str:
    """Return a line of every kind that the reporter writes."""
    stream = io.StringIO()
    told = _Recording(ReporterJournal("reporter", "main", stream=stream))
    told.reported("2026-11-28", QUIET, "0102-x")
    told.repeated("2026-11-28", "begun")
    told.report_failed("report", "2026-11-28", _raised())
    assert told.names == {name for name in vars(ReporterJournal) if not name.startswith("_")}
    return stream.getvalue()


class _Recording:
    """A journal that remembers which kinds of line were written."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.names: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.names.add(name)
        return getattr(self.journal, name)


def _raised() -> Exception:
    """Return an error with a traceback."""
    try:
        int("x")
    except ValueError as error:
        return error
    raise AssertionError


def metrics(line: Line) -> set[str]:
    return {entry["Name"] for entry in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]}


def _of_replier() -> str:
    """Return the lines of the replier."""
    output = io.StringIO()
    told = _Recording(ReplierJournal("replier", "main", stream=output))
    endings = [withheld(reason) for reason in (Reason.REPLIED_BEFORE, Reason.EXPIRED)]
    endings += [failed(failure, _raised()) for failure in Failure]
    for ending in (*endings, sent("b1")):
        told.reply_ended(ending, REPLY, record="q1", wait_s=1.5)
    told.reply_ended(sent("b1"), REPLY, record="q1", again=True)
    told.reply_retried(REPLY, _raised())
    told.replier_failed("ending", _raised(), "ref", answer="sent b1")
    told.quota_unread(_raised())
    assert told.names == {name for name in vars(ReplierJournal) if not name.startswith("_")}
    return output.getvalue()
