"""Reads `when` and `unless` into a condition: what may be asked, and in which words.

All that can't be asked is refused at its place. docs/rules.md is the reference with an example of
everything.
"""

import re
from collections.abc import Callable
from datetime import time
from ipaddress import ip_address, ip_network
from zoneinfo import ZoneInfo

import re2

from bouncer.mail.text import printable
from bouncer.rules.condition import (
    ADDRESS_FIELDS,
    CONTENT_FIELDS,
    DAYS,
    DOMAIN_FIELDS,
    FIELDS,
    NESTING,
    POLICY_WORDS,
    VERDICT_FIELDS,
    VERDICT_WORDS,
    All,
    Any,
    Condition,
    Leaf,
    Matcher,
    Network,
    Not,
    Present,
    Recipients,
    Text,
    Window,
    Word,
    regex_options,
)
from bouncer.rules.document import Node, show

_LEAST = {"over": 0, "under": 1}  # what a number of recipients can be compared with
_MAPPED = (Matcher.CONTAINS, Matcher.STARTS_WITH, Matcher.ENDS_WITH, Matcher.REGEX)
_TEXT_KEYS = (*map(str, _MAPPED), "not")
_HEADER_NAME = re.compile(r"[!-9;-~]+")  # RFC 5322 section 3.6.8


def read_condition(node: Node) -> Condition | None:
    """The condition in a mapping of fields, all of which must hold; None after a problem."""
    entries = node.members((*FIELDS, *NESTING), "a mapping of fields to what they must be")
    if not entries and node.value == {}:
        node.fault("at least one condition")
    parts = [_entry(key, child) for key, child in entries.items()]
    return _joined(All, parts)


def _entry(key: str, node: Node) -> Condition | None:
    if key in NESTING:
        return _nested(key, node)
    if key in ADDRESS_FIELDS:
        return _matched(key, node, _address)
    if key in DOMAIN_FIELDS:
        return _matched(key, node, _domain)
    if key in VERDICT_FIELDS:
        return _worded(key, node, VERDICT_WORDS)
    if key in CONTENT_FIELDS:
        expected = "one of the other fields (content fields are not available yet)"
        node.fault(expected, found="a field of the mail's content")
        return None
    return _ENTRIES[key](node)


def _nested(key: str, node: Node) -> Condition | None:
    if key != "not" and not isinstance(node.value, list):
        node.fault("a list, each item a mapping of fields to what they must be")
        return None
    parts = [read_condition(item) for item in node.items()]
    if key == "not":
        inner = _joined(Any, parts)
        return inner and Not(inner)
    return _joined(All if key == "all" else Any, parts)


def _joined(kind: type[All] | type[Any], parts: list[Condition | None]) -> Condition | None:
    """The parts as one condition; None if a part is missing because it was refused."""
    kept = tuple(part for part in parts if part is not None)
    if not kept or len(kept) != len(parts):
        return None
    return kept[0] if len(kept) == 1 else kind(kept)


def _several(node: Node, one: Callable[[Node], Condition | None]) -> Condition | None:
    return _joined(Any, [one(item) for item in node.items()])


def _matched(field: str, node: Node, plain: Callable[[str, Node], Leaf | None]) -> Condition | None:
    """A text field's matcher: a string, a mapping with one matcher, or a list of these."""

    def one(item: Node) -> Condition | None:
        if not isinstance(item.value, dict):
            return plain(field, item)
        found = _only_key(item, _TEXT_KEYS)
        if found is None:
            return None
        key, value = found
        if key == "not":
            inner = _matched(field, value, plain)
            return inner and Not(inner)
        return _several(value, lambda each: _text(field, Matcher(key), each))

    return _several(node, one)


