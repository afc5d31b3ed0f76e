"""A replier with fakes for all that it calls, and a table that fails as a test wants it to."""

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from bouncer.jobs.reply import Reply
from bouncer.jobs.reply_json import to_json
from bouncer.operator_settings import Settings
from bouncer.replier import Replier
from bouncer.replier_journal import ReplierJournal
from bouncer.rules.ruleset import Ruleset
from bouncer.sending import lease
from bouncer.sending.digest import Salt
from bouncer.sending.pacer import Pacer
from bouncer.sending.queue import Record
from bouncer.sending.reply_ledger import ReplyLedger
from bouncer.sending.reply_queue import ReplierQueue
from bouncer.sending.reply_sender import ReplySender
from bouncer.sending.send_quota import QuotaBook
from bouncer.sending.table import Table
from bouncer.sources.loaded import Loaded
from bouncer.sources.source import SourceError
from bouncer_sim.clock import SimulatedClock
from bouncer_sim.world.direct_client import DirectClient
from bouncer_sim.world.dynamodb_service import DynamoDbService
from tests.functions.worker.line import START
from tests.functions.worker.lone_worker import FailingTable

WEEK_S = 7 * 86_400
REPLY = Reply(
    message_id="m1",
    received_at=datetime.fromtimestamp(START, UTC),
    reference="bnc-abcdefghij234567",
    sender="ann@partner.example",
    recipients=("help@example.com",),
    rule="010-away",
    from_="Desk <desk@example.com>",
    from_arn=None,
    subject="Auto: Hello",
    text="The desk is closed.",
    once_per_s=WEEK_S,
    in_reply_to="<1@partner.example>",
    references=("<1@partner.example>",),
)


class FixedLoader:
    """Settings in force, as a test wants them."""

    def __init__(self) -> None:
        self.loaded = Loaded(Ruleset(()), Settings())
        self.error: SourceError | None = None

    def load(self) -> Loaded:
        """Return it, or raise the error."""
        if self.error:
            raise self.error
        return self.loaded

    def hold(self) -> None:
        """Hold all sending."""
        self.loaded = self.loaded._replace(settings=Settings(sending=False))


class PlannedSes:
    """SES of both interfaces: a mail is sent unless another answer is planned for the call."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self.calls: list[tuple[float, Mapping[str, Any]]] = []
        self.plan: list[BaseException] = []
        self.quota: dict[str, float] | BaseException = {
            "MaxSendRate": 80.0,
            "Max24HourSend": 50_000.0,
            "SentLast24Hours": 0.0,
        }
        self.asked_for_quota = 0

    def send_raw_email(self, **call: Any) -> dict[str, str]:
        """Send one mail, or fail as planned."""
        self.calls.append((self._clock.time(), call))
        if self.plan:
            raise self.plan.pop(0)
        return {"MessageId": f"reply-{len(self.calls)}"}

    def get_account(self) -> dict[str, Any]:
        """Return the quota, or fail as planned."""
        self.asked_for_quota += 1
        if isinstance(self.quota, BaseException):
            raise self.quota
        return {"SendQuota": self.quota}

    def close(self) -> None:
        """Close nothing."""


class PlainQueue:
    """A client of SQS that keeps what it is asked."""

    def __init__(self) -> None:
        self.buried: list[Mapping[str, Any]] = []
        self.delays: list[tuple[list[str], int]] = []
        self.plan: list[BaseException] = []

    def send_message(self, **asked: Any) -> dict[str, str]:
        """Keep a message, or fail as planned."""
        if self.plan:
            raise self.plan.pop(0)
        self.buried.append(asked)
        return {"MessageId": "dead"}

    def change_message_visibility_batch(self, **asked: Any) -> dict[str, Any]:
        """Keep which records are delivered again, and when."""
        entries = asked["Entries"]
        handles = [entry["ReceiptHandle"] for entry in entries]
        self.delays.append((handles, entries[0]["VisibilityTimeout"]))
        return {"Successful": [{"Id": entry["Id"]} for entry in entries], "Failed": []}


class LoneReplier:
    """Repliers of one deployment, each an environment of its own; the first one is `replier`."""

    def __init__(self) -> None:
        self.clock = SimulatedClock(START)
        self.service = DynamoDbService(self.clock.time)
        self.table = FailingTable(DirectClient(self.service), self.clock)
        self.ses = PlannedSes(self.clock)
        self.queue = PlainQueue()
        self.in_force = FixedLoader()
        self.senders = frozenset({"desk@example.com", "support@brand.example"})
        self._names = count(1)
        self._output = io.StringIO()
        self.replier = self.environment()

    def environment(self) -> Replier:
        """Return one more replier, which remembers nothing of the others."""
        journal = ReplierJournal("replier", "main", stream=self._output)
        return Replier(
            loader=self.in_force,
            ledger=ReplyLedger(
                Table(self.table, "ledger"),  # type: ignore[arg-type]  # a fake
                now=self.now,
                sleep=self.clock.sleep,
                new_name=self.new_name,
            ),
            jobs=ReplierQueue(self.queue, "jobs", "dead"),
            sender=ReplySender(self.ses, deployment="main", now=self.now),
            pacer=Pacer(now=self.clock.time, sleep=self.clock.sleep),
            quota=QuotaBook(self.ses, ticks=self.clock.time, failed=journal.quota_unread),
            senders=self.senders,
            outcomes=journal,
            now=self.now,
            ticks=self.clock.time,
            new_name=self.new_name,
        )

    def now(self) -> datetime:
        """Return the time of day."""
        return datetime.fromtimestamp(self.clock.time(), UTC)

    def new_name(self) -> str:
        """Return a name that was never used before."""
        return f"name{next(self._names)}"

    def work(self, *records: Record, replier: Replier | None = None) -> list[str]:
        """Have a batch worked off; return the ids of the records to deliver again."""
        answer = (replier or self.replier).handle(records, remaining_s=60)
        return [each["itemIdentifier"] for each in answer["batchItemFailures"]]

    @property
    def salt(self) -> Salt:
        """The salt of the ledger's table."""
        return lease.salt(self.service.items[lease.LEASE])

    @property
    def sent(self) -> list[str]:
        """The addresses that SES was asked to send to, in order."""
        return [call["Destinations"][0] for _, call in self.ses.calls]

    @property
    def lines(self) -> list[dict[str, Any]]:
        """All lines of the journal."""
        return [json.loads(line) for line in self._output.getvalue().splitlines()]

    def event(self, name: str) -> dict[str, Any]:
        """Return the first line about an event."""
        return next(line for line in self.lines if line["message"] == name)

    def ends(self) -> list[str]:
        """Return the ends of replies: the event, the reason, and `again`."""
        return [
            " ".join(
                filter(
                    None,
                    (line["message"], line.get("reason"), "again" if line.get("again") else ""),
                )
            )
            for line in self.lines
            if line["message"] in {"replied", "reply_withheld", "reply_failed"}
        ]


def record(
    name: str = "r1", reply: Reply = REPLY, *, body: str = "", receives: int = 1, **changes: Any
) -> Record:
    """Return a queue message with a reply, changed as said."""
    return {
        "messageId": name,
        "receiptHandle": name,
        "body": body or to_json(replace(reply, **changes)),
        "attributes": {
            "ApproximateReceiveCount": str(receives),
            "SentTimestamp": str(int(START * 1000)),
        },
    }
