"""One queued bounce: everything SendBounce needs, as data and as ASCII JSON.

A job is complete: the worker needs no rules to send it. Its 24-hour clock is `received_at`, never a
queue's timestamp. What botocore would let pass (an empty list, odd enums, line breaks) is refused
here.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from bouncer.errors import BouncerError
from bouncer.rules.rejection import ACTIONS, BounceType

MOST_RECIPIENTS = 50  # the most SES documents for one outgoing message

Fields = tuple[tuple[str, str], ...]

_OPTIONAL = {
    "bounce_sender_arn",
    "recipient_arn",
    "final_recipient",
    "remote_mta",
    "last_attempt_date",
}


class JobError(BouncerError):
    """A job that can't be read or sent; the text names the member, what was found and expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DsnFields:
    """The delivery status of one recipient (RFC 3464 section 2.3)."""

    action: str
    status: str
    diagnostic_code: str
    final_recipient: str | None
    remote_mta: str | None
    last_attempt_date: str | None
    extension_fields: Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One rejected recipient: either `bounce_type` or `dsn`, and the rule that rejected it."""

    recipient: str
    rule: str
    recipient_arn: str | None
    bounce_type: str | None
    dsn: DsnFields | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One SendBounce call. `received_at` is aware; `sender` is whom the bounce goes to.

    `messages` are the texts by the rules they come from.
    """

    message_id: str
    received_at: datetime
    reference: str
    sender: str
    bounce_sender: str
    bounce_sender_arn: str | None
    messages: Fields
    reporting_mta: str
    extension_fields: Fields
    refusals: tuple[Refusal, ...]

    @property
    def recipients(self) -> tuple[str, ...]:
        """The rejected recipients, as the envelope had them."""
        return tuple(refusal.recipient for refusal in self.refusals)

    @property
    def explanation(self) -> str | None:
        """One text for all recipients: what the rules say that rejected them, each text once."""
        rules = {refusal.rule for refusal in self.refusals}
        texts = dict.fromkeys(text for rule, text in self.messages if rule in rules)
        return " ".join(texts) or None

    def without(self, recipients: Iterable[str]) -> "Job":
        """The job for the remaining recipients."""
        gone = set(recipients)
        return replace(self, refusals=tuple(r for r in self.refusals if r.recipient not in gone))


def check(job: Job) -> None:
    """Raise `JobError` for what SES would refuse or misread but botocore lets pass."""
    if not 1 <= len(job.refusals) <= MOST_RECIPIENTS:
        raise JobError(f"found {len(job.refusals)} recipients, expected 1 to {MOST_RECIPIENTS}")
    _check_lines(
        ("message_id", "reference", "bounce_sender", "bounce_sender_arn", "reporting_mta"), job
    )
    if not re.search(r"[^@]@[^@]", job.bounce_sender):
        raise JobError(f"found the bounce sender {job.bounce_sender!r:.80}, expected an address")
    if not isinstance(job.sender, str):
        raise JobError("found a sender that is no text, expected an address")
    for rule, text in job.messages:
        if not text.strip():
            raise JobError(f"found an empty message of {rule!r:.60}, expected text")
    _check_fields(job.extension_fields)
    for refusal in job.refusals:
        _check_refusal(refusal)


def _check_refusal(refusal: Refusal) -> None:
    _check_lines(("recipient", "rule", "recipient_arn"), refusal)
    if (refusal.bounce_type is None) == (refusal.dsn is None):
        raise JobError(
            f"found both or neither of bounce type and DSN fields for {refusal.recipient}"
        )
    if refusal.bounce_type is not None and refusal.bounce_type not in tuple(BounceType):
        raise JobError(f"found the bounce type {refusal.bounce_type!r}, expected one of SES's six")
    if refusal.dsn is not None:
        _check_dsn(refusal.dsn)


def _check_dsn(dsn: DsnFields) -> None:
    names = (
        "action",
        "status",
        "diagnostic_code",
        "final_recipient",
        "remote_mta",
        "last_attempt_date",
    )
    _check_lines(names, dsn)
    if dsn.action not in ACTIONS:
        raise JobError(f"found the action {dsn.action!r}, expected one of {', '.join(ACTIONS)}")
    if not re.fullmatch(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}", dsn.status):
        raise JobError(f"found the status {dsn.status!r}, expected one such as 5.1.1")
    _check_fields(dsn.extension_fields)


def _check_lines(names: Iterable[str], owner: Job | Refusal | DsnFields) -> None:
    """Values that become header fields: one line, not empty, no way to begin another header."""
    for name in names:
        value = getattr(owner, name)
        if value is None and name in _OPTIONAL:
            continue
        if not (isinstance(value, str) and re.fullmatch(r"[^\x00-\x1f\x7f\ud800-\udfff]+", value)):
            raise JobError(f"found {value!r:.80} as {name}, expected text on one line")


def _check_fields(fields: Fields) -> None:
    for name, value in fields:
        if not re.fullmatch(r"[A-Za-z0-9-]{1,50}", name) or not re.fullmatch(
            r"[ -~]{1,2048}", value
        ):
            raise JobError(
                f"found the extension field {name!r:.60}, expected a name and printable text"
            )
