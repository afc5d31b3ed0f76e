"""The guard: decides by one mail alone whether it may be answered.

It prevents backscatter: bounces and replies that reach people who never wrote to us. Each check
belongs to a reason of reasons.py, in the same order, and returns what it found in the mail, or ""
if the reason does not apply. The marks of machines are rows of signals.py. Sources: RFC 3834
section 2, RFC 5321 sections 4.5.5 and 6.1, RFC 5230 sections 4.5 and 4.6, RFC 5429 section 2.1.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from bouncer.authentication import could_not_tell, is_unproven_forward, vouched
from bouncer.detector import comment_free, is_marked_sender, marked
from bouncer.jobs.reference import REFERENCE
from bouncer.mail.address import domain, is_recipient, mailbox_address, without_tag
from bouncer.mail.address_list import addresses
from bouncer.mail.message import Message
from bouncer.reasons import Reason
from bouncer.rules.rejection import REFERENCE_FIELD

# RFC 5321 section 4.5.3.1.3 limits the whole address; names without an MX (RFC 6761, RFC 6762) are
# left out. A local part may be longer than 64 octets: see docs/decisions/0013-who-vouches.md.
_ADDRESS = (
    r"(?i)(?=.{3,254}$)[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+"
    r"(?!(?:invalid|localhost|local|internal|onion)$)[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
)


class Context(NamedTuple):
    """The facts about one recipient that the guard needs beside the mail.

    `our_senders` are all mailboxes that any bounce or reply may come from, whichever rule decides.
    `own_domains` are written as in rules: `example.com` alone, `.example.com` for its subdomains.
    `answer` has the classes of mail (reasons.py) that are answered all the same. `goes_on` is set
    while sending is held for so long that mail goes on instead of being bounced. `kept` is unset if
    the mail could not be copied to where stopped mail is kept. With `for_reply`
    the recipient is not rejected: the mail would get an automatic reply.
    """

    recipient: str
    our_senders: Collection[str]
    own_domains: Collection[str]
    answer: Collection[str]
    goes_on: bool = False
    kept: bool = True
    for_reply: bool = False


_Check = Callable[[Message, Context], str]
CHECKS: dict[Reason, _Check] = {}


def _checks(reason: Reason) -> Callable[[_Check], _Check]:
    """Attach a check to its reason."""

    def attach(check: _Check) -> _Check:
        CHECKS[reason] = check
        return check

    return attach


def withheld(message: Message, context: Context) -> Reason | None:
    """Return the reason not to answer this mail, or None if it may be answered.

    This is the first reason found. But if that says nothing about the sender, and `answer` waives
    one that does, it is the waived one: `answer` is about bounces and never lets a mail in. A copy
    that failed is not the stranger's doing: a mail that would be bounced otherwise goes on.
    """
    first = next((reason for reason, _ in findings(message, context)), None)
    if first is None or first is Reason.NOT_KEPT or first.about_sender or not context.answer:
        return first
    every = findings(message, context._replace(answer=()))
    return next((reason for reason, _ in every if reason.about_sender), first)


def findings(message: Message, context: Context) -> Iterator[tuple[Reason, str]]:
    """Yield every reason not to answer this mail with its finding; the first decides.

    A finding may quote the mail; quoted text is not cleaned.
    """
    for reason, check in CHECKS.items():
        if reason.of_replies and not context.for_reply:
            continue
        if (found := check(message, context)) and not waived(reason, message, context):
            yield reason, found


def never_answered(sender: str, context: Context) -> Reason | None:
    """Return the reason never to answer an envelope sender, or None; its mail is not at hand.

    It is found by the address alone, so it is one of the reasons that `withheld` finds in the mail.
    """
    if not sender:
        return Reason.NULL_SENDER
    if not _can_be_delivered_to(sender):
        return Reason.INVALID_SENDER
    if _own(sender, context):
        return Reason.OWN_SENDER
    return Reason.DAEMON_SENDER if is_marked_sender(sender, Reason.DAEMON_SENDER) else None


def waived(reason: Reason, message: Message, context: Context) -> bool:
    """Tell whether `answer` waives a reason for this mail."""
    return reason.waived_by in context.answer and (not reason.if_vouched or vouched(message))


@_checks(Reason.NULL_SENDER)
def _null_sender(message: Message, _: Context) -> str:
    if not message.sender and not message.sender_unknown:
        return "the envelope sender is empty"
    paths = message.header("return-path")
    empty = any("".join(comment_free(path).split()) in ("<>", "") for path in paths)
    return "Return-Path: <>" if empty else ""


@_checks(Reason.INVALID_SENDER)
def _invalid_sender(message: Message, _: Context) -> str:
    if message.sender_unknown:
        return "the mail does not say who its envelope sender is"
    return "" if _can_be_delivered_to(message.sender) else f"envelope sender {message.sender}"


def _can_be_delivered_to(address: str) -> bool:
    local = address.rpartition("@")[0]
    dotted = local.startswith(".") or local.endswith(".") or ".." in local
    return not dotted and bool(re.fullmatch(_ADDRESS, address))


@_checks(Reason.REPORT)
def _report(message: Message, _: Context) -> str:
    for value in message.header(REFERENCE_FIELD.lower()):
        return f"{REFERENCE_FIELD}: {value}"
    quoting = (*message.subject, *message.header("references"), *message.header("in-reply-to"))
    ours = next((f"our reference in {text}" for text in quoting if REFERENCE.search(text)), "")
    return ours or marked(message, Reason.REPORT)


@_checks(Reason.OWN_SENDER)
def _own_sender(message: Message, context: Context) -> str:
    return _own(message.sender, context)


def _own(sender: str, context: Context) -> str:
    """Find our own mail, and mail to an address of ours that may be an answer to our mail."""
    senders = set(map(_bare_address, context.our_senders))
    recipient = without_tag(context.recipient).lower()
    if recipient in senders:
        return f"the recipient {context.recipient} is an address that our mail is sent from"
    own = without_tag(sender).lower() in {recipient, *senders}
    if own or in_domains(domain(sender), context.own_domains):
        return f"envelope sender {sender}"
    return ""


@lru_cache(maxsize=1000)
def _bare_address(mailbox: str) -> str:
    """Return the address of an operator's mailbox without its tag: few, the same for each mail."""
    return without_tag(mailbox_address(mailbox)).lower()


