"""One queued reply: everything that an automatic reply to a mail needs, as data.

A reply is complete: whoever sends it needs no rules. A reply that exists can be written as a
message: no member can begin another header, and all are bounded (`reply_text` writes it).
"""

import re
from dataclasses import dataclass
from datetime import MAXYEAR, datetime

from bouncer.jobs.job import (
    MOST_RECIPIENTS,
    JobError,
    check_line,
    check_optional_line,
    check_text,
)
from bouncer.mail.address import is_mailbox, is_recipient
from bouncer.rules.bounce_limit import DAY_S, HOUR_S

SUBJECT_LIMIT = 300  # characters, once rendered
TEXT_LIMIT = 10_000
ONCE_PER_S = HOUR_S, 30 * DAY_S  # the shortest and the longest
REFERENCES_LIMIT = 20  # message ids; RFC 5322 section 3.6.4 sets no limit
LONGEST_ID = 250  # characters of a message id; a line of a header holds 998

_UNPRINTABLE = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]"  # tab, line feed may stay
_MESSAGE_ID = rf"<[!-;=?-~]{{1,{LONGEST_ID - 2}}}>"
_RULE = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One automatic reply to one mail by one rule; raises `JobError` for what can't be sent.

    `received_at` is aware. `sender` is the envelope sender, to whom the reply goes (RFC 3834
    section 4). `recipients` are those to whom the rule replied, 50 of them at most; the reply is
    not sent to them. `from_` may have a display name, and `from_arn` is the identity of another
    account that verifies it; an answer goes to the mailbox `reply_to`, None for that in From.
    `subject` is one line; `text` has line feeds between its lines. The sender gets one reply of the
    rule in `once_per_s` seconds. `in_reply_to` is the message id of the mail, or ""; `references`
    has the ids of its thread, with its own last (RFC 5322 section 3.6.4).
    """

    message_id: str
    received_at: datetime
    reference: str
    sender: str
    recipients: tuple[str, ...]
    rule: str
    from_: str
    from_arn: str | None
    subject: str
    text: str
    once_per_s: int
    in_reply_to: str
    references: tuple[str, ...]
    reply_to: str | None = None

    def __post_init__(self) -> None:
        check_line("message_id", self.message_id)
        check_line("reference", self.reference)
        check_optional_line("from_arn", self.from_arn)
        self._check_addresses()
        self._check_received_at()
        self._check_recipients()
        if not re.fullmatch(_RULE, self.rule):
            raise JobError(f"found {self.rule!r:.80} as rule, expected the name of a rule")
        self._check_texts()
        self._check_once_per()
        self._check_thread()

    def _check_addresses(self) -> None:
        """Check that each is one address, so that a header made of it has one."""
        if not isinstance(self.sender, str) or not is_recipient(self.sender):
            raise JobError(f"found {self.sender!r:.80} as sender, expected an address")
        if not isinstance(self.from_, str) or not is_mailbox(self.from_):
            raise JobError(f"found {self.from_!r:.80} as from, expected a mailbox")
        if self.reply_to is not None and not is_mailbox(self.reply_to):
            raise JobError(f"found {self.reply_to!r:.80} as reply_to, expected a mailbox")

    def _check_received_at(self) -> None:
        if self.received_at.tzinfo is None:
            raise JobError(f"found {self.received_at} as received_at, expected a time with offset")
        if self.received_at.year >= MAXYEAR:  # a day later has no date
            raise JobError(f"found {self.received_at} as received_at, expected a time of a mail")

    def _check_recipients(self) -> None:
        if not 1 <= len(self.recipients) <= MOST_RECIPIENTS:
            found = f"found {len(self.recipients)} recipients"
            raise JobError(f"{found}, expected 1 to {MOST_RECIPIENTS}")
        for recipient in self.recipients:
            check_text("recipient", recipient)

    def _check_texts(self) -> None:
        check_text("subject", self.subject)
        if not self.subject.strip() or len(self.subject) > SUBJECT_LIMIT:
            found = f"found a subject of {len(self.subject)} characters"
            raise JobError(f"{found}, expected 1 to {SUBJECT_LIMIT}")
        if not self.text.strip() or len(self.text) > TEXT_LIMIT:
            found = f"found a text of {len(self.text)} characters"
            raise JobError(f"{found}, expected 1 to {TEXT_LIMIT}")
        if re.search(_UNPRINTABLE, self.text):
            raise JobError("found control characters in the text, expected lines of text")

    def _check_once_per(self) -> None:
        least, most = ONCE_PER_S
        if not isinstance(self.once_per_s, int) or not least <= self.once_per_s <= most:
            found = f"found {self.once_per_s!r:.40} as once_per_s"
            raise JobError(f"{found}, expected {least} to {most} seconds")

    def _check_thread(self) -> None:
        ids = (*self.references, *([self.in_reply_to] if self.in_reply_to != "" else []))
        if len(self.references) > REFERENCES_LIMIT or not all(map(is_message_id, ids)):
            expected = f"at most {REFERENCES_LIMIT}, such as <1@example.com>"
            raise JobError(f"found {ids!a:.99} as ids of messages, expected {expected}")


def is_message_id(text: object) -> bool:
    """Tell whether this is a message id that a header can have: `<left@right>`, in ASCII."""
    return isinstance(text, str) and bool(re.fullmatch(_MESSAGE_ID, text))
