"""Reads limits of bounces and windows, for rules and for the setting `caps`."""

import re

from bouncer.rules.bounce_limit import DAY_S, HOUR_S, MINUTE_S, BounceLimit
from bouncer.rules.document import Node

# The most that a window can allow: the ledger keeps the time of each bounce in one item.
_HIGHEST = 1000

A_WINDOW = "a window of minutes or hours, such as 10m or 24h, at most 24h"
_A_NUMBER = f"a whole number of bounces, 1 to {_HIGHEST}"
_A_LIMIT = "bounces and per, such as {bounces: 100, per: 1h}"
_A_SHARE = "a whole number of percent, such as 10%, 0% to 100%"


def window_s(text: object) -> int:
    """Return the seconds of a window such as `10m`; 0 for anything else."""
    match = re.fullmatch(r"([1-9][0-9]{0,3})([mh])", str(text))
    seconds = int(match[1]) * (MINUTE_S if match[2] == "m" else HOUR_S) if match else 0
    return seconds if seconds <= DAY_S else 0


def read_bounces(node: Node) -> int:
    """Read a number of bounces."""
    number = node.number(_A_NUMBER, least=1) or 0
    if number > _HIGHEST:
        node.fault(_A_NUMBER)
    return number


def read_at_most(node: Node) -> BounceLimit | None:
    """Read the value of `at_most`."""
    entries = node.members(("bounces", "per"), _A_LIMIT)
    bounces = read_bounces(entries["bounces"]) if "bounces" in entries else 0
    per_s = window_s(entries["per"].value) if "per" in entries else 0
    if "per" in entries and not per_s:
        entries["per"].fault(A_WINDOW)
    elif isinstance(node.value, dict) and len(entries) < len(("bounces", "per")):
        node.fault(_A_LIMIT, found=f"only {next(iter(entries))}" if entries else None)
    return BounceLimit(bounces, per_s)


def read_share(node: Node) -> int | None:
    """Read the value of `share`, in percent."""
    match = re.fullmatch(r"(100|[1-9]?[0-9])%", node.value) if isinstance(node.value, str) else None
    if match is None:
        node.fault(_A_SHARE)
    return int(match[1]) if match else None
