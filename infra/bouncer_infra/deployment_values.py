"""Readers for the values of single deployment settings in cdk.json, and the words AWS has for them.

A reader returns the value, or notes on its node what it found and expected and returns None.
`deployment_settings` says which setting takes which reader.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import TypeVar

from bouncer.mail.address import canonical, identities, is_address, is_domain, mailbox_address
from bouncer.rules.address_reader import read_mailbox, refuse
from bouncer.rules.document import Node
from bouncer.sources.stopped_mail import STOPPED

T = TypeVar("T")
Reader = Callable[[Node], object]

# Event types of an SES event destination. To report the last two, SES puts an image and its own
# links into every mail of the identity: a deployment must ask for them.
UNOBTRUSIVE_EVENTS = (
    "send",
    "reject",
    "bounce",
    "complaint",
    "delivery",
    "renderingFailure",
    "deliveryDelay",
    "subscription",
)
EVENTS = (*UNOBTRUSIVE_EVENTS, "open", "click")

# Days that CloudWatch Logs can keep a log group, with CDK's names for them.
LOG_DAYS = {
    1: "ONE_DAY",
    3: "THREE_DAYS",
    5: "FIVE_DAYS",
    7: "ONE_WEEK",
    14: "TWO_WEEKS",
    30: "ONE_MONTH",
    60: "TWO_MONTHS",
    90: "THREE_MONTHS",
    120: "FOUR_MONTHS",
    150: "FIVE_MONTHS",
    180: "SIX_MONTHS",
    365: "ONE_YEAR",
    400: "THIRTEEN_MONTHS",
    545: "EIGHTEEN_MONTHS",
    731: "TWO_YEARS",
    1096: "THREE_YEARS",
    1827: "FIVE_YEARS",
    2192: "SIX_YEARS",
    2557: "SEVEN_YEARS",
    2922: "EIGHT_YEARS",
    3288: "NINE_YEARS",
    3653: "TEN_YEARS",
}

_MOST_RECIPIENTS = 100  # SES, recipients of a receipt rule
_MOST_SENDERS = 20
_MOST_FILTERS = 100  # SES, IP address filters of an account
_LONGEST_PREFIX = 800  # SSM: 1011 characters of a parameter's ARN, with `/rules/` and a rule's name
_MOST_DAYS = 36_500
_MOST_QUIET_HOURS = 24  # CloudWatch looks back one day for an alarm with periods of an hour

_NAME = re.compile(r"[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?")
_RULE_SET = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62}[A-Za-z0-9])?")  # SES API reference
_RULE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9])?")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9_.-]+){1,13}")
_OBJECT_PREFIX = re.compile(r"[A-Za-z0-9_./-]{0,200}")
_MEANT_OTHERWISE = frozenset("*?$")  # wildcards and variables of IAM
_IDENTITY_ARN = re.compile(r"arn:aws[a-z-]*:ses:[a-z0-9-]+:[0-9]{12}:identity/([^\s/]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailStore:
    """Received mail is stored in a bucket, below `prefix`, for so many days."""

    prefix: str = "mail/"
    days: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FurtherSender:
    """A mailbox that rules may send bounces, or replies, from.

    `arn` is set if another account verifies it.
    """

    mailbox: str
    arn: str | None = None

    @property
    def address(self) -> str:
        """The bare address."""
        return mailbox_address(self.mailbox)


@dataclass(frozen=True, slots=True, kw_only=True)
class IpFilter:
    """A network whose connections SES refuses, or accepts although another filter refuses them."""

    cidr: str
    allow: bool


def one_of(*words: str) -> Reader:
    """Return the reader of a closed set of words."""
    return lambda node: node.word(words)


def matching(pattern: re.Pattern[str], expected: str) -> Callable[[Node], str | None]:
    """Return the reader of text that is all in a pattern."""

    def read(node: Node) -> str | None:
        if isinstance(node.value, str) and pattern.fullmatch(node.value):
            return node.value
        node.fault(expected)
        return None

    return read


name = matching(_NAME, "1 to 20 lower-case letters, digits and dashes, a letter first")
rule_set = matching(
    _RULE_SET, "letters, digits, _ and -, at most 64, with a letter or digit at both ends"
)
rule = matching(_RULE, "the name of a receipt rule in that rule set")
_object_prefix = matching(_OBJECT_PREFIX, "letters, digits and _ . / -, at most 200")


def recipients(node: Node) -> tuple[str, ...]:
    """Read the recipients of a receipt rule, at least one."""
    found = _all(node, _recipient, at_most=f"{_MOST_RECIPIENTS} recipients (SES's limit)")
    _refuse_twice(node, map(str.lower, found), "each recipient once")
    return found


def _recipient(node: Node) -> str | None:
    text = node.value if isinstance(node.value, str) else ""
    if is_domain(text.removeprefix(".")) or is_address(text):
        return text
    refuse(node, "a domain, .domain for its subdomains, or an address")
    return None


def senders(node: Node) -> tuple[FurtherSender, ...]:
    """Read addresses that bounces, or replies, may come from; an empty list is allowed."""
    if node.value == []:
        return ()
    return _all(node, _sender, at_most=f"{_MOST_SENDERS} senders")


def _sender(node: Node) -> FurtherSender | None:
    """Read an address, or a mapping that also names another account's identity for it."""
    if not isinstance(node.value, dict):
        mailbox = read_mailbox(node)
        return FurtherSender(mailbox=mailbox) if mailbox else None
    entries = node.members(("address", "arn"), "an address, or a mapping with address and arn")
    if len(entries) < 2:  # noqa: PLR2004  # both keys
        node.fault("address and arn", found=" and ".join(entries) or "neither")
        return None
    mailbox, arn = read_mailbox(entries["address"]), entries["arn"].value
    if not mailbox:
        return None
    names = identities(mailbox_address(mailbox))
    match = _IDENTITY_ARN.fullmatch(arn) if isinstance(arn, str) else None
    if match is None or canonical(match[1]) not in names:
        expected = (
            "the ARN of an identity that verifies this address, such as "
            f"arn:aws:ses:us-east-1:111122223333:identity/{names[1]}"
        )
        entries["arn"].fault(expected)
        return None
    return FurtherSender(mailbox=mailbox, arn=str(arn))


