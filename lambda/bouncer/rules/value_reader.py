"""Reads what words, networks and numbers are compared with."""

import re
from collections.abc import Callable
from ipaddress import ip_address, ip_network

from bouncer.rules.condition import Condition, Network, Number, Word
from bouncer.rules.document import Node
from bouncer.rules.fields import Field
from bouncer.rules.matcher_reader import IN, any_of, in_lists, negated, only_key, read_matchers

_LEAST = {"over": 0, "under": 1}  # the least number each can be given
_SIZE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?(B|KB|MB|GB|)", re.IGNORECASE)
_UNITS = {"B": 1, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}
_LEAST_GAP = 2  # between over and under: at least one number lies between them


def read_words(field: Field, node: Node) -> Condition | None:
    """Read the words a verdict or policy is compared with."""

    def plain(item: Node) -> Condition | None:
        word = item.word(field.words)
        return Word(field.name, word) if word else None

    return read_matchers(node, plain)


def read_networks(field: Field, node: Node) -> Condition | None:
    """Read the addresses and networks a host's address is compared with."""
    return read_matchers(
        node,
        lambda item: _network(field.name, item),
        (IN,),
        lambda _, item: in_lists(field.name, item),
    )


def _network(name: str, node: Node) -> Condition | None:
    expected = "an IP address or network such as 192.0.2.0/24 or 2001:db8::/32"
    text = node.text(expected)
    if text is None:
        return None
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        node.fault(expected)
        return None
    if "/" in text and ip_address(text.partition("/")[0]) != network.network_address:
        node.fault(f"the first address of the network, {network}")
        return None
    return Network(name, network)


def read_numbers(field: Field, node: Node) -> Condition | None:
    """Read the numbers, or bounds, that a number is compared with."""

    def one(item: Node) -> Condition | None:
        if not isinstance(item.value, dict):
            count = item.number("a whole number, or a mapping with over or under")
            return None if count is None else Number(field.name, count - 1, count + 1)
        if "not" in item.value:
            found = only_key(item, (*_LEAST, "not"))
            return negated(read_numbers(field, found[1])) if found else None
        return _bounds(field.name, item)

    return any_of(node, one)


def read_sizes(field: Field, node: Node) -> Condition | None:
    """Read the bounds of a size, such as `{over: 10MB}`."""

    def one(item: Node) -> Condition | None:
        if isinstance(item.value, dict) and "not" in item.value:
            found = only_key(item, (*_LEAST, "not"))
            return negated(read_sizes(field, found[1])) if found else None
        return _bounds(field.name, item, _size, "over or under with a size such as 10MB")

    return any_of(node, one)


def _size(key: str, node: Node) -> int | None:
    """Return a size in bytes; units are decimal, as those of SES's limits."""
    text = node.value if isinstance(node.value, str) else ""
    match = _SIZE.fullmatch(text)
    size = int(float(match[1]) * _UNITS[(match[2] or "B").upper()]) if match else node.value
    if isinstance(size, int) and not isinstance(size, bool) and size >= _LEAST[key]:
        return size
    node.fault("a size such as 10MB, 500KB or a number of bytes")
    return None


def _count(key: str, node: Node) -> int | None:
    return node.number(f"a whole number, {_LEAST[key]} or more", least=_LEAST[key])


def _bounds(
    name: str,
    node: Node,
    read: Callable[[str, Node], int | None] = _count,
    kind: str = "a whole number",
) -> Condition | None:
    entries = node.members((*_LEAST, "not"), kind)
    if not entries:
        if node.value == {}:
            node.fault("over, under or not")
        return None
    bounds = {key: read(key, child) for key, child in entries.items()}
    if None in bounds.values():
        return None
    over, under = bounds.get("over"), bounds.get("under")
    if over is not None and under is not None and under - over < _LEAST_GAP:
        found = f"over {over} and under {under}"
        node.fault("bounds with at least one whole number between them", found=found)
        return None
    return Number(name, over, under)
