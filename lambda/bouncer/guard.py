"""May this mail be answered at all? The guard prevents backscatter: mail to people who never wrote.

It looks at the content of one mail and yields the first reason to stay silent, or nothing. Only the
last four reasons can be waived, by a rule's or the settings' `answer`. Sources: RFC 3834 section 2,
RFC 5321 sections 4.5.5 and 6.1, RFC 5230 section 4.6, RFC 5429 section 2.1, MS-OXCMAIL 2.1.3.2.20.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from bouncer.jobs.reference import REFERENCE
from bouncer.mail.address import domain, local_part, mailbox_address, without_tag
from bouncer.mail.message import Message
from bouncer.reasons import Reason
from bouncer.rules.rejection import REFERENCE_FIELD

# These four are compiled at the first mail that is to be answered: most intakes never see one, and
# all would start later for it.
# RFC 5321 section 4.5.3.1, less what no MX could be found for (RFC 6761, RFC 6762).
_ADDRESS = (
    r"(?i)(?=.{3,254}$)[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+"
    r"(?!(?:invalid|localhost|local|internal|onion)$)[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
)
_REPORT_TYPES = (
    "multipart/report",
    "message/delivery-status",
    "message/global-delivery-status",
    "message/disposition-notification",
    "message/global-disposition-notification",
    "message/feedback-report",
)
# Local parts of senders, lower case, in the spellings other responders keep (Pigeonhole, James,
# SpamAssassin, simta, rspamd). No person's name may match: damon@, norman@, requests@, bouncer@.
_DAEMON = (
    r"(?:mail(?:er)?|smtp|mta|news|cron|fetchmail)[-_.]?d(?:ae|ea|e|a)mon(?:[-_.].*)?|m?daemon|mailer|"
    r"mail[-_.]?delivery[-_.]?(?:sub)?system|postmaster-?bounces?|"
    r"(?:.*[-_.])?auto(?:mated|matic)?[-_.]?(?:respon(?:der|d|se)|repl(?:y|ies)|answer)s?(?:[-_.].*)?|"
    r"uucp|dev[-_.]?null|null|nobody|(?:mail|smtp|bounce)[-_.]?(?:errors?|relay)|.+-(?:errors|relay)"
)
_NO_REPLY = (
    r"(?:non?|not|never|do[-._]?not|don'?t)[-._]{0,2}(?:repl(?:y|ies)|respon(?:d|se|der|da)|answer|return)|"
    r"ne[-._]?pas[-._]?repondre|nao[-._]?responda|no[-._]?contestar|non[-._]?rispondere|"
    r"nicht[-._]?antworten|keine[-._]?antwort"
)
# At either end of the local part: in the middle it is a word in somebody's name.
_AUTOMATIC = (
    rf"(?:.*[-._]|e?mail|info|news|alerts?|notifications?)?(?:{_NO_REPLY})[0-9]*|"
    rf"(?:{_NO_REPLY})(?:[-._0-9].*)?|postmaster|root|automated|automatic"
)
_LIST = (
    r"owner-.*|.*-owner|.*-request|(?:.*[-._])?bounces?(?:[-+=_.].*)?|"
    r"listserv|listproc|majordomo|mailman|.*-(?:subscribe|unsubscribe|confirm)"
)
# Headers by which answering machines mark their mail; X-Auto-Response-Suppress is none of them.
_AUTOMATIC_NAME = re.compile(
    r"(?:x-)?(?:mail-?)?auto-?(?:repl(?:y|ied)(?:-?from)?|respon(?:d|ded|der|se)|generated)"
)
_AUTOMATIC_HEADERS = (
    "x-fc-machinegenerated",
    "x-ms-embedded-report",
    "x-cron-env",
    "x-loop",
    "x-rt-loop-prevention",
    "x-holidayreply",
    "holidayreply",
    "x-vacation",
    "x-apple-action",
)
_LIST_HEADERS = (
    "mailing-list",
    "x-mailing-list",
    "x-mailman-version",
    "x-beenthere",
)
_SES_FEEDBACK = ":amazonses"  # ends the Feedback-ID of whatever SES sends, people's mail too
_COMMENT = re.compile(r"\([^()]*\)")
_DEEPEST_COMMENT = 5
_DOMAIN = re.compile(r"@([^\s@<>()\[\]\",;:\\]*)")
_AUTO_PRECEDENCE = {"auto_reply", "auto-reply", "auto"}
_LIST_PRECEDENCE = {"bulk", "list", "junk"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the guard must know beside the mail, for one rejected recipient.

    `own_domains` follow the rule language: `example.com` exactly, `.example.com` its subdomains.
    """

    recipient: str
    bounce_senders: Collection[str]
    own_domains: Collection[str]
    answer: Collection[str]


