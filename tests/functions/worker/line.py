"""Builders for the tests of worker."""

import io
import json
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import boto3

from bouncer.caps import NO_CAPS
from bouncer.environment import DEAD_LETTER_KEY, LEDGER_KEY, QUEUE_KEY
from bouncer.jobs.job import Job, Refusal
from bouncer.jobs.reference import reference
from bouncer.journal import Journal
from bouncer.operator_settings import Settings
from bouncer.sending import ses
from bouncer.sending.lease import LEASE
from bouncer.sending.ledger import Ledger
from bouncer.sending.pacer import Pacer
from bouncer.sending.queue import WorkerQueue
from bouncer.sending.ses import Sender
from bouncer.sending.table import Table
from bouncer.sources.source import Document, Documents, SourceError
from bouncer.worker import Worker
from bouncer_sim.clock import SimulatedClock, now
from bouncer_sim.document_bucket import document_loader
from bouncer_sim.event_source_mapping import EventSourceMapping
from bouncer_sim.fake_ses.faults import Fault, FaultKind, Faults
from bouncer_sim.fake_ses.server import FakeSes
from bouncer_sim.fake_ses.ses_account import ReceivedMail
from bouncer_sim.no_publisher import NO_PUBLISHER
from bouncer_sim.worker_driver import new_name
from tests.embedded_aws import embedded_aws

START = datetime(2026, 11, 2, 8, tzinfo=UTC).timestamp()


class FixedSettings:
    """Settings as a test wants them."""

    def __init__(self, text: str | None) -> None:
        self.text = text
        self.rules: dict[str, Document] = {}
        self.error: SourceError | None = None

    def read(self) -> Documents:
        if self.error:
            raise self.error
        return Documents(self.rules, Document("settings", self.text) if self.text else None)


class Line:
    """Queue, mapping, worker, ledger and fake SES with one simulated clock.

    All mails are of one sender, so nothing is capped unless `settings` have `caps`.
    """

    def __init__(
        self, stack: ExitStack, *plan: tuple[int, FaultKind], settings: str | None = None
    ) -> None:
        self.clock = SimulatedClock(START)
        faults = Faults(plan=tuple(Fault(call=call, kind=kind) for call, kind in plan))
        self.ses = stack.enter_context(
            FakeSes(verified=["example.com"], clock=self.clock.time, faults=faults)
        )
        self.aws = stack.enter_context(embedded_aws(self.ses.endpoint))
        self.sqs = boto3.client("sqs")
        self.table = boto3.client("dynamodb")
        self.table.put_item(
            TableName=self.aws.environ[LEDGER_KEY], Item={"id": {"S": LEASE}, "salt": {"S": "salt"}}
        )
        self.urls = (self.aws.environ[QUEUE_KEY], self.aws.environ[DEAD_LETTER_KEY])
        self.jobs = WorkerQueue(self.sqs, *self.urls)
        self.ledger = Ledger(
            Table(self.table, self.aws.environ[LEDGER_KEY]),
            now=partial(now, self.clock),
            sleep=self.clock.sleep,
            new_name=new_name,
        )
        self.source = FixedSettings(settings)
        self.stream = io.StringIO()
        self.answers: list[Any] = []

    def worker(self) -> Worker:
        """A worker in a new environment: it remembers nothing of the last."""
        return Worker(
            loader=document_loader(self.source, Settings(caps=NO_CAPS), now=self.clock.time),
            ledger=self.ledger,
            jobs=self.jobs,
            sender=Sender(self.client()),
            pacer=Pacer(now=self.clock.time, sleep=self.clock.sleep),
            publisher=NO_PUBLISHER,
            outcomes=Journal("worker", "test", stream=self.stream),
            now=partial(now, self.clock),
            ticks=self.clock.time,
            sleep=self.clock.sleep,
            new_name=new_name,
        )

    def client(self) -> Any:
        """A client of the fake SES, as the function makes it."""
        return boto3.client("ses", config=ses.CONFIG)

    def receive(self, message_id: str, *recipients: str, age: timedelta = timedelta()) -> Job:
        """SES receives a mail, and intake makes this job of it."""
        recipients = recipients or ("ann@example.com",)
        received_at = now(self.clock) - age
        mail = ReceivedMail(
            message_id=message_id,
            sender="eve@partner.example",
            recipients=recipients,
            received_at=received_at.timestamp(),
            headers=b"Subject: Hello",
        )
        self.ses.receive(mail)
        refusals = tuple(
            Refusal(
                recipient=name, rule="r", recipient_arn=None, bounce_type="DoesNotExist", dsn=None
            )
            for name in recipients
        )
        return Job(
            message_id=message_id,
            received_at=received_at,
            reference=reference(message_id, recipients),
            sender="eve@partner.example",
            bounce_sender="bounces@example.com",
            bounce_sender_arn=None,
            messages=(),
            reporting_mta="dns; mx.example.com",
            extension_fields=(),
            refusals=refusals,
        )

    def receive_unverified(self, message_id: str) -> Job:
        """A job whose bounce sender SES has not verified yet."""
        return replace(self.receive(message_id), bounce_sender="bounces@sub.example.org")

    def queue(self, *message_ids: str) -> None:
        for message_id in message_ids:
            self.jobs.send(self.receive(message_id))

    def put(self, body: str, name: str = "again") -> None:
        """Put a body on the queue, as another message than any before."""
        self.sqs.send_message(
            QueueUrl=self.urls[0],
            MessageBody=body,
            MessageGroupId="bounces",
            MessageDeduplicationId=name,
        )

    def items(self) -> dict[str, dict[str, Any]]:
        """All items of the ledger but the lease, by the first part of their keys."""
        found = self.table.scan(TableName=self.aws.environ[LEDGER_KEY])["Items"]
        return {
            item["id"]["S"].split("#")[0]: dict(item) for item in found if item["id"]["S"] != LEASE
        }

    def jobs_items(self) -> list[dict[str, Any]]:
        """The items of jobs in the ledger."""
        found = self.table.scan(TableName=self.aws.environ[LEDGER_KEY])["Items"]
        return [dict(item) for item in found if item["id"]["S"].startswith("job#")]

    @property
    def claimed(self) -> bool:
        """True while a recipient of a mail is claimed."""
        return "claimed" in self.items().get("mail", {})

    def poll(self, *, remaining_s: float = 60.0) -> None:
        """One round of the event source mapping, in a new environment."""

        def invoke(event: dict[str, Any]) -> object:
            answer = self.worker().handle(event["Records"], remaining_s=remaining_s, request_id="r")
            self.answers.append(answer)
            return answer

        arn = self.aws.queue_arn
        EventSourceMapping(self.sqs, self.aws.environ[QUEUE_KEY], arn, invoke).poll()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    @property
    def outcomes(self) -> list[str]:
        ends = ("sent", "withheld", "failed")
        return [line["message"] for line in self.lines if line["message"] in ends]

    @property
    def failures(self) -> list[int]:
        return [len(answer["batchItemFailures"]) for answer in self.answers]

    def dead_letters(self) -> list[str]:
        answer = self.sqs.receive_message(QueueUrl=self.aws.environ[DEAD_LETTER_KEY])
        return [message["Body"] for message in answer.get("Messages", [])]
