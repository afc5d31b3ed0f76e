"""Makes the replies to one mail: one for each rule that replies, with its texts filled in.

What comes from the mail is cleaned and cut before it is filled in, and ids of messages that a
header can't have are left out. Nothing here decides.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from itertools import groupby

from bouncer.jobs.job import MOST_RECIPIENTS, JobError
from bouncer.jobs.reference import reference
from bouncer.jobs.reply import (
    REFERENCES_LIMIT,
    SUBJECT_LIMIT,
    TEXT_LIMIT,
    Reply,
    is_message_id,
)
from bouncer.mail.message import Message
from bouncer.mail.text import printable
from bouncer.rules.rejection import Template
from bouncer.rules.rule import Rule
from bouncer.rules.ruleset import Decision

_DEFAULT_SUBJECT = "Auto: {subject}"  # RFC 3834 section 3.1.5
_WITHOUT_SUBJECT = "Automatic reply"
_VALUE_LIMIT = 254  # characters of what is filled in: as many as an address has
_NAMED_RECIPIENTS = 5
_IDS_READ = 4000  # characters of a header of ids
_MESSAGE_ID = re.compile(r"<[^<>\s]+>")

Columns = Callable[[Decision], Mapping[str, str]]


def replies_to(
    message: Message, replied: Sequence[Decision], columns: Columns, now: datetime
) -> tuple[tuple[Reply, ...], JobError | None]:
    """Return a reply for each rule of these decisions, and the first error of those without one.

    `columns` returns the values of placeholders that stand for columns of lists; `now` is the time
    of receipt for a mail without one.
    """
    made: list[Reply] = []
    failed: JobError | None = None
    ordered = sorted(replied, key=_rule_name)
    for _, group in groupby(ordered, key=_rule_name):
        try:
            made.append(_reply(message, list(group), columns, now))
        except JobError as error:
            failed = failed or error
    return tuple(made), failed


def _rule_name(decision: Decision) -> str:
    return decision.rule.name if decision.rule else ""


def _reply(message: Message, decisions: list[Decision], columns: Columns, now: datetime) -> Reply:
    rule = decisions[0].rule
    form = rule.reply if rule else None
    if rule is None or form is None:
        raise JobError("found a rule without a reply, expected one with it")
    texts = _Texts(message, rule, decisions, columns, message.received_at or now)
    ids = thread(message)
    return Reply(
        message_id=message.message_id,
        received_at=message.received_at or now,
        reference=texts.reference,
        sender=message.sender,
        recipients=tuple(each.recipient for each in decisions[:MOST_RECIPIENTS]),
        rule=rule.name,
        from_=form.sender,
        from_arn=form.sender_arn,
        subject=texts.subject(form.subject),
        text=texts.text(form.text),
        once_per_s=form.once_per_s,
        in_reply_to=_own_id(message),
        references=ids,
        reply_to=form.reply_to,
    )


class _Texts:
    """The texts of one reply; recipients whose texts differ by columns of lists have one each."""

    def __init__(
        self,
        message: Message,
        rule: Rule,
        decisions: list[Decision],
        columns: Columns,
        received_at: datetime,
    ) -> None:
        recipients = [decision.recipient for decision in decisions]
        self.reference = reference(message.message_id, recipients)
        self._subject = printable(next(iter(message.subject), ""), SUBJECT_LIMIT)
        self._values = {
            "sender": printable(message.sender, _VALUE_LIMIT),
            "subject": self._subject,
            "date": format_datetime(received_at),
            "reference": self.reference,
            "rule": rule.name,
        }
        self._groups: dict[tuple[tuple[str, str], ...], list[str]] = {}
        for decision in decisions:
            shown = tuple(columns(decision).items())
            self._groups.setdefault(shown, []).append(decision.recipient)

    def subject(self, template: Template | None) -> str:
        """Return the subject: that of the first recipient whose texts differ."""
        if template is None and not self._subject:
            return _WITHOUT_SUBJECT
        values = next(self._filled())
        text = (template or Template(_DEFAULT_SUBJECT)).render(values)
        return printable(text, SUBJECT_LIMIT) or _WITHOUT_SUBJECT

    def text(self, template: Template) -> str:
        """Return the text, once for each group of recipients as long as there is room."""
        paragraphs = (template.render(values).strip("\n") for values in self._filled())
        text = "\n\n".join(dict.fromkeys(paragraphs))
        return text if len(text) <= TEXT_LIMIT else f"{text[: TEXT_LIMIT - 3].rstrip()}..."

    def _filled(self) -> Iterator[dict[str, str]]:
        """Yield the values of all placeholders, for each group of recipients."""
        for shown, recipients in self._groups.items():
            columns = {name: printable(value, _VALUE_LIMIT) for name, value in shown}
            yield {**columns, **self._values, "recipient": _listed(recipients)}


def _listed(recipients: list[str]) -> str:
    shown = [printable(each, _VALUE_LIMIT) for each in recipients[:_NAMED_RECIPIENTS]]
    more = len(recipients) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def thread(message: Message) -> tuple[str, ...]:
    """Return the message ids that References of a reply has (RFC 5322 section 3.6.4).

    These are those of References, or else of In-Reply-To if it has one alone, and the mail's own
    last. Of many, the first and the last ones are kept.
    """
    earlier = list(_ids(message.header("references")))
    if not earlier:
        parents = list(_ids(message.header("in-reply-to")))
        earlier = parents if len(parents) == 1 else []
    own = _own_id(message)
    ids = tuple(dict.fromkeys(each for each in earlier if each != own)) + ((own,) if own else ())
    return ids if len(ids) <= REFERENCES_LIMIT else (ids[0], *ids[1 - REFERENCES_LIMIT :])


def _own_id(message: Message) -> str:
    """Return the mail's message id, or "" if it has none, several, or one that is malformed."""
    found = list(_ids(message.header("message-id")))
    return found[0] if len(found) == 1 else ""


def _ids(values: Iterable[str]) -> Iterator[str]:
    for value in values:
        yield from filter(is_message_id, _MESSAGE_ID.findall(value[:_IDS_READ]))