def identity(node: Node) -> str | None:
    """Read the name of an SES identity; in a policy, some characters stand for others."""
    text = node.value if isinstance(node.value, str) else ""
    if is_domain(text) or (is_address(text) and _MEANT_OTHERWISE.isdisjoint(text)):
        return canonical(text)
    refuse(node, "an identity that SES has verified: a domain or an address without * ? $")
    return None


def parameter_path(node: Node) -> str | None:
    """Read a path of SSM parameters."""
    text = node.value if isinstance(node.value, str) else ""
    if len(text) > _LONGEST_PREFIX:
        expected = f"at most {_LONGEST_PREFIX}: SSM limits the path with a rule's name after it"
        node.fault(expected, found=f"{len(text)} characters")
        return None
    reserved = text.lower().removeprefix("/").startswith(("aws", "ssm"))
    if _PREFIX.fullmatch(text) and not reserved:
        return text
    expected = (
        "a path such as /mail/main: up to 13 parts of letters, digits, _ . -, no slash at the end, "
        "not beginning with aws or ssm"
    )
    node.fault(expected)
    return None


def _number(expected: str, most: int) -> Callable[[Node], int | None]:
    """Return the reader of a whole number from 1 to `most`."""

    def read(node: Node) -> int | None:
        found = node.number(expected, least=1)
        if found is not None and found > most:
            node.fault(expected)
            return None
        return found

    return read


days = _number(f"a number of days, 1 to {_MOST_DAYS}", _MOST_DAYS)
quiet_hours = _number(f"a number of hours, 1 to {_MOST_QUIET_HOURS}", _MOST_QUIET_HOURS)
percent = _number("a whole number of percent, 1 to 100", 100)  # 100 is never passed


def log_days(node: Node) -> int | None:
    """Read a number of days for which CloudWatch Logs can keep logs."""
    if isinstance(node.value, int) and node.value is not True and node.value in LOG_DAYS:
        return node.value
    node.fault(f"one of {', '.join(map(str, LOG_DAYS))}")
    return None


def store(node: Node) -> MailStore | None:
    """Read how received mail is stored; None for `false`, if it is not."""
    if node.value is False:
        return None
    expected = "a mapping with prefix and days; {} for the defaults, false to store no mail"
    entries = node.members(("prefix", "days"), expected)
    default = MailStore()
    prefix = _mail_prefix(entries["prefix"]) if "prefix" in entries else default.prefix
    kept_days = days(entries["days"]) if "days" in entries else default.days
    return MailStore(prefix=prefix or "", days=kept_days or 1)


def _mail_prefix(node: Node) -> str | None:
    """Read a prefix that stopped mail does not have: that expires at another time."""
    prefix = _object_prefix(node)
    if prefix is not None and (STOPPED.startswith(prefix) or prefix.startswith(STOPPED)):
        node.fault(f"a prefix such as mail/: stopped mail is kept below {STOPPED}")
        return None
    return prefix


def ip_filters(node: Node) -> tuple[IpFilter, ...]:
    """Read IP address filters; an empty list is allowed."""
    if node.value == []:
        return ()
    filters = _all(node, _ip_filter, at_most=f"{_MOST_FILTERS} filters (SES's limit)")
    _refuse_twice(node, (ip_filter.cidr for ip_filter in filters), "each network once")
    return filters


def _ip_filter(node: Node) -> IpFilter | None:
    entries = node.members(("allow", "block"), "a mapping with allow or block")
    if len(entries) != 1:
        if isinstance(node.value, dict):
            node.fault("one of allow and block", found=" and ".join(entries) or "neither")
        return None
    ((key, child),) = entries.items()
    try:
        return IpFilter(cidr=str(IPv4Network(str(child.value))), allow=key == "allow")
    except ValueError:
        child.fault("an IPv4 network such as 192.0.2.0/24")
        return None


def events(node: Node) -> tuple[str, ...]:
    """Read types of SES events, at least one."""
    found = _all(node, lambda item: item.word(EVENTS), at_most="100 events")
    return tuple(dict.fromkeys(found))


def _all(node: Node, one: Callable[[Node], T | None], *, at_most: str) -> tuple[T, ...]:
    """Read every item of a list; `at_most` begins with the number of items allowed."""
    items = list(node.items())
    if len(items) > int(at_most.partition(" ")[0]):
        node.fault(f"at most {at_most}", found=f"{len(items)}")
    return tuple(item for item in map(one, items) if item is not None)


def _refuse_twice(node: Node, items: Iterable[str], expected: str) -> None:
    for item, count in Counter(items).items():
        if count > 1:
            node.fault(expected, found=f"{item} {count} times")
