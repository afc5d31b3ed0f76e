"""Reads what addresses, domains, texts and headers are compared with."""

import re
from collections.abc import Callable

import re2

from bouncer.mail.comparable import comparable, comparable_part
from bouncer.mail.text import printable
from bouncer.rules.condition import (
    HEADER,
    All,
    Condition,
    Leaf,
    Matcher,
    Not,
    Present,
    Text,
)
from bouncer.rules.document import Node, show
from bouncer.rules.domain_parts import doubt_part, unknown_part
from bouncer.rules.doubts import doubt_pattern
from bouncer.rules.fields import FIELDS, Field
from bouncer.rules.matcher_reader import IN, any_of, in_lists, joined, read_matchers
from bouncer.rules.name_limits import unknown_address, unknown_domain, unknown_recipient
from bouncer.rules.pattern_weight import HEAVIEST, check, weight

_MAPPED = (Matcher.CONTAINS, Matcher.STARTS_WITH, Matcher.ENDS_WITH, Matcher.REGEX)
_KEYS = (*map(str, _MAPPED), IN)
_NAME_KEYS = (*_KEYS, str(Matcher.WITHIN))
_VISIBLE = "text with a character that can be seen"
_BARE_DOMAIN = r"\.?[^\s.@*?<>,;\"']{1,63}(?:\.[^\s.@*?<>,;\"']{1,63})+"
_HEADER_NAME = re.compile(r"[!-9;-~]+")  # RFC 5322 section 3.6.8


def read_addresses(field: Field, node: Node) -> Condition | None:
    """Read what an address field is compared with."""
    return _read(field.name, node, lambda item: _address(field, item), _NAME_KEYS)


def read_domains(field: Field, node: Node) -> Condition | None:
    """Read what a domain field is compared with."""
    return _read(field.name, node, lambda item: _domain(field.name, item), _NAME_KEYS)


def read_texts(field: Field, node: Node) -> Condition | None:
    """Read what a text field is compared with."""
    return _read(field.name, node, lambda item: _plain_text(field.name, item))


def read_headers(_: Field, node: Node) -> Condition | None:
    """Read a mapping of header names to what each is compared with, or true or false."""
    parts: list[Condition | None] = []
    for name, child in node.entries("a mapping of header names to matchers").items():
        if not _HEADER_NAME.fullmatch(name):
            child.fault("a header name without spaces or colon", found=show(name))
            parts.append(None)
        elif isinstance(child.value, bool):
            present = Present(name.lower())
            parts.append(present if child.value else Not(present))
        else:
            parts.append(_header(HEADER + name.lower(), child))
    if not parts and node.value == {}:
        node.fault("at least one header name")
    return joined(All, parts)


def _header(label: str, node: Node) -> Condition | None:
    return _read(label, node, lambda item: _plain_text(label, item))


def _read(
    label: str,
    node: Node,
    plain: Callable[[Node], Leaf | None],
    keys: tuple[str, ...] = _KEYS,
) -> Condition | None:
    def keyed(key: str, value: Node) -> Condition | None:
        if key == IN:
            return in_lists(label, value)
        if key == Matcher.WITHIN:
            return any_of(value, lambda item: _within(label, item))
        return any_of(value, lambda item: _text(label, Matcher(key), item))

    return read_matchers(node, plain, keys, keyed)


def _within(label: str, node: Node) -> Leaf | None:
    expected = "a domain such as example.com, which stands for its subdomains too"
    domain = node.text(expected)
    if domain is None:
        return None
    if not re.fullmatch(r"[^\s@*?.]+(?:\.[^\s@*?.]+)*\.?", domain) or not comparable(domain):
        node.fault(expected)
        return None
    if unknown := unknown_domain(domain):
        node.fault(unknown)
        return None
    return Text(label, Matcher.WITHIN, domain.rstrip("."))


def _text(label: str, matcher: Matcher, node: Node) -> Leaf | None:
    pattern = node.text("text (in quotes)")
    if pattern is None:
        return None
    if not pattern:
        node.fault("text that is not empty")
        return None
    if matcher is not Matcher.REGEX and not comparable_part(pattern):
        node.fault(_VISIBLE)
        return None
    if matcher is Matcher.REGEX and not _valid_regex(node, pattern):
        return None
    if (field := FIELDS.get(label)) and not _known_part(field, matcher, node, pattern):
        return None
    doubt_pattern(node, matcher, pattern)
    return Text(label, matcher, pattern)


