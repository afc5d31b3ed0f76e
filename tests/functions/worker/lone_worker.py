"""A worker with fakes for all that it calls, and a table that fails as a test wants it to.

Queue and SES are fakes of ours. The items are moto's; as moto ignores the token of a transaction,
the client here remembers it as DynamoDB does.
"""

import io
import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, cast

import boto3
from botocore.exceptions import ClientError, ReadTimeoutError

from bouncer.caps import NO_CAPS
from bouncer.environment import LEDGER_KEY
from bouncer.jobs.job import Job, Refusal
from bouncer.jobs.job_json import from_json, to_json
from bouncer.journal import Journal
from bouncer.operator_settings import Settings
from bouncer.publishing.publisher_prompt import PublisherPrompt
from bouncer.sending.digest import Salt
from bouncer.sending.lease import LEASE
from bouncer.sending.ledger import Ledger
from bouncer.sending.pacer import Pacer
from bouncer.sending.queue import Record, WorkerQueue
from bouncer.sending.ses import Sender
from bouncer.sending.table import Table
from bouncer.worker import Worker
from bouncer_sim.clock import SimulatedClock, now
from bouncer_sim.document_bucket import document_loader
from tests.embedded_aws import embedded_aws
from tests.functions.worker.line import START, FixedSettings

WRITE, TOGETHER, READ = "update_item", "transact_write_items", "batch_get_item"


class KilledError(BaseException):
    """The end of a process in the middle of its work."""


def refusal(code: str, *, status: int = 400, text: str = "", **more: Any) -> ClientError:
    """An answer of AWS that refuses."""
    answer = {"Error": {"Code": code, "Message": text}, **more}
    return ClientError(
        cast("Any", answer | {"ResponseMetadata": {"HTTPStatusCode": status}}), "Any"
    )


def conflict() -> ClientError:
    """A transaction that another one got in the way of."""
    reasons = [{"Code": "None"}, {"Code": "TransactionConflict"}]
    return refusal("TransactionCanceledException", CancellationReasons=reasons)


THROTTLED = refusal("Throttling", text="Maximum sending rate exceeded.")


class FailingTable:
    """A client of DynamoDB whose calls fail as planned, before or after they take effect."""

    def __init__(self, client: Any, clock: SimulatedClock) -> None:
        self._client = client
        self._clock = clock
        self._tokens: dict[str, Any] = {}
        self.times: list[tuple[str, float]] = []
        self.plan: list[tuple[str, str, BaseException]] = []
        self.late: list[Callable[[], object]] = []
        self.unprocessed = 0  # reads that answer no key but name all as left
        self.meanwhile: Callable[[], object] | None = None  # before the next transaction

    def fail(
        self, what: str, *moments: str, error: BaseException | None = None, times: int = 1
    ) -> None:
        """Fail the next calls `what`: `before` or `after` their effect, or with one that is `late`.

        `what` is an operation, or the name of a value of a write, such as `:ended`.
        """
        lost = error or ReadTimeoutError(endpoint_url="x")
        self.plan += [(what, moment, lost) for moment in moments for _ in range(times)]

    @property
    def calls(self) -> list[str]:
        """The operations called, in order."""
        return [operation for operation, _ in self.times]

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        return partial(self._call, operation)

    def _call(self, operation: str, **asked: Any) -> Any:
        self.times.append((operation, self._clock.time()))
        if operation == TOGETHER and self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        names = {operation, *_values(asked)}
        planned = next((each for each in self.plan if each[0] in names), None)
        if planned is None:
            return self._effect(operation, asked)
        self.plan.remove(planned)
        _, moment, error = planned
        if moment == "after":
            self._effect(operation, asked)
        if moment == "late":
            self.late.append(lambda: self._effect(operation, asked))
        raise error

    def _effect(self, operation: str, asked: Mapping[str, Any]) -> Any:
        token = asked.get("ClientRequestToken", "")
        if token and self._tokens.get(token) == asked:
            return {}
        if operation == READ and self.unprocessed:
            self.unprocessed -= 1
            return {"Responses": {}, "UnprocessedKeys": asked["RequestItems"]}
        answer = getattr(self._client, operation)(**asked)
        if token:
            self._tokens[token] = asked
        return answer


def _values(asked: Mapping[str, Any]) -> set[str]:
    """Return the names of the values of one write, or of several."""
    updates = [each["Update"] for each in asked.get("TransactItems", ())] or [asked]
    return {name for each in updates for name in each.get("ExpressionAttributeValues", ())}


class FakeQueue:
    """A client of SQS that takes what it is told, and refuses what `failed` and `down` say."""

    def __init__(self) -> None:
        self.visible: list[tuple[list[str], int]] = []
        self.dead: list[dict[str, Any]] = []
        self.failed: list[list[dict[str, Any]]] = []
        self.down = False

    def change_message_visibility_batch(self, *, Entries: Any, **_: object) -> dict[str, Any]:  # noqa: N803
        handles = [each["ReceiptHandle"] for each in Entries]
        self.visible.append((handles, Entries[0]["VisibilityTimeout"]))
        return {"Failed": self.failed.pop(0) if self.failed else []}

    def send_message(self, **message: Any) -> dict[str, Any]:
        if self.down:
            raise refusal("InternalError", status=500)
        self.dead.append(message)
        return {}


