"""One dead letter: its job, its 24 hours, and the end that the ledger has for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bouncer.jobs.job import Job, JobError
from bouncer.jobs.job_json import from_json
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
    """One message of the dead-letter queue.

    Without a `job` the body is not a job of this version; `problem` then says why. `handle` is the
    receipt handle of this look at the queue. Without an `end` the ledger has nothing. One that is
    `kept` is in the ledger instead, because the dead-letter queue has refused it so far.
    """

    id: str
    handle: str
    body: str
    group: str
    buried_at: datetime | None
    origins: tuple[str, ...]
    job: Job | None
    problem: str = ""
    end: LedgerEnd | None = None
    kept: bool = False

    @property
    def reference(self) -> str:
        """The reference of its bounce, or "" if it is not a job."""
        return self.job.reference if self.job else ""

    @property
    def name(self) -> str:
        """The name by which an operator calls it: its reference, else its message id."""
        return self.reference or self.id

    def expires_at(self, margin: timedelta) -> datetime | None:
        """Return the time from which on the worker would not send it any more."""
        return self.job.received_at + LIFETIME - margin if self.job else None

    def is_expired(self, now: datetime, margin: timedelta) -> bool:
        """Tell whether its 24 hours are over; what is not a job never expires."""
        end = self.expires_at(margin)
        return end is not None and now >= end

    def is_called(self, key: str) -> bool:
        """Tell whether an operator means this one: by its reference, or the start of its id."""
        return key == self.reference or self.id.startswith(key)

    def sends_as(self, identity: str) -> bool:
        """Tell whether its bounce comes from an address or a domain."""
        if self.job is None:
            return False
        names = identities(mailbox_address(self.job.bounce_sender))
        return identity.lower() in map(str.lower, names)


def dead_letter(message: Mapping[str, Any]) -> DeadLetter:
    """Return the dead letter in a message as SQS shows it.

    The id of the queue message that it was is an attribute. Version 0.1.0 wrote it as the
    deduplication id, and what SQS moves by itself keeps its id.
    """
    body, attributes = message.get("Body", ""), message.get("Attributes", {})
    job, problem = _job(body)
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


def _job(body: str) -> tuple[Job | None, str]:
    try:
        return from_json(body), ""
    except JobError as error:
        return None, str(error)
