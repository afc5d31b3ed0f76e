"""One queued bounce: everything SendBounce needs, as data.

A job is complete: the worker needs no rules to send it. Its 24-hour clock is `received_at`, never a
queue's timestamp. A job that exists can be sent: SES refuses or misreads some values that botocore
lets pass (an empty list, odd enums, line breaks, letters beyond ASCII in a header field), and these
can't be made here.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import MAXYEAR, datetime

from bouncer.errors import BouncerError
from bouncer.rules.rejection import ACTIONS, FIELD_VALUE, BounceType

MOST_RECIPIENTS = 50  # the most SES documents for one outgoing message

Fields = tuple[tuple[str, str], ...]

# Compiled when a job is made: most mails make none, and a new intake has one waiting.
_LINE = r"[ -~]+"
UNPRINTABLE = r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]"
_STATUS = r"[245]\.[0-9]{1,3}\.[0-9]{1,3}"
_FIELD_NAME = r"[A-Za-z0-9-]{1,50}"


class JobError(BouncerError):
    """A job that can't be read or sent; the text names the member, what was found and expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DsnFields:
    """The delivery status of one recipient (RFC 3464 section 2.3); raises `JobError`.

    `last_attempt_date` is a date and time of ISO 8601.
    """

    action: str
    status: str
    diagnostic_code: str
    final_recipient: str | None
    remote_mta: str | None
    last_attempt_date: str | None
    extension_fields: Fields

    def __post_init__(self) -> None:
        check_line("action", self.action)
        check_line("status", self.status)
        check_line("diagnostic_code", self.diagnostic_code)
        check_optional_line("final_recipient", self.final_recipient)
        check_optional_line("remote_mta", self.remote_mta)
        check_optional_line("last_attempt_date", self.last_attempt_date)
        if self.action not in ACTIONS:
            raise JobError(
                f"found the action {self.action!r}, expected one of {', '.join(ACTIONS)}"
            )
        if not re.fullmatch(_STATUS, self.status):
            raise JobError(f"found the status {self.status!r}, expected one such as 5.1.1")
        if self.last_attempt_date is not None:
            _check_date(self.last_attempt_date)
        _check_fields(self.extension_fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One rejected recipient: either `bounce_type` or `dsn`, and the rule that rejected it.

    Raises `JobError`.
    """

    recipient: str
    rule: str
    recipient_arn: str | None
    bounce_type: str | None
    dsn: DsnFields | None

    def __post_init__(self) -> None:
        check_line("recipient", self.recipient)
        check_text("rule", self.rule)
        check_optional_line("recipient_arn", self.recipient_arn)
        if (self.bounce_type is None) == (self.dsn is None):
            raise JobError(
                f"found both or neither of bounce type and DSN fields for {self.recipient}"
            )
        if self.bounce_type is not None and self.bounce_type not in tuple(BounceType):
            raise JobError(f"found the bounce type {self.bounce_type!r}, expected one of SES's six")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One SendBounce call; raises `JobError` for what SES would refuse or misread.

    `received_at` is aware; `sender` is the address the bounce goes to. `messages` are the texts by
    the rules they come from.
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

    def __post_init__(self) -> None:
        if not 1 <= len(self.refusals) <= MOST_RECIPIENTS:
            raise JobError(
                f"found {len(self.refusals)} recipients, expected 1 to {MOST_RECIPIENTS}"
            )
        if len({recipient.lower() for recipient in self.recipients}) < len(self.refusals):
            raise JobError(
                f"found a recipient twice in {self.recipients!a:.99}, expected each once"
            )
        if self.received_at.tzinfo is None:
            raise JobError(f"found {self.received_at} as received_at, expected a time with offset")
        if self.received_at.year >= MAXYEAR:  # a day later has no date
            raise JobError(f"found {self.received_at} as received_at, expected a time of a mail")
        check_line("message_id", self.message_id)
        check_line("reference", self.reference)
        check_line("bounce_sender", self.bounce_sender)
        check_optional_line("bounce_sender_arn", self.bounce_sender_arn)
        check_line("reporting_mta", self.reporting_mta)
        _check_address("bounce_sender", self.bounce_sender)
        if not isinstance(self.sender, str):
            raise JobError(f"found {self.sender!r:.80} as sender, expected an address")
        for rule, text in self.messages:
            if not text.strip():
                raise JobError(f"found an empty message of {rule!r:.60}, expected text")
            check_text("message", text)
        _check_fields(self.extension_fields)

    @property
    def recipients(self) -> tuple[str, ...]:
        """The rejected recipients, as the envelope had them."""
        return tuple(refusal.recipient for refusal in self.refusals)

    @property
    def explanation(self) -> str | None:
        """One text for all recipients: the messages of the rules that rejected them, each once."""
        rules = {refusal.rule for refusal in self.refusals}
        texts = dict.fromkeys(text for rule, text in self.messages if rule in rules)
        return " ".join(texts) or None

    def without(self, recipients: Iterable[str]) -> "Job":
        """Return the job for the remaining recipients; raises `JobError` if none remains."""
        gone = set(recipients)
        return replace(self, refusals=tuple(r for r in self.refusals if r.recipient not in gone))


def check_line(name: str, value: object) -> None:
    """Check a value of a header field: ASCII, not empty, and no way to begin another header."""
    if not (isinstance(value, str) and re.fullmatch(_LINE, value)):
        raise JobError(f"found {value!r:.80} as {name}, expected printable ASCII text on one line")


def check_text(name: str, value: object) -> None:
    """Check a text that becomes no header field: any letters, on one line."""
    if not isinstance(value, str) or not value or re.search(UNPRINTABLE, value):
        raise JobError(f"found {value!r:.80} as {name}, expected text on one line")


def check_optional_line(name: str, value: object) -> None:
    """Check a value of a header field that may be missing."""
    if value is not None:
        check_line(name, value)


def _check_address(name: str, value: str) -> None:
    if not re.search(r"[^@]@[^@]", value):
        raise JobError(f"found {value!r:.80} as {name}, expected an address")


def _check_date(value: str) -> None:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        raise JobError(
            f"found {value!r:.80} as last_attempt_date, expected a time of ISO 8601"
        ) from None


def _check_fields(fields: Fields) -> None:
    for name, value in fields:
        if not re.fullmatch(_FIELD_NAME, name) or not re.fullmatch(FIELD_VALUE, value):
            raise JobError(
                f"found the extension field {name!r:.60}, expected a name and printable text"
            )
