"""The breaker: too many of our bounces bounced themselves, so that sending has to be held.

Bounces that bounce cost the account its reputation, and SES reviews it at 5 %. Nothing here counts
or holds; docs/decisions/0023-breaker.md has the reasons.
"""

import re
from collections import Counter
from collections.abc import Iterable

from bouncer.rules.document import Node

DEFAULT_PERCENT = 5
LEAST = 20  # double bounces, below which chance decides
MOST_OF_ONE = 3  # double bounces of one organisation that count: it can't trip the breaker alone

BY = "breaker"  # who holds sending, in the document `held`

_KEY = "double_bounces"
_MAPPING = f"a mapping such as {{{_KEY}: {DEFAULT_PERCENT}%}}, or off"
_SHARE = "a share of a day's bounces such as 5%, 1% to 50%"


def read_breaker(node: Node) -> int | None:
    """Read the value of `breaker`: a share in percent, or None for `off`."""
    if node.value == "off":
        return None
    entries = node.members((_KEY,), _MAPPING)
    share = entries.get(_KEY)
    if share is None:
        if node.value == {}:
            node.fault(_MAPPING)
        return None
    match = re.fullmatch(r"(50|[1-4]?[0-9])%", str(share.value))
    if match is None or not int(match[1]):
        share.fault(_SHARE)
        return None
    return int(match[1])


def cause_to_hold(sent: int, organisations: Iterable[str], percent: int | None) -> str:
    """Return why sending is to be held, or "".

    `sent` are the bounces of a day, and `organisations` has the recipient's organisation for each
    of them that bounced. `percent` is the setting.
    """
    doubles = sum(min(number, MOST_OF_ONE) for number in Counter(organisations).values())
    if percent is None or doubles < LEAST or 100 * doubles <= percent * sent:
        return ""
    return f"{doubles} of {sent} bounces of a day bounced, more than {percent}%"
