"""Reads the settings of a deployment, once, from `context.bouncer` in cdk.json.

Only `recipients` and `bounce_sender` are required. Whatever is wrong is reported at once, each
problem naming its key, what was found and what was expected, before anything is deployed.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any, TypeVar

from bouncer.errors import DocumentError
from bouncer.mail.address import canonical, identities, is_address, is_domain, mailbox_address
from bouncer.operator_settings import Settings as RuntimeSettings
from bouncer.rules.address_reader import read_mailbox, refuse
from bouncer.rules.document import Node, Report
from bouncer_infra.deployment_settings import (
    DEFAULT_NAME,
    EVENTS,
    LOG_DAYS,
    IpFilter,
    MailStore,
    Settings,
)

T = TypeVar("T")

_MOST_RECIPIENTS = 100  # SES, recipients per receipt rule
_MOST_FILTERS = 100  # SES, IP address filters per account
_MOST_RUNTIME = 3000  # bytes
_MOST_POLICY = 6000  # characters; IAM allows a policy 6,144
_LONGEST_PREFIX = 800  # SSM: 1011 characters of a parameter's ARN, with `/rules/` and a rule's name
_LONGEST_DAYS = 36_500

_NAME = re.compile(r"[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?")
_RULE_SET = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62}[A-Za-z0-9])?")  # SES API reference
_RULE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9])?")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9_.-]+){1,13}")


def read_settings(context: object) -> Settings:
    """The settings in a `bouncer` context value; raises `DocumentError` with everything wrong."""
    report = Report("cdk.json")
    root = Node(context, ("context", "bouncer"), report)
    given = root.members(tuple(_READERS), "a mapping with recipients and bounce_sender")
    entries = {key: node for key, node in given.items() if node.value is not None}  # null is none
    for key in ("recipients", "bounce_sender"):
        if isinstance(context, dict) and key not in entries:
            report.add((*root.path, key), found="nothing", expected=_REQUIRED[key])
    found: dict[str, Any] = {key: _READERS[key](node) for key, node in entries.items()}
    _refuse_contradictions(entries, found)
    runtime = _runtime(root, entries.get("settings"), found)
    report.settle()
    found.pop("settings", None)
    settings = Settings(runtime=runtime, **found)
    return replace(
        settings,
        prefix=settings.prefix or f"/ses-auto-bouncer/{settings.name}",
        identity=settings.identity or canonical(settings.sender_addresses[0].rpartition("@")[2]),
    )


_REQUIRED = {
    "recipients": "the domains or addresses whose mail is judged",
    "bounce_sender": "an address in a domain SES has verified",
}


def _refuse_contradictions(entries: dict[str, Node], found: dict[str, Any]) -> None:
    if found.get("activate_rule_set") and not found.get("create_rule_set"):
        expected = "create_rule_set: true beside it; somebody else's rule set is not activated"
        entries["activate_rule_set"].fault(expected)
    if found.get("after") and found.get("create_rule_set"):
        entries["after"].fault("nothing; a new rule set has no rule to stand behind")
    if found.get("create_identity") and found.get("attach_configuration_set") is False:
        expected = "true beside create_identity: true, as a new identity is made with its set"
        entries["attach_configuration_set"].fault(expected)
    _refuse_own_rule(entries, found)
    _refuse_identity(entries, found)
    _refuse_prefix(entries, found)
    _refuse_sender(entries, found)
    _refuse_many_identities(entries, found)


def _refuse_identity(entries: dict[str, Node], found: dict[str, Any]) -> None:
    """SES verifies an address by itself, by its domain or by a domain above that."""
    identity, sender = found.get("identity"), found.get("bounce_sender")
    if not identity:
        return
    if found.get("create_identity"):
        entries["identity"].fault("nothing beside create_identity: true, which makes a new one")
    elif sender and identity.lower() not in identities(mailbox_address(sender).lower()):
        entries["identity"].fault("the bounce sender's address, its domain or one above that")


def _refuse_prefix(entries: dict[str, Node], found: dict[str, Any]) -> None:
    """The functions know their deployment, and count, by the last part of the prefix."""
    name, prefix = found.get("name", DEFAULT_NAME), found.get("prefix")
    if name and prefix and prefix.rpartition("/")[2] != name:
        expected = f"a path that ends in /{name}, the deployment's name, as metrics are told by it"
        entries["prefix"].fault(expected)


def _refuse_own_rule(entries: dict[str, Node], found: dict[str, Any]) -> None:
    own = f"ses-auto-bouncer-{found.get('name', DEFAULT_NAME)}"
    if found.get("after") == own:
        entries["after"].fault("another rule; that is our own")


def _refuse_sender(entries: dict[str, Node], found: dict[str, Any]) -> None:
    """The worker may bounce as the configured senders only."""
    runtime = entries["settings"].value if "settings" in entries else None
    sender = runtime.get("bounce_sender") if isinstance(runtime, dict) else None
    allowed = (found.get("bounce_sender"), *(found.get("further_senders") or ()))
    if not isinstance(sender, str) or None in allowed:
        return
    if mailbox_address(sender) not in [mailbox_address(str(mailbox)) for mailbox in allowed]:
        entries["settings"].child("bounce_sender", sender).fault(
            "bounce_sender beside settings, or one of further_senders: the worker may use no other"
        )


def _refuse_many_identities(entries: dict[str, Node], found: dict[str, Any]) -> None:
    """The worker's permission names every sender, and every identity SES may verify one by."""
    senders = [mailbox_address(str(mailbox)) for mailbox in found.get("further_senders") or ()]
    named = {name for sender in senders for name in identities(sender)}
    size = sum(len(name) + 60 for name in named) + sum(len(sender) + 3 for sender in senders)
    if size > _MOST_POLICY:
        expected = f"at most {_MOST_POLICY}, as IAM allows: fewer, or such as share a domain"
        entries["further_senders"].fault(expected, found=f"a policy of {size} characters")


