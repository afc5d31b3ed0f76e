"""Builders for the tests of guard."""

from collections.abc import Iterable

from bouncer.guard import Context, findings
from bouncer.mail.message import VERDICTS, Message
from bouncer.reasons import Reason

SENDER = "bob@sender.example"


RECIPIENT = "ann@example.com"


def reasons(message: Message, given: Context) -> list[Reason]:
    return [reason for reason, _ in findings(message, given)]


def mail(
    *headers: tuple[str, str], sender: str = SENDER, cut: bool = False, **verdicts: str
) -> Message:
    """A mail from a person whose SPF passes, unless told otherwise."""
    words = dict.fromkeys(VERDICTS, "pass") | verdicts
    named: dict[str, tuple[str, ...]] = {}
    for name, value in headers or (("From", f"Bob <{sender}>"), ("Subject", "Hello")):
        named[name.lower()] = (*named.get(name.lower(), ()), value)
    return Message(
        message_id="m1",
        received_at=None,
        sender=sender,
        recipients=(RECIPIENT,),
        headers=named,
        headers_truncated=cut,
        verdicts=words,
        dmarc_policy="absent",
    )


def context(
    *,
    recipient: str = RECIPIENT,
    our_senders: Iterable[str] = ("mailer-daemon@example.com",),
    own_domains: Iterable[str] = ("example.com",),
    answer: Iterable[str] = (),
    for_reply: bool = False,
) -> Context:
    """The facts about a rejected recipient of example.com, or one who would get a reply."""
    return Context(
        recipient=recipient,
        our_senders=frozenset(our_senders),
        own_domains=tuple(own_domains),
        answer=frozenset(answer),
        for_reply=for_reply,
    )