class FakeBounces:
    """A client of SES: the next answers are errors to raise, or None for a bounce."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self.answers: list[BaseException | None] = []
        self.calls: list[float] = []
        self.recipients: list[tuple[str, ...]] = []
        self.meanwhile: Callable[[], object] | None = None  # during the next call

    def send_bounce(self, **call: Any) -> dict[str, str]:
        self.calls.append(self._clock.time())
        self.recipients.append(
            tuple(each["Recipient"] for each in call["BouncedRecipientInfoList"])
        )
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        return {"MessageId": f"bounce-{len(self.calls)}"}

    def close(self) -> None:
        """Close nothing."""


class FakeFunctions:
    """A client of Lambda that keeps what it is asked for; `down` is an error to raise."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.down: Exception | None = None

    def invoke(self, **call: Any) -> dict[str, int]:
        self.asked.append(call)
        if self.down is not None:
            raise self.down
        return {"StatusCode": 202}


class LoneWorker:
    """Builds workers over one table, and hands them records as Lambda would.

    All mails are of one sender, so nothing is capped unless `settings` have `caps`. Bounces may
    come from `senders` alone, if there are any. The table has a salt from the start.
    """

    def __init__(
        self, stack: ExitStack, settings: str | None = None, *, senders: tuple[str, ...] = ()
    ) -> None:
        aws = stack.enter_context(embedded_aws())
        self.clock = SimulatedClock(START)
        self.items = boto3.client("dynamodb")
        self.name = aws.environ[LEDGER_KEY]
        self.items.put_item(TableName=self.name, Item={"id": {"S": LEASE}, "salt": {"S": "salt"}})
        self.table = FailingTable(self.items, self.clock)
        self.queue = FakeQueue()
        self.ses = FakeBounces(self.clock)
        self.functions = FakeFunctions()
        self.source = FixedSettings(settings)
        self.stream = io.StringIO()
        self._names = count(1)
        self._defaults = Settings(cache_s=0, caps=NO_CAPS, senders=frozenset(senders))
        self.ledger = self._ledger()
        self.worker = self.environment()

    def new_name(self) -> str:
        """Return a name that was never used before."""
        return f"name-{next(self._names)}"

    def _ledger(self) -> Ledger:
        return Ledger(
            Table(cast("Any", self.table), self.name),
            now=partial(now, self.clock),
            sleep=self.clock.sleep,
            new_name=self.new_name,
        )

    def environment(self) -> Worker:
        """Return a worker that remembers nothing of any other."""
        return Worker(
            loader=document_loader(self.source, self._defaults, now=self.clock.time),
            ledger=self._ledger(),
            jobs=WorkerQueue(self.queue, "jobs", "dead"),
            sender=Sender(self.ses),
            pacer=Pacer(now=self.clock.time, sleep=self.clock.sleep),
            publisher=PublisherPrompt(lambda: self.functions, "publisher"),
            outcomes=Journal("worker", "test", stream=self.stream),
            now=partial(now, self.clock),
            ticks=self.clock.time,
            sleep=self.clock.sleep,
            new_name=self.new_name,
        )

    def job(
        self,
        *recipients: str,
        message_id: str = "m1",
        age: timedelta = timedelta(),
        sender: str = "bounces@example.com",
    ) -> str:
        """Return the body of a job."""
        refusals = tuple(
            Refusal(
                recipient=each, rule="r", recipient_arn=None, bounce_type="DoesNotExist", dsn=None
            )
            for each in recipients or ("ann@example.com",)
        )
        return to_json(
            Job(
                message_id=message_id,
                received_at=datetime.fromtimestamp(self.clock.time(), UTC) - age,
                reference=f"bnc-{message_id}",
                sender="eve@partner.example",
                bounce_sender=sender,
                bounce_sender_arn=None,
                messages=(),
                reporting_mta="dns; mx.example.com",
                extension_fields=(),
                refusals=refusals,
            )
        )

    def deliver(self, *bodies: str, receives: int = 1, first: int = 1) -> list[str]:
        """Hand bodies over as the messages q1, q2, ...; return those that are to come again."""
        records: list[Record] = [
            {
                "messageId": f"q{number}",
                "receiptHandle": f"handle {number}",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": str(receives),
                    "SentTimestamp": str(round(START * 1000)),
                },
            }
            for number, body in enumerate(bodies, first)
        ]
        answer = self.worker.handle(records, remaining_s=60.0)
        return [each["itemIdentifier"] for each in answer["batchItemFailures"]]

    def kill(self, body: str, *, receives: int = 1) -> None:
        """Have a worker die in its SES call, and wait until its lease is over."""
        self.ses.answers.append(KilledError())
        try:
            self.deliver(body, receives=receives)
        except KilledError:
            self.clock.sleep(66)
            self.worker = self.environment()

    def item(self, key: str) -> dict[str, Any]:
        """Return an item, its attributes without DynamoDB's types."""
        found = self.items.get_item(TableName=self.name, Key={"id": {"S": key}}).get("Item", {})
        return {name: next(iter(value.values())) for name, value in found.items()}

    @property
    def salt(self) -> Salt:
        """The salt that the table has by now."""
        return Salt(self.item(LEASE)["salt"])

    def claimed(self) -> list[str]:
        """Return all digests that are claimed, of any mail."""
        found = self.items.scan(TableName=self.name)["Items"]
        return [digest for item in found for digest in item.get("claimed", {}).get("SS", [])]

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def said(self) -> list[tuple[str, str]]:
        """Return the event, and the reason or stage, of each line since the last call."""
        lines = self.lines
        self.stream.truncate(0)
        self.stream.seek(0)
        return [
            (line["message"], str(line.get("reason") or line.get("stage", ""))) for line in lines
        ]


def mail(lone: LoneWorker, number: int, sender: str = "eve@partner.example", *to: str) -> str:
    """Return the body of the job of one mail; each number is a mail of its own."""
    job = from_json(lone.job(*to, message_id=f"m{number}"))
    return to_json(replace(job, sender=sender))


def ends(lone: LoneWorker) -> list[str]:
    """Return the ends of jobs since the last call, `sent` or the reason."""
    return [reason or event for event, reason in lone.said()]
