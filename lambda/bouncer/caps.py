"""The setting `caps`: how many bounces or replies a sender or an organisation can make us send.

SES sends one bounce a second for everybody, so a stranger could use them up. docs/rules.md has the
setting, docs/decisions/0021-caps.md the reasons for its defaults. Nothing here counts.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bouncer.mail.a_label import a_labels
from bouncer.mail.address import domain, is_address, is_domain
from bouncer.mail.rewritten_sender import normal_sender
from bouncer.rules.bounce_limit import DAY_S, HOUR_S, MINUTE_S
from bouncer.rules.document import Node, show
from bouncer.rules.limit_reader import A_WINDOW, read_bounces, window_s

# Windows with the most bounces within each: pairs of seconds and a number, the shortest first.
Ladder = tuple[tuple[int, int], ...]

# Windows with the share of their bounces, in percent, for one organisation: the shortest first.
Shares = tuple[tuple[int, int], ...]

_OFF = "off"
_A_LADDER = "windows with the most bounces in each, such as {1h: 10, 24h: 20}, or off"
_A_SHARE = "a share such as 25%, 1% to 100%"
_SHARES = "windows with the share in each, such as {1h: 40%, 24h: 25%}, a share of the day, or off"
_HOURS = "a window of hours, 1h to 24h"
_MOST_REPLIES = 100_000
_REPLIES = f"a whole number of replies in a day, 1 to {_MOST_REPLIES}, or off"
_ALLOWED = "an address, a domain such as example.com, or .example.com for its subdomains"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """The caps in force; without windows a cap caps nothing.

    `domain_share` is in percent of the bounces that a window has room for. `domain_replies` is the
    most replies to one organisation in a day (UTC), None for no cap. `allow` has addresses
    and domains, as in rules, whose senders no cap is about.
    """

    sender: Ladder = ((10 * MINUTE_S, 20), (HOUR_S, 40), (DAY_S, 100))
    domain_share: Shares = ((HOUR_S, 40), (DAY_S, 25))
    sender_recipient_rule: Ladder = ((DAY_S, 5),)
    domain_replies: int | None = 200
    allow: tuple[str, ...] = ()


DEFAULT_CAPS = Caps()
NO_CAPS = Caps(sender=(), domain_share=(), sender_recipient_rule=(), domain_replies=None)


def read_caps(node: Node) -> Caps:
    """Read the value of `caps`: a mapping over the defaults, or `off`."""
    if node.value == _OFF:
        return NO_CAPS
    entries = node.members(tuple(_READERS), "a mapping of caps, or off")
    if not entries and node.value == {}:
        node.fault(f"at least one of {', '.join(_READERS)}, or off")
    changes: dict[str, Any] = {key: _READERS[key](child) for key, child in entries.items()}
    return replace(DEFAULT_CAPS, **changes)


def _ladder(node: Node) -> Ladder:
    if node.value == _OFF:
        return ()
    entries = node.entries(_A_LADDER)
    if not entries and node.value == {}:
        node.fault(_A_LADDER)
    steps = [(_window_s(name, child), read_bounces(child)) for name, child in entries.items()]
    return tuple(sorted(steps))


def _window_s(name: object, node: Node) -> int:
    seconds = window_s(name)
    if not seconds:
        node.fault(A_WINDOW, found=show(str(name)))
    return seconds


def _shares(node: Node) -> Shares:
    """Read windows with their shares; a share alone is that of a day."""
    if node.value == _OFF:
        return ()
    if isinstance(node.value, str):
        return ((DAY_S, _share(node)),)
    entries = node.entries(_SHARES)
    if not entries and node.value == {}:
        node.fault(_SHARES)
    return tuple(sorted((_hours_s(name, child), _share(child)) for name, child in entries.items()))


def _hours_s(name: object, node: Node) -> int:
    """Read a window of whole hours, by which an organisation's bounces are counted."""
    match = re.fullmatch(r"([1-9][0-9]?)h", str(name))
    seconds = int(match[1]) * HOUR_S if match else 0
    if not 0 < seconds <= DAY_S:
        node.fault(_HOURS, found=show(str(name)))
    return seconds


def _share(node: Node) -> int:
    match = re.fullmatch(r"(100|[1-9][0-9]?)%", node.value) if isinstance(node.value, str) else None
    if match is None:
        node.fault(_A_SHARE)
    return int(match[1]) if match else 0


def _replies(node: Node) -> int | None:
    if node.value == _OFF:
        return None
    number = node.number(_REPLIES, least=1) or 0
    if number > _MOST_REPLIES:
        node.fault(_REPLIES)
    return int(number)


def _allow(node: Node) -> tuple[str, ...]:
    found = (_allowed(item) for item in node.items())
    return tuple(each for each in found if each)


def _allowed(node: Node) -> str:
    """Return an entry in the form in which senders are compared; "" for one that is refused."""
    text = node.value if isinstance(node.value, str) else ""
    host = domain(text) or a_labels(text).lower()
    if "*" not in text and is_address(f"{text.rpartition('@')[0]}@{host}"):
        return normal_sender(text)
    if is_domain(host.removeprefix(".")) and "@" not in text:
        return host
    node.fault(_ALLOWED)
    return ""


_READERS: Mapping[str, Callable[[Node], object]] = {
    "sender": _ladder,
    "domain_share": _shares,
    "sender_recipient_rule": _ladder,
    "domain_replies": _replies,
    "allow": _allow,
}
