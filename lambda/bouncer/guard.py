"""The guard: decides by one mail alone whether it may be answered.

It prevents backscatter: bounces that reach people who never wrote to us. Each check belongs to a
reason of reasons.py, in the same order, and returns what it found in the mail, or "" if the reason
does not apply. Sources: RFC 3834 section 2,
RFC 5321 sections 4.5.5 and 6.1, RFC 5230 section 4.6, RFC 5429 section 2.1, MS-OXCMAIL 2.1.3.2.20.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from bouncer.jobs.reference import REFERENCE
from bouncer.mail.address import domain, local_part, mailbox_address, without_tag
from bouncer.mail.message import Message
from bouncer.mail.mime import decode_words
from bouncer.reasons import Reason
from bouncer.rules.rejection import REFERENCE_FIELD

# The five patterns that follow are texts and not compiled here: most environments of the intake
# never answer a mail, and compiling would delay the start of each.
# RFC 5321 section 4.5.3.1, without names that have no MX (RFC 6761, RFC 6762).
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
# Local parts of senders in lower case, in the spellings that other programs look for (Pigeonhole,
# James, SpamAssassin, simta, rspamd). No person's name may match: damon@, norman@, requests@.
_DAEMON = (
    r"(?:mail(?:er)?|smtp|mta|news|cron|fetchmail)[-_.]?d(?:ae|ea|e|a)mon(?:[-_.].*)?|m?daemon|mailer|"
    r"mail[-_.]?delivery[-_.]?(?:sub)?system|postmaster-?bounces?|"
    r"(?:.*[-_.])?auto(?:mated|matic)?[-_.]?(?:respon(?:der|d|se)|repl(?:y|ies)|answer)s?(?:[-_.].*)?|"
    r"post_master|uucp|dev[-_.]?null|null|nobody|(?:mail|smtp|bounce)[-_.]?(?:errors?|relay)|.+-(?:errors|relay)"
)
_NO_REPLY = (
    r"(?:non?|not|never|do[-._]?not|don'?t)[-._]{0,2}(?:repl(?:y|ies)|respon(?:d|se|der|da)|answer|return)|"
    r"ne[-._]?pas[-._]?repondre|nao[-._]?responda|no[-._]?contestar|non[-._]?rispondere|"
    r"nicht[-._]?antworten|keine[-._]?antwort"
)
# A no-reply word counts at either end of the local part only: in the middle it may be in a name.
_AUTOMATIC = (
    rf"(?:.*[-._]|e?mail|info|news|alerts?|notifications?)?(?:{_NO_REPLY})[0-9]*|"
    rf"(?:{_NO_REPLY})(?:[-._0-9].*)?|postmaster|root|automated|automatic"
)
_LIST = (
    r"owner-.*|.*-owner|.*-request|(?:.*[-._])?bounces?(?:[-+=_.].*)?|"
    r"listserv|listproc|majordomo|mailman|.*-(?:subscribe|unsubscribe|confirm)"
)
# Headers by which answering machines mark their mail, people's mail not (X-Auto-Response-Suppress
# stands in both).
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
_SES_FEEDBACK = ":amazonses"  # ends the Feedback-ID of all mail sent through SES
_COMMENT = re.compile(r"\([^()]*\)")
_DEEPEST_COMMENT = 5
_DOMAIN = re.compile(r"@([^\s@<>()\[\]\",;:\\]*)")
_AUTO_PRECEDENCE = {"auto_reply", "auto-reply", "auto"}
_LIST_PRECEDENCE = {"bulk", "list", "junk"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The facts about one rejected recipient that the guard needs beside the mail.

    `own_domains` are written as in rules: `example.com` alone, `.example.com` for its subdomains.
    `answer` has the classes of mail (reasons.py) that are answered all the same.
    """

    recipient: str
    bounce_senders: Collection[str]
    own_domains: Collection[str]
    answer: Collection[str]


_Check = Callable[[Message, Context], str]
CHECKS: dict[Reason, _Check] = {}


def _checks(reason: Reason) -> Callable[[_Check], _Check]:
    """Attach a check to its reason."""

    def attach(check: _Check) -> _Check:
        CHECKS[reason] = check
        return check

    return attach


def withheld(message: Message, context: Context) -> Reason | None:
    """Return the first reason not to answer this mail, or None if it may be answered."""
    return next((reason for reason, _ in findings(message, context)), None)


def findings(message: Message, context: Context) -> Iterator[tuple[Reason, str]]:
    """Yield every reason not to answer this mail with its finding, the decisive one first.

    A finding may quote the mail; quoted text is not cleaned.
    """
    for reason, check in CHECKS.items():
        if reason.waived_by not in context.answer and (found := check(message, context)):
            yield reason, found


@_checks(Reason.NULL_SENDER)
def _null_sender(message: Message, _: Context) -> str:
    if not message.sender and not message.sender_unknown:
        return "the envelope sender is empty"
    paths = message.header("return-path")
    empty = any("".join(_comment_free(path).split()) in ("<>", "") for path in paths)
    return "Return-Path: <>" if empty else ""