def _runtime(root: Node, node: Node | None, found: dict[str, Any]) -> Mapping[str, Any]:
    """The functions' default settings: a `settings` document, checked by its own reader."""
    bounce_sender, prefix = found.get("bounce_sender"), found.get("prefix") or ""
    value = node.value if node else {}
    if not isinstance(value, dict):
        if node:
            node.fault("a mapping of settings")
        return {}
    runtime = {"bounce_sender": bounce_sender, **value} if bounce_sender else value
    size = len(json.dumps(runtime)) + len(prefix)
    if node and size > _MOST_RUNTIME:
        expected = f"at most {_MOST_RUNTIME} with the prefix, as a function's environment has 4 KB"
        node.fault(expected, found=f"{size} bytes")
        return {}
    try:
        below = (*root.path, "settings")
        RuntimeSettings().overlaid(json.dumps(runtime), document=root.report.document, below=below)
    except DocumentError as error:
        root.report.problems += error.problems
    return runtime


def _matching(pattern: re.Pattern[str], expected: str) -> Callable[[Node], str | None]:
    def read(node: Node) -> str | None:
        if isinstance(node.value, str) and pattern.fullmatch(node.value):
            return node.value
        node.fault(expected)
        return None

    return read


def _listed(
    node: Node,
    one: Callable[[Node], T | None],
    *,
    most: int,
    what: str,
    needed: bool = False,
) -> tuple[T, ...]:
    items = list(node.items()) if needed or node.value != [] else []
    if len(items) > most:
        node.fault(f"at most {most} {what}", found=f"{len(items)}")
    return tuple(item for item in map(one, items) if item is not None)


def _refuse_twice(node: Node, items: Iterable[str], expected: str) -> None:
    for item, count in Counter(items).items():
        if count > 1:
            node.fault(expected, found=f"{item} {count} times")


def _recipients(node: Node) -> tuple[str, ...]:
    found = _listed(
        node, _recipient, most=_MOST_RECIPIENTS, what="recipients, as SES allows", needed=True
    )
    _refuse_twice(node, map(str.lower, found), "each recipient once")
    return found