def withheld(message: Message, context: Context) -> Reason | None:
    """The first reason not to answer this mail, or None when it may be answered."""
    return next((reason for reason, _ in findings(message, context)), None)


def findings(message: Message, context: Context) -> Iterator[tuple[Reason, str]]:
    """Every reason not to answer this mail, the decisive one first, and what gave it away.

    What is quoted comes from the mail and is not cleaned.
    """
    for reason, look in _CHECKS.items():
        if reason not in context.answer and (seen := look(message, context)):
            yield reason, seen


def _null_sender(message: Message, _: Context) -> str:
    if not message.sender:
        return "the envelope sender is empty"
    paths = message.header("return-path")
    empty = any("".join(_comment_free(path).split()) in ("<>", "") for path in paths)
    return "Return-Path: <>" if empty else ""


def _invalid_sender(message: Message, _: Context) -> str:
    address = message.sender
    local = address.rpartition("@")[0]
    dotted = local.startswith(".") or local.endswith(".") or ".." in local
    return f"envelope sender {address}" if dotted or not re.fullmatch(_ADDRESS, address) else ""


def _report(message: Message, _: Context) -> str:
    for value in message.header("content-type"):
        if "".join(_bare(value).split()).startswith(_REPORT_TYPES):
            return f"Content-Type: {value}"
    for name in (REFERENCE_FIELD, "X-Failed-Recipients"):
        for value in message.header(name.lower()):
            return f"{name}: {value}"
    quoting = (*message.subject, *message.header("references"), *message.header("in-reply-to"))
    return next((f"our reference in {text}" for text in quoting if REFERENCE.search(text)), "")


def _own_sender(message: Message, context: Context) -> str:
    """Is it our own mail, or mail to the address bounces come from, which may answer a bounce?"""
    senders = {mailbox_address(mailbox).lower() for mailbox in context.bounce_senders}
    recipient = without_tag(context.recipient).lower()
    if recipient in senders:
        return f"{context.recipient} is where our bounces come from"
    own = without_tag(message.sender).lower() in {recipient, *senders}
    if own or in_domains(domain(message.sender), context.own_domains):
        return f"envelope sender {message.sender}"
    return ""


def in_domains(domain: str, patterns: Iterable[str]) -> bool:
    """Is `domain` one of the patterns, or below one that starts with a dot?"""
    return any(
        domain.endswith(pattern.lower()) if pattern.startswith(".") else domain == pattern.lower()
        for pattern in patterns
    )


def _daemon_sender(message: Message, _: Context) -> str:
    """Is the sender a mail system? Some give themselves away in From only."""
    for address in (message.sender, *message.from_):
        if _local_part_is(address, _DAEMON):
            return f"sender {address}"
    for value in message.header("from"):  # such as `MAILER-DAEMON <>`
        name = value.partition("<")[0].strip(' "').lower()[:64]
        if "@" not in value and re.fullmatch(_DAEMON, name):
            return f"From: {value}"
    return ""


def _virus(message: Message, _: Context) -> str:
    return "virus verdict fail" if message.verdicts["virus"] == "fail" else ""


def _suppressed(message: Message, _: Context) -> str:
    for value in message.header("x-auto-response-suppress"):
        tokens = re.split(r"[,;\s]", _comment_free(value).lower())
        if "ndr" in tokens or "all" in tokens:
            return f"X-Auto-Response-Suppress: {value}"
    return ""


