"""One dead letter: its job or reply, its 24 hours, and the end that the ledger has for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bouncer.jobs import reply_json
from bouncer.jobs.job import Job, JobError
from bouncer.jobs.job_json import from_json
from bouncer.jobs.reply import Reply
from bouncer.mail.address import identities, mailbox_address
from bouncer.sending.gate import LIFETIME
from bouncer.sending.queue import ORIGIN


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEnd:
    """The state of a job in the ledger; its end is `outcome` and `reason`, empty before it."""

    state: str
    outcome: str = ""
    reason: str = ""

    def __str__(self) -> str:
        """Return the end in words such as `failed: forbidden`."""
        end = ": ".join(filter(None, (self.outcome, self.reason)))
        return end or f"not ended, {self.state or 'never begun'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One message of a dead-letter queue.

    Its `job` is a bounce or a reply, as `is_reply` says by its queue. Without one the body is
    neither in this version; `problem` then says why. `handle` is the
    receipt handle of this look at the queue. Without an `end` the ledger has nothing. One that is
    `kept` is in the ledger instead, because the dead-letter queue has refused it so far.
    """

    id: str
    handle: str
    body: str
    group: str
    buried_at: datetime | None
    origins: tuple[str, ...]
    job: Job | Reply | None
    problem: str = ""
    end: LedgerEnd | None = None
    kept: bool = False
    is_reply: bool = False

    @property
    def sent_from(self) -> str:
        """The mailbox that SES would send from, or ""."""
        if self.job is None:
            return ""
        return self.job.from_ if isinstance(self.job, Reply) else self.job.bounce_sender

    @property
    def rules(self) -> list[str]:
        """The rules that asked for it, each once."""
        if self.job is None:
            return []
        if isinstance(self.job, Reply):
            return [self.job.rule]
        return sorted({refusal.rule for refusal in self.job.refusals})

    @property
    def reference(self) -> str:
        """The reference of its bounce or reply, or "" if it is neither."""
        return self.job.reference if self.job else ""

    @property
    def name(self) -> str:
        """The name by which an operator calls it: its reference, else its message id."""
        return self.reference or self.id

    def expires_at(self, margin: timedelta) -> datetime | None:
        """Return the time from which on it would not be sent any more.

        `margin` is the `expiry_margin`, which bounces have.
        """
        if self.job is None:
            return None
        return self.job.received_at + LIFETIME - (timedelta(0) if self.is_reply else margin)

    def is_expired(self, now: datetime, margin: timedelta) -> bool:
        """Tell whether its 24 hours are over; what is not a job never expires."""
        end = self.expires_at(margin)
        return end is not None and now >= end

    def is_called(self, key: str) -> bool:
        """Tell whether an operator means this one: by its reference, or the start of its id."""
        return key == self.reference or self.id.startswith(key)

    def sends_as(self, identity: str) -> bool:
        """Tell whether it is sent from an address or a domain."""
        if self.job is None:
            return False
        names = identities(mailbox_address(self.sent_from))
        return identity.lower() in map(str.lower, names)


def dead_letter(message: Mapping[str, Any], *, is_reply: bool = False) -> DeadLetter:
    """Return the dead letter in a message as SQS shows it, in the queue of jobs or of replies.

    The id of the queue message that it was is an attribute. Version 0.1.0 wrote it as the
    deduplication id, and what SQS moves by itself keeps its id.
    """
    body, attributes = message.get("Body", ""), message.get("Attributes", {})
    job, problem = _reply(body) if is_reply else _job(body)
    named = message.get("MessageAttributes", {}).get(ORIGIN, {}).get("StringValue", "")
    origins = (named, attributes.get("MessageDeduplicationId", ""), message["MessageId"])
    sent_ms = attributes.get("SentTimestamp")
    return DeadLetter(
        id=message["MessageId"],
        handle=message["ReceiptHandle"],
        body=body,
        group=attributes.get("MessageGroupId", ""),
        buried_at=datetime.fromtimestamp(int(sent_ms) / 1000, UTC) if sent_ms else None,
        origins=tuple(dict.fromkeys(filter(None, origins))),
        job=job,
        problem=problem,
        is_reply=is_reply,
    )


def kept_letter(record_id: str, body: str) -> DeadLetter:
    """Return the letter of a body that the ledger keeps, by the id of its queue message."""
    job, problem = _job(body)
    return DeadLetter(
        id=record_id,
        handle="",
        body=body,
        group="",
        buried_at=None,
        origins=(record_id,),
        job=job,
        problem=problem,
        kept=True,
    )


def _reply(body: str) -> tuple[Reply | None, str]:
    try:
        return reply_json.from_json(body), ""
    except JobError as error:
        return None, str(error)


def _job(body: str) -> tuple[Job | None, str]:
    try:
        return from_json(body), ""
    except JobError as error:
        return None, str(error)