def _recipient(node: Node) -> str | None:
    text = node.value if isinstance(node.value, str) else ""
    if is_domain(text.removeprefix(".")) or is_address(text):
        return text
    refuse(node, "a domain, .domain for its subdomains, or an address")
    return None


def _identity(node: Node) -> str | None:
    text = node.value if isinstance(node.value, str) else ""
    if is_domain(text) or is_address(text):
        return canonical(text)
    refuse(node, "an identity that SES has verified: a domain or an address")
    return None


def _senders(node: Node) -> tuple[str, ...]:
    return _listed(node, read_mailbox, most=20, what="senders")


def _prefix(node: Node) -> str | None:
    text = node.value if isinstance(node.value, str) else ""
    first = text.lower().removeprefix("/")
    if len(text) > _LONGEST_PREFIX:
        expected = f"at most {_LONGEST_PREFIX}, as SSM allows with a rule's name behind it"
        node.fault(expected, found=f"{len(text)} characters")
        return None
    if _PREFIX.fullmatch(text) and not first.startswith(("aws", "ssm")):
        return text
    expected = (
        "a path such as /mail/main: up to 13 parts of letters, digits, _ . -, no slash at the end, "
        "not beginning with aws or ssm"
    )
    node.fault(expected)
    return None


def _days(node: Node) -> int | None:
    expected = f"a number of days, 1 to {_LONGEST_DAYS}"
    days = node.number(expected, least=1)
    if days is not None and days > _LONGEST_DAYS:
        node.fault(expected)
        return None
    return days


def _log_days(node: Node) -> int | None:
    if isinstance(node.value, int) and node.value is not True and node.value in LOG_DAYS:
        return node.value
    node.fault(f"one of {', '.join(map(str, LOG_DAYS))}")
    return None


def _store(node: Node) -> MailStore | None:
    entries = node.members(
        ("prefix", "days"), "a mapping with prefix and days; {} for the defaults"
    )
    prefix = entries["prefix"].text() if "prefix" in entries else MailStore().prefix
    days = _days(entries["days"]) if "days" in entries else MailStore().days
    if prefix is not None and not re.fullmatch(r"[A-Za-z0-9_./-]{0,200}", prefix):
        entries["prefix"].fault("letters, digits and _ . / -")
    return MailStore(prefix=prefix or "", days=days or 1)


def _ip_filters(node: Node) -> tuple[IpFilter, ...]:
    filters = _listed(node, _ip_filter, most=_MOST_FILTERS, what="filters, as SES allows")
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


def _events(node: Node) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_listed(node, _event, most=100, what="events", needed=True)))


def _event(node: Node) -> str | None:
    return node.word(EVENTS)


_READERS: Mapping[str, Callable[[Node], object]] = {
    "name": _matching(_NAME, "1 to 20 lower-case letters, digits and dashes, a letter first"),
    "recipients": _recipients,
    "bounce_sender": read_mailbox,
    "further_senders": _senders,
    "identity": _identity,
    "prefix": _prefix,
    "rule_set": _matching(
        _RULE_SET, "letters, digits, _ and -, at most 64, no punctuation at the ends"
    ),
    "create_rule_set": Node.flag,
    "activate_rule_set": Node.flag,
    "after": _matching(_RULE, "the name of a receipt rule in that rule set"),
    "invocation": lambda node: node.word(("request_response", "event")),
    "scan": Node.flag,
    "require_tls": Node.flag,
    "store": _store,
    "ip_filters": _ip_filters,
    "architecture": lambda node: node.word(("arm64", "x86_64")),
    "log_days": _log_days,
    "create_identity": Node.flag,
    "attach_configuration_set": Node.flag,
    "events": _events,
    "archive_days": _days,
    "ledger_recovery": Node.flag,
    "alarm_email": read_mailbox,
    "settings": lambda node: node.value,
}
