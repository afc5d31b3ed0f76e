"""Runs the intake in this process under a steady rate of mails, and looks at CPU and memory."""

import json
import os
import resource
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bouncer.intake import Intake
from bouncer.journal import Journal
from bouncer.operator_settings import Settings
from bouncer.sending.queue import Queue
from bouncer.sources.source import Document, Documents
from bouncer_sim.document_bucket import document_loader
from bouncer_sim.world.deployed_services import QUEUE_URL
from bouncer_sim.world.mail_event import mail_event
from bouncer_sim.world.scenario import DOMAIN
from bouncer_sim.world.simulated_world import RULE

RATE = 500  # mails a second
_RULES = 1_000
_KINDS = 200  # different events: each is read from its text, as Lambda's runtime does
_SHARE_OF_A_CORE = 7  # a function with 256 MB has a seventh


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeLoad:
    """The intake under `mails`, of which half are bounced: CPU in seconds, memory in megabytes.

    `early_mb` is the peak after the first tenth of the mails, `late_mb` that of all.
    """

    mails: int
    queued: int
    lasted_s: float
    cpu_s: float
    early_mb: float
    late_mb: float

    def lines(self) -> Iterator[str]:
        """Yield the figures for people."""
        cpu_ms = self.cpu_s / self.mails * 1000
        yield f"intake in this process: {self.mails:,} mails, {self.queued:,} bounces queued"
        yield f"  rate: {self.mails / self.lasted_s:.0f} mails a second ({RATE})"
        small = cpu_ms * _SHARE_OF_A_CORE
        yield f"  intake CPU per mail: {cpu_ms:.2f} ms of a core, {small:.1f} ms with 256 MB"
        yield f"  memory: {self.early_mb:.1f} MB early, {self.late_mb:.1f} MB at the end (flat)"


def intake_load(seconds: float) -> IntakeLoad:
    """Let mails come at `RATE` for so many seconds of real time."""
    queue = _Counter()
    with Path(os.devnull).open("w", encoding="utf-8") as stream:
        intake = Intake(
            loader=document_loader(_Rules(), Settings(), now=time.monotonic),
            jobs=Queue(queue, QUEUE_URL),
            journal=Journal("intake", "load", stream=stream),
            now=lambda: datetime.now(UTC),
        )
        texts = [json.dumps(_event(number)) for number in range(_KINDS)]
        intake.handle(json.loads(texts[0]))
        return _measured(intake, texts, queue, int(seconds * RATE))


def _measured(intake: Intake, texts: list[str], queue: "_Counter", mails: int) -> IntakeLoad:
    early_mb, queue.sent = 0.0, 0
    began, began_cpu = time.monotonic(), time.process_time()
    for number in range(mails):
        time.sleep(max(began + number / RATE - time.monotonic(), 0.0))
        intake.handle(json.loads(texts[number % _KINDS]))
        if number == mails // 10:
            early_mb = _peak_mb()
    return IntakeLoad(
        mails=mails,
        queued=queue.sent,
        lasted_s=time.monotonic() - began,
        cpu_s=time.process_time() - began_cpu,
        early_mb=early_mb,
        late_mb=_peak_mb(),
    )


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _event(number: int) -> dict[str, Any]:
    """Return the event of a mail to a mailbox that is gone, or to one that is not."""
    recipient = f"person{number}@{DOMAIN if number % 2 else 'example.net'}"
    sender = f"ann@partner{number}.example"
    headers = [(f"X-Trait-{each}", "x" * 200) for each in range(20)]
    return mail_event(
        f"m{number}",
        sender=sender,
        recipients=[recipient],
        received_at=time.time(),
        headers=headers,
    )


class _Rules:
    """A source of a thousand rules for single mailboxes, and one for all the others."""

    def read(self) -> Documents:
        single = "when: {{recipient: gone{}@example.com}}\ndrop: {{}}\n"
        rules = {f"{each:04}": Document("", single.format(each)) for each in range(_RULES)}
        return Documents(rules | {"everybody": Document("", RULE)})


class _Counter:
    """A client of SQS that takes every job and keeps their number."""

    def __init__(self) -> None:
        self.sent = 0

    def send_message(self, **_: object) -> Mapping[str, Any]:
        self.sent += 1
        return {}
