"""The Lambda function behind the daily report: it gathers, writes and sends the mail of a day.

EventBridge Scheduler invokes it, and may do so twice; Lambda invokes it twice more after an error.
The ledger lets one attempt of a day send. What can't be found out is said in the report, which is
sent all the same.
"""

import json
import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import uuid4
from zoneinfo import ZoneInfo

import boto3
from botocore.config import Config

from bouncer.aws.powertools_writer import powertools_writer
from bouncer.environment import ReporterEnvironment
from bouncer.function_limits import PRODUCT, REPORT_SCHEDULED
from bouncer.reporter_journal import ReporterJournal
from bouncer.reporting.gathering import gathered
from bouncer.reporting.insights import Insights
from bouncer.reporting.journal_query import JournalQueries
from bouncer.reporting.period import day_until
from bouncer.reporting.report import Report
from bouncer.reporting.report_ledger import ReportLedger
from bouncer.reporting.report_sender import (
    CONFIG,
    MailClient,
    NotSentError,
    ReportMail,
    send,
)
from bouncer.reporting.report_text import report_text, subject
from bouncer.reporting.standing_look import LookedAt, StandingLook
from bouncer.sending import table
from bouncer.sending.ledger_errors import LedgerError
from bouncer.sending.table import Table
from bouncer.sources.bucket_source import BucketSource

# The function has 300 seconds, and what it looks at may be slow: a call takes 11 seconds at the
# most with a second attempt. All queries, the last call to Logs and those that stop queries take
# 125, nine looks 100, and the ledger and SES 30.
READING = Config(
    connect_timeout=2, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2}
)
PATIENCE_S = 90.0  # for all queries


class Addressed(NamedTuple):
    """The mailboxes that get the report, the one it comes from, and the time zone of its days."""

    sender: str
    to: tuple[str, ...]
    zone: str


class Reporter:
    """Sends the report of a day, in one environment of the function; `name` names a deployment."""

    def __init__(
        self,
        name: str,
        addressed: Addressed,
        *,
        queries: JournalQueries,
        look: StandingLook,
        items: Table,
        mail: MailClient,
        journal: ReporterJournal,
        now: Callable[[], datetime],
        new_name: Callable[[], str],
    ) -> None:
        self._name = name
        self._addressed = addressed
        self._queries = queries
        self._look = look
        self._items = items
        self._mail = mail
        self._journal = journal
        self._now = now
        self._new_name = new_name

    def report(self, event: Mapping[str, Any], *, request_id: str = "") -> dict[str, str]:
        """Send the report of the day that an event names; raises what failed, to be tried again.

        The schedule's report is sent once a day, and one that an operator asks for each time.
        """
        self._journal.begin(request_id)
        end = _scheduled(event) or self._now()
        day = end.astimezone(ZoneInfo(self._addressed.zone)).date().isoformat()
        once = day if REPORT_SCHEDULED in event else f"{day}#{request_id}"
        try:
            return self._send(day, once, self._gathered(end))
        except Exception as error:
            self._journal.report_failed("report", day, error)
            raise

    def _gathered(self, end: datetime) -> Report:
        return gathered(
            f"{PRODUCT}-{self._name}",
            day_until(end, self._addressed.zone),
            queries=self._queries,
            look=self._look,
            now=self._now(),
        )

    def _send(self, day: str, once: str, report: Report) -> dict[str, str]:
        ledger = ReportLedger(self._items, once, name=self._new_name(), now=self._now)
        if state := ledger.begin():
            self._journal.repeated(day, state)
            return {"day": day, "state": state}
        try:
            mail_id = send(self._mail, self._mail_of(report))
        except NotSentError:
            ledger.free()
            raise
        self._journal.reported(day, report, mail_id)
        try:
            ledger.sent()
        except LedgerError as error:  # the day stays begun, which no other attempt passes either
            self._journal.report_failed("ledger", day, error)
        return {"day": day, "state": "sent", "mail_id": mail_id}

    def _mail_of(self, report: Report) -> ReportMail:
        return ReportMail(
            sender=self._addressed.sender,
            to=self._addressed.to,
            subject=subject(report),
            text=report_text(report),
            deployment=self._name,
            configuration_set=report.deployment,
        )


def _scheduled(event: Mapping[str, Any]) -> datetime | None:
    """Return the time for which EventBridge Scheduler called; None if an operator did."""
    try:
        found = datetime.fromisoformat(str(event.get(REPORT_SCHEDULED, "")))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _now() -> datetime:
    return datetime.now(UTC)


def _new_name() -> str:
    return uuid4().hex


@cache
def _reporter() -> Reporter:
    """Build the function with its dependencies, once, at its first event."""
    environment = ReporterEnvironment.from_env(os.environ)
    settings = json.loads(environment.report)
    insights = Insights(
        boto3.client("logs", config=READING),
        environment.log_groups,
        ticks=time.monotonic,
        sleep=time.sleep,
        patience_s=PATIENCE_S,
    )
    look = StandingLook(
        LookedAt(
            full_name=f"{PRODUCT}-{environment.deployment}",
            queue_url=environment.queue_url,
            dead_letters=environment.dead_letters,
        ),
        sqs=boto3.client("sqs", config=READING),
        cloudwatch=boto3.client("cloudwatch", config=READING),
        source=BucketSource(boto3.client("s3", config=READING), environment.bucket),
    )
    return Reporter(
        environment.deployment,
        Addressed(settings["from"], tuple(settings["to"]), settings["timezone"]),
        queries=insights,
        look=look,
        items=Table(boto3.client("dynamodb", config=table.CONFIG), environment.ledger_table),
        mail=boto3.client("sesv2", config=CONFIG),
        journal=ReporterJournal(
            "reporter", environment.deployment, write=powertools_writer("reporter")
        ),
        now=_now,
        new_name=_new_name,
    )


def handler(event: Mapping[str, Any], context: Any) -> dict[str, str]:
    """Send the report of a day: the Lambda entry point; the answer is the day and its state."""
    return _reporter().report(event, request_id=context.aws_request_id)