@_checks(Reason.INVALID_SENDER)
def _invalid_sender(message: Message, _: Context) -> str:
    if message.sender_unknown:
        return "the mail does not say who its envelope sender is"
    address = message.sender
    local = address.rpartition("@")[0]
    dotted = local.startswith(".") or local.endswith(".") or ".." in local
    return f"envelope sender {address}" if dotted or not re.fullmatch(_ADDRESS, address) else ""


@_checks(Reason.REPORT)
def _report(message: Message, _: Context) -> str:
    for value in message.header("content-type"):
        if "".join(_bare(value).split()).startswith(_REPORT_TYPES):
            return f"Content-Type: {value}"
    for name in (REFERENCE_FIELD, "X-Failed-Recipients"):
        for value in message.header(name.lower()):
            return f"{name}: {value}"
    quoting = (*message.subject, *message.header("references"), *message.header("in-reply-to"))
    return next((f"our reference in {text}" for text in quoting if REFERENCE.search(text)), "")


@_checks(Reason.OWN_SENDER)
def _own_sender(message: Message, context: Context) -> str:
    """Find our own mail, and mail to a bounce sender, which may be an answer to a bounce."""
    senders = {mailbox_address(mailbox).lower() for mailbox in context.bounce_senders}
    recipient = without_tag(context.recipient).lower()
    if recipient in senders:
        return f"{context.recipient} is where our bounces come from"
    own = without_tag(message.sender).lower() in {recipient, *senders}
    if own or in_domains(domain(message.sender), context.own_domains):
        return f"envelope sender {message.sender}"
    return ""


def in_domains(domain: str, patterns: Iterable[str]) -> bool:
    """Tell whether a domain is one of the patterns, or below one that starts with a dot."""
    return any(
        domain.endswith(pattern.lower()) if pattern.startswith(".") else domain == pattern.lower()
        for pattern in patterns
    )


@_checks(Reason.DAEMON_SENDER)
def _daemon_sender(message: Message, _: Context) -> str:
    """Find a mail system as the sender; some name themselves in From only."""
    for address in (message.sender, *message.from_):
        if _local_part_is(address, _DAEMON):
            return f"sender {address}"
    for value in message.header("from"):  # such as `MAILER-DAEMON <>`
        name = value.partition("<")[0].strip(' "').lower()[:64]
        if "@" not in value and re.fullmatch(_DAEMON, name):
            return f"From: {value}"
    return ""


@_checks(Reason.VIRUS)
def _virus(message: Message, _: Context) -> str:
    return "virus verdict fail" if message.verdicts["virus"] == "fail" else ""


@_checks(Reason.SUPPRESSED)
def _suppressed(message: Message, _: Context) -> str:
    for value in message.header("x-auto-response-suppress"):
        tokens = re.split(r"[,;\s]", _comment_free(value).lower())
        if "ndr" in tokens or "all" in tokens:
            return f"X-Auto-Response-Suppress: {value}"
    return ""


@_checks(Reason.HEADERS_TRUNCATED)
def _headers_truncated(message: Message, _: Context) -> str:
    return "SES passed on only a part of the headers" if message.headers_truncated else ""


@_checks(Reason.SPAM)
def _spam(message: Message, _: Context) -> str:
    return "spam verdict fail" if message.verdicts["spam"] == "fail" else ""


@_checks(Reason.UNAUTHENTICATED)
def _unauthenticated(message: Message, _: Context) -> str:
    spf, dmarc = message.verdicts["spf"], message.verdicts["dmarc"]
    if spf == "pass" or (dmarc == "pass" and _aligned(message)):
        return ""
    author = "; ".join(message.header("from")) or "absent"
    return f"SPF {spf}, DMARC {dmarc}, envelope sender {message.sender}, From {author}"


def _aligned(message: Message) -> bool:
    """Tell whether the one From address is in the sender's domain, or in a domain above it.

    A From below the sender's domain proves nothing: whoever owns `attacker.eu.org` does not speak
    for `eu.org`. Parsers differ in how they read a hostile From, and DMARC may have passed for
    another part of it than the one read here: so every domain written there has to fit.
    """
    values = message.header("from")
    if len(values) != 1 or len(message.from_) != 1:
        return False
    sender = domain(message.sender)
    written = (_DOMAIN.findall(value) for value in (*values, *map(decode_words, values)))
    authors = {author.rstrip(".'").lower() for found in written for author in found}
    return all(author == sender or sender.endswith(f".{author}") for author in authors)


@_checks(Reason.AUTOMATIC)
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


@_checks(Reason.LISTS)
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
    """Tell whether the local part matches, as it stands, without its tag, or inside SRS or BATV."""
    local = local_part(address)[:64]
    return any(
        re.fullmatch(pattern, part)
        for part in (local, local.partition("+")[0], local.rpartition("=")[2])
    )


def _precedence(message: Message) -> set[str]:
    values = (*message.header("precedence"), *message.header("x-precedence"))
    return {word for value in values for word in re.split(r"[\s,]+", _bare(value))}


def _bare(value: str) -> str:
    """Return a structured value in lower case, without comments and parameters."""
    return _comment_free(value).partition(";")[0].strip().lower()


def _comment_free(value: str) -> str:
    """Return a value without its comments (RFC 5322 section 3.2.2), nested ones included."""
    for _ in range(_DEEPEST_COMMENT):
        value, found = _COMMENT.subn(" ", value)
        if not found:
            break
    return value
