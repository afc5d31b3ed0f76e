"""A worker with its ledger, and the feedback function beside it, for tests."""

import io
import json
from contextlib import ExitStack
from typing import Any

import boto3

from bouncer.feedback import Feedback
from bouncer.feedback_journal import FeedbackJournal
from bouncer.operator_settings import Settings
from bouncer.sending.feedback_ledger import FeedbackLedger
from bouncer.sending.table import Table
from bouncer.sources.hold import Hold
from bouncer_sim.clock import now
from bouncer_sim.document_bucket import document_loader
from tests.functions.worker.lone_worker import LoneWorker

PREFIX = "/ses-auto-bouncer/local"


class FeedbackLine:
    """A worker with its ledger, and the feedback function beside it."""

    def __init__(self, stack: ExitStack) -> None:
        self.lone = LoneWorker(stack)
        self.stream = io.StringIO()
        self.ssm = boto3.client("ssm")
        lone = self.lone
        self.feedback = Feedback(
            ledger=FeedbackLedger(
                Table(lone.table, lone.name),  # type: ignore[arg-type]  # a fake client
                now=lambda: now(lone.clock),
                new_name=lone.new_name,
            ),
            journal=FeedbackJournal("feedback", "test", stream=self.stream),
            senders=["Bounces@example.com"],
            loader=document_loader(lone.source, Settings(cache_s=0), now=lone.clock.time),
            hold=Hold(self.ssm, PREFIX),
            now=lambda: now(lone.clock),
        )

    def hand(self, *bodies: str, queued_s: float = 0.0) -> list[str]:
        """Hand events over that came `queued_s` ago; return those that are to come again."""
        sent = str(round((self.lone.clock.time() - queued_s) * 1000))
        records = [
            {"messageId": f"e{number}", "body": body, "attributes": {"SentTimestamp": sent}}
            for number, body in enumerate(bodies, 1)
        ]
        answer = self.feedback.handle(records, request_id="r1")
        return [each["itemIdentifier"] for each in answer["batchItemFailures"]]

    @property
    def said(self) -> list[str]:
        return [each["message"] for each in self.lines]

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]