def _only_key(node: Node, known: tuple[str, ...]) -> tuple[str, Node] | None:
    entries = node.entries("a matcher")
    if "in" in entries:
        expected = "the values themselves (named lists are not available yet)"
        entries["in"].fault(expected, found="the name of a list")
        return None
    entries = node.members(known, "a matcher")
    if len(entries) > 1:
        node.fault("one matcher (use all: to ask for several)", found=" and ".join(entries))
    elif not entries and node.value == {}:
        node.fault(f"one of {', '.join(known)}")
    return next(iter(entries.items())) if len(entries) == 1 else None


def _text(field: str, matcher: Matcher, node: Node) -> Leaf | None:
    pattern = node.text("text (in quotes)")
    if pattern is None:
        return None
    if not pattern:
        node.fault("text that is not empty")
        return None
    if matcher is Matcher.REGEX and not _valid_regex(node, pattern):
        return None
    return Text(field, matcher, pattern)


def _valid_regex(node: Node, pattern: str) -> bool:
    try:
        re2.compile(pattern, regex_options())
    except (re2.error, UnicodeEncodeError) as error:
        detail = error.args[0] if error.args else error
        reason = detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
        reason = printable(reason, 100)
        expected = "an RE2 pattern (no look-around, no back-references)"
        node.fault(expected, found=f"{show(pattern)} (RE2 says {show(reason)})")
        return False
    return True


def _plain(field: str, pattern: str) -> Text:
    wild = "*" in pattern or "?" in pattern
    return Text(field, Matcher.PATTERN if wild else Matcher.EQUALS, pattern)


def _plain_text(field: str, node: Node) -> Leaf | None:
    pattern = node.text("text (in quotes)")
    return None if pattern is None else _plain(field, pattern)


def _address(field: str, node: Node) -> Leaf | None:
    expected = "an address such as ann@example.com, or a pattern such as *@example.com"
    if field == "sender":
        expected += ', or "" for the null sender'
    pattern = node.text(expected)
    if pattern is None:
        return None
    if pattern == "" and field == "sender":  # the null sender
        return Text(field, Matcher.EQUALS, "")
    if not re.search(r"[@*?]", pattern) or re.search(r"[\s<>,;]", pattern):
        node.fault(expected)
        return None
    return _plain(field, pattern)


def _domain(field: str, node: Node) -> Leaf | None:
    expected = "a domain such as example.com, or .example.com for its subdomains"
    pattern = node.text(expected)
    if pattern is None:
        return None
    if not re.fullmatch(r"[^\s@]+", pattern) or pattern == ".":
        node.fault(expected)
        return None
    if pattern.startswith(".") and re.search(r"[*?]", pattern):
        node.fault("a domain with a wildcard or with a leading dot, not both")
        return None
    if pattern.startswith("."):
        return Text(field, Matcher.SUBDOMAIN, pattern[1:].rstrip("."))
    return _plain(field, pattern.rstrip("."))


def _worded(field: str, node: Node, words: tuple[str, ...]) -> Condition | None:
    def one(item: Node) -> Condition | None:
        if isinstance(item.value, dict):
            found = _only_key(item, ("not",))
            inner = _worded(field, found[1], words) if found else None
            return inner and Not(inner)
        word = item.word(words)
        return Word(field, word) if word else None

    return _several(node, one)


def _network(node: Node) -> Condition | None:
    def one(item: Node) -> Condition | None:
        if isinstance(item.value, dict):
            found = _only_key(item, ("not",))
            inner = _network(found[1]) if found else None
            return inner and Not(inner)
        expected = "an IP address or network such as 192.0.2.0/24 or 2001:db8::/32"
        text = item.text(expected)
        if text is None:
            return None
        try:
            network = ip_network(text, strict=False)
        except ValueError:
            item.fault(expected)
            return None
        if "/" in text and ip_address(text.partition("/")[0]) != network.network_address:
            item.fault(f"the first address of the network, {network}")
            return None
        return Network(network)

    return _several(node, one)