def _known_part(field: Field, matcher: Matcher, node: Node, part: str) -> bool:
    """Refuse a part that no value of the field can have, and warn about one that few can."""
    unknown = unknown_part(field, matcher, part)
    if field.name == "recipient" and matcher is not Matcher.REGEX:
        unknown = unknown_recipient(part, whole=False) or unknown
    if unknown:
        node.fault(unknown)
        return False
    doubt_part(node, field, matcher, part)
    return True


def _valid_regex(node: Node, pattern: str) -> bool:
    try:
        check(pattern)
    except (re2.error, UnicodeEncodeError) as error:
        detail = error.args[0] if error.args else error
        reason = detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
        reason = printable(reason, 100)
        expected = "an RE2 pattern (no look-around, no back-references)"
        node.fault(expected, found=f"{show(pattern)} (RE2 says {show(reason)})")
        return False
    if (steps := weight(pattern)) > HEAVIEST:
        node.fault(
            f"at most {HEAVIEST} steps of counted repetitions (write + for {{1,50}})",
            found=f"{show(pattern)} with {steps}",
        )
        return False
    return True


def _plain_text(label: str, node: Node) -> Leaf | None:
    pattern = node.text("text (in quotes)")
    if pattern and not comparable(pattern):  # it would be compared like ""
        node.fault(_VISIBLE)
        return None
    if pattern is None:
        return None
    if field := FIELDS.get(label):
        doubt_part(node, field, Matcher.EQUALS, pattern)
    return _plain(label, node, pattern)


def _plain(label: str, node: Node, pattern: str) -> Text:
    matcher = Matcher.PATTERN if "*" in pattern or "?" in pattern else Matcher.EQUALS
    if pattern:
        doubt_pattern(node, matcher, pattern)
    return Text(label, matcher, pattern)


def _address(field: Field, node: Node) -> Leaf | None:
    expected = "an address such as ann@example.com, or a pattern such as *@example.com"
    if field.may_be_empty:
        expected += ', or "" for the null sender'
    pattern = node.text(expected)
    if pattern is None:
        return None
    if pattern == "" and field.may_be_empty:
        return Text(field.name, Matcher.EQUALS, "")
    if not re.search(r"[@*?]", pattern) or re.search(r"[\s<>,;]", pattern):
        node.fault(_instead_of_a_domain(field, pattern) or expected)
        return None
    if pattern.startswith("@") and pattern != "@":
        pattern = f"*{pattern}"
        node.doubt(f"{show(pattern)}, as which this is taken: everybody there")
    unknown = unknown_address(pattern)
    if unknown is None and field.recipient_values is not None:
        unknown = unknown_recipient(pattern, whole=not re.search(r"[*?]", pattern)) or unknown_part(
            field, Matcher.PATTERN, pattern
        )
    if unknown:
        node.fault(unknown)
        return None
    return _plain(field.name, node, pattern)


def _instead_of_a_domain(field: Field, pattern: str) -> str | None:
    """Return how to write a bare domain where an address is expected; None for anything else."""
    if not re.fullmatch(_BARE_DOMAIN, pattern):
        return None
    everybody = show(f"*@*{pattern}" if pattern.startswith(".") else f"*@{pattern}")
    sibling = f"{field.name}_domain"
    return f"{sibling}: {show(pattern)}, or {everybody}" if sibling in FIELDS else everybody


def _domain(label: str, node: Node) -> Leaf | None:
    expected = "a domain such as example.com, or .example.com for its subdomains"
    pattern = node.text(expected)
    if pattern is None:
        return None
    if not re.fullmatch(r"[^\s@]+", pattern) or not pattern.strip("."):
        node.fault(expected)
        return None
    unknown = unknown_domain(pattern)
    if unknown:
        node.fault(unknown)
        return None
    if pattern.startswith(".") and re.search(r"[*?]", pattern):
        node.fault("a domain with a wildcard or with a leading dot, not both")
        return None
    if pattern.startswith("."):
        return Text(label, Matcher.SUBDOMAIN, pattern[1:].rstrip("."))
    return _plain(label, node, pattern.rstrip("."))