def _headers_truncated(message: Message, _: Context) -> str:
    return "SES passed on only a part of the headers" if message.headers_truncated else ""


def _spam(message: Message, _: Context) -> str:
    return "spam verdict fail" if message.verdicts["spam"] == "fail" else ""


def _unauthenticated(message: Message, _: Context) -> str:
    spf, dmarc = message.verdicts["spf"], message.verdicts["dmarc"]
    if spf == "pass" or (dmarc == "pass" and _aligned(message)):
        return ""
    author = "; ".join(message.header("from")) or "absent"
    return f"SPF {spf}, DMARC {dmarc}, envelope sender {message.sender}, From {author}"


def _aligned(message: Message) -> bool:
    """Is the one From address in the sender's domain, or in one above it?

    One below it proves nothing: `eu.org` is not spoken for by `attacker.eu.org`. Readers differ in
    what they make of a hostile From, and DMARC may have passed for another part of it than ours: no
    domain written there may be foreign.
    """
    if len(message.from_) != 1:
        return False
    sender = domain(message.sender)
    written = (_DOMAIN.findall(value) for value in message.header("from"))
    authors = {author.rstrip(".").lower() for found in written for author in found}
    return all(author == sender or sender.endswith(f".{author}") for author in authors)


def _automatic(message: Message, _: Context) -> str:
    for value in message.header("auto-submitted"):
        if _bare(value) not in ("no", ""):
            return f"Auto-Submitted: {value}"
    for name in message.headers:
        if name in _AUTOMATIC_HEADERS or _AUTOMATIC_NAME.fullmatch(name):
            return f"header {name}"
    if word := _precedence(message) & _AUTO_PRECEDENCE:
        return f"Precedence: {min(word)}"
    return f"sender {message.sender}" if _local_part_is(message.sender, _AUTOMATIC) else ""


def _lists(message: Message, _: Context) -> str:
    for name in message.headers:
        if name.startswith("list-") or name in _LIST_HEADERS:
            return f"header {name}"
    for value in message.header("feedback-id"):
        if not value.lower().endswith(_SES_FEEDBACK):
            return f"Feedback-ID: {value}"
    if word := _precedence(message) & _LIST_PRECEDENCE:
        return f"Precedence: {min(word)}"
    return f"sender {message.sender}" if _local_part_is(message.sender, _LIST) else ""


def _local_part_is(address: str, pattern: str) -> bool:
    """Does the local part match, as it stands, without its tag, or inside SRS and BATV?"""
    local = local_part(address)[:64]
    return any(
        re.fullmatch(pattern, part)
        for part in (local, local.partition("+")[0], local.rpartition("=")[2])
    )


def _precedence(message: Message) -> set[str]:
    values = (*message.header("precedence"), *message.header("x-precedence"))
    return {word for value in values for word in re.split(r"[\s,]+", _bare(value))}


def _bare(value: str) -> str:
    """The first word of a structured value, lower case: no comments, no parameters."""
    return _comment_free(value).partition(";")[0].strip().lower()


def _comment_free(value: str) -> str:
    """The value without its comments (RFC 5322 section 3.2.2), as deep as anybody nests them."""
    for _ in range(_DEEPEST_COMMENT):
        value, found = _COMMENT.subn(" ", value)
        if not found:
            break
    return value


_CHECKS: Mapping[Reason, Callable[[Message, Context], str]] = {
    Reason.NULL_SENDER: _null_sender,
    Reason.INVALID_SENDER: _invalid_sender,
    Reason.REPORT: _report,
    Reason.OWN_SENDER: _own_sender,
    Reason.DAEMON_SENDER: _daemon_sender,
    Reason.VIRUS: _virus,
    Reason.SUPPRESSED: _suppressed,
    Reason.HEADERS_TRUNCATED: _headers_truncated,
    Reason.SPAM: _spam,
    Reason.UNAUTHENTICATED: _unauthenticated,
    Reason.AUTOMATIC: _automatic,
    Reason.LISTS: _lists,
}

CHECKED = tuple(_CHECKS)