def _header(node: Node) -> Condition | None:
    parts: list[Condition | None] = []
    for name, child in node.entries("a mapping of header names to matchers").items():
        if not _HEADER_NAME.fullmatch(name):
            child.fault("a header name without spaces or colon", found=show(name))
            parts.append(None)
        elif isinstance(child.value, bool):
            present = Present(name.lower())
            parts.append(present if child.value else Not(present))
        else:
            field = f"header:{name.lower()}"
            parts.append(_matched(field, child, _plain_text))
    if not parts and node.value == {}:
        node.fault("at least one header name")
    return _joined(All, parts)


def _recipients(node: Node) -> Condition | None:
    def one(item: Node) -> Condition | None:
        if not isinstance(item.value, dict):
            count = item.number("a whole number, or a mapping with over or under")
            return None if count is None else Recipients(count - 1, count + 1)
        entries = item.members((*_LEAST, "not"), "a whole number")
        if "not" in entries:
            found = _only_key(item, (*_LEAST, "not"))
            inner = _recipients(found[1]) if found else None
            return inner and Not(inner)
        if not entries:
            if item.value == {}:
                item.fault("over, under or not")
            return None
        bounds = {
            key: child.number(f"a whole number, {_LEAST[key]} or more", least=_LEAST[key])
            for key, child in entries.items()
        }
        if None in bounds.values():
            return None
        over, under = bounds.get("over"), bounds.get("under")
        if over is not None and under is not None and under - over < 2:  # noqa: PLR2004  # none between
            item.fault("room for a number between them", found=f"over {over} and under {under}")
            return None
        return Recipients(over, under)

    return _several(node, one)


def _time(node: Node) -> Condition | None:
    return _several(node, _window)


def _window(node: Node) -> Condition | None:
    entries = node.members(("days", "between", "zone"), "a mapping of days, between and zone")
    if not entries:
        if node.value == {}:
            node.fault("days or between")
        return None
    days = _days(entries["days"]) if "days" in entries else tuple(range(7))
    span = _span(entries["between"]) if "between" in entries else (time(0), time(0))
    zone = _zone(entries["zone"]) if "zone" in entries else ZoneInfo("UTC")
    if not days or not span or not zone:
        return None
    if "days" not in entries and "between" not in entries:
        node.fault("days or between", found="only a zone")
        return None
    return Window(days, *span, zone)


def _days(node: Node) -> tuple[int, ...] | None:
    words = [item.word(DAYS) for item in node.items()]
    known = {DAYS.index(word) for word in words if word}
    return tuple(sorted(known)) if words and None not in words else None


def _span(node: Node) -> tuple[time, time] | None:
    if not isinstance(node.value, list) or len(node.value) != 2:  # noqa: PLR2004  # from, to
        node.fault('two times such as ["18:00", "08:00"]')
        return None
    start, end = (_clock(node.child(index, value)) for index, value in enumerate(node.value))
    if start is None or end is None:
        return None
    if start == end:
        node.fault("two different times", found=f"{start:%H:%M} twice")
        return None
    return start, end


def _clock(node: Node) -> time | None:
    text = node.value if isinstance(node.value, str) else ""
    match = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", text)
    if match:
        return time(int(match[1]), int(match[2]))
    node.fault('a time of day such as "18:00"')
    return None


def _zone(node: Node) -> ZoneInfo | None:
    if isinstance(node.value, str) and node.value:
        try:
            return ZoneInfo(node.value)
        except (KeyError, OSError, ValueError):  # not found, a folder of zones, not even a path
            pass
    node.fault("a time zone such as Europe/Berlin")
    return None


_ENTRIES: dict[str, Callable[[Node], Condition | None]] = {
    "subject": lambda node: _matched("subject", node, _plain_text),
    "helo": lambda node: _matched("helo", node, _plain_text),
    "header": _header,
    "dmarc_policy": lambda node: _worded("dmarc_policy", node, POLICY_WORDS),
    "source_ip": _network,
    "recipients": _recipients,
    "time": _time,
}