def in_domains(domain: str, patterns: Iterable[str]) -> bool:
    """Tell whether a domain is one of the patterns, or below one that starts with a dot."""
    return any(
        domain.endswith(pattern.lower()) if pattern.startswith(".") else domain == pattern.lower()
        for pattern in patterns
    )


@_checks(Reason.DAEMON_SENDER)
def _daemon_sender(message: Message, _: Context) -> str:
    return marked(message, Reason.DAEMON_SENDER)


@_checks(Reason.VIRUS)
def _virus(message: Message, _: Context) -> str:
    return "virus verdict fail" if message.verdicts["virus"] == "fail" else ""


@_checks(Reason.SUPPRESSED)
def _suppressed(message: Message, _: Context) -> str:
    return marked(message, Reason.SUPPRESSED)


@_checks(Reason.SPAM)
def _spam(message: Message, _: Context) -> str:
    return "spam verdict fail" if message.verdicts["spam"] == "fail" else ""


@_checks(Reason.UNAUTHENTICATED)
def _unauthenticated(message: Message, context: Context) -> str:
    if context.for_reply and is_unproven_forward(message):
        return _evidence(message)
    return "" if vouched(message) or could_not_tell(message) else _evidence(message)


@_checks(Reason.AUTOMATIC)
def _automatic(message: Message, _: Context) -> str:
    return marked(message, Reason.AUTOMATIC)


@_checks(Reason.LISTS)
def _lists(message: Message, _: Context) -> str:
    return marked(message, Reason.LISTS)


@_checks(Reason.REPLY_SUPPRESSED)
def _reply_suppressed(message: Message, _: Context) -> str:
    return marked(message, Reason.REPLY_SUPPRESSED)


@_checks(Reason.NOT_NAMED)
def _not_named(message: Message, context: Context) -> str:
    """Find mail that came by Bcc, an alias or forwarding (RFC 5230 section 4.5)."""
    mine = without_tag(context.recipient).lower()
    resent = (addresses(message.header(name)) for name in ("resent-to", "resent-cc"))
    for named in (message.to, message.cc, *resent):
        if any(without_tag(address).lower() == mine for address in named):
            return ""
    return f"recipient {context.recipient} is not in To or Cc"


@_checks(Reason.HEADERS_TRUNCATED)
def _headers_truncated(message: Message, _: Context) -> str:
    return "only a part of the headers is known" if message.headers_truncated else ""


@_checks(Reason.UNVERIFIABLE)
def _unverifiable(message: Message, _: Context) -> str:
    return _evidence(message) if could_not_tell(message) and not vouched(message) else ""


@_checks(Reason.INVALID_RECIPIENT)
def _invalid_recipient(_: Message, context: Context) -> str:
    return "" if is_recipient(context.recipient) else f"recipient {context.recipient}"


@_checks(Reason.HELD)
def _held(_: Message, context: Context) -> str:
    return "sending is held for 12 hours or more" if context.goes_on else ""


@_checks(Reason.NOT_KEPT)
def _not_kept(_: Message, context: Context) -> str:
    return "" if context.kept else "the mail could not be copied to where stopped mail is kept"


def _evidence(message: Message) -> str:
    author = "; ".join(message.header("from")) or "absent"
    spf, dmarc = message.verdicts["spf"], message.verdicts["dmarc"]
    return f"SPF {spf}, DMARC {dmarc}, envelope sender {message.sender}, From {author}"
