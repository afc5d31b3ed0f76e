"""Brings the patterns of rules into the form in which values are compared.

A value of a field and the pattern of a rule go through the same steps (mail/comparable.py,
mail/a_label.py); a pattern may be only a part of a value, and may have wildcards.
"""

import re
import unicodedata
from collections.abc import Callable

import re2

from bouncer.mail.a_label import a_labels
from bouncer.mail.comparable import GLUE, INVISIBLE, comparable, comparable_part, folded
from bouncer.mail.text import well_formed
from bouncer.rules.condition import Matcher, Text
from bouncer.rules.fields import Kind

_WHOLE = (Matcher.EQUALS, Matcher.PATTERN, Matcher.SUBDOMAIN, Matcher.WITHIN)
_BLANK_BEYOND_ASCII = re.compile(r"[^\S\x00-\x7f]")
_AFTER_WILDCARD = re.compile(r"(?s)(.*[*?][^.]*)(.*)")

# One letter, which folding may have turned into several characters, and any characters, which may
# begin and end within a letter unless a `?` stands beside them.
_LETTER = f"[^{GLUE}](?:{GLUE}[^{GLUE}])*"
_ANY = {
    (False, False): ".*",
    (True, False): f"(?:[^{GLUE}].*)?",
    (False, True): f"(?:.*[^{GLUE}])?",
    (True, True): f"(?:[^{GLUE}](?:.*[^{GLUE}])?)?",
}


def value_form(kind: Kind) -> Callable[[str], str]:
    """Return the function that brings values of a kind of field into comparable form.

    Addresses and domains in ASCII need none.
    """
    match kind:
        case Kind.ADDRESS:
            return _address
        case Kind.DOMAIN:
            return lambda value: a_labels(comparable(value))
        case _:
            return comparable


def _address(value: str) -> str:
    local, at, host = value.rpartition("@")
    return comparable(local) + at + a_labels(comparable(host)) if at else comparable(value)


def pattern_form(kind: Kind, leaf: Text) -> str:
    """Return the pattern of a leaf as values of its field are compared; a regex keeps its case."""
    if leaf.matcher is Matcher.REGEX:
        return _regex(leaf.pattern)
    written = comparable(leaf.pattern) if leaf.matcher in _WHOLE else comparable_part(leaf.pattern)
    if not written.isascii() and kind in (Kind.ADDRESS, Kind.DOMAIN):
        of_domain = kind is Kind.DOMAIN or leaf.matcher is Matcher.WITHIN
        local, host = ("", written) if of_domain else domain_part(leaf.matcher, written)
        written = local + a_labels(host)
    return folded(written)


def _regex(pattern: str) -> str:
    """Return a regex that can match comparable text; what it has in ASCII is left alone."""
    if pattern.isascii():
        return pattern
    visible = _BLANK_BEYOND_ASCII.sub(" ", re.sub(INVISIBLE, "", pattern))
    return unicodedata.normalize("NFC", visible)


def domain_part(matcher: Matcher, pattern: str) -> tuple[str, str]:
    """Return a pattern of an address in two parts, the second of which is surely of its domain."""
    local, at, host = pattern.rpartition("@")
    if at:
        return local + at, host
    if matcher is Matcher.ENDS_WITH or pattern.startswith("."):
        return "", pattern
    tail = _AFTER_WILDCARD.fullmatch(pattern) if matcher is Matcher.PATTERN else None
    return (tail[1], tail[2]) if tail else (pattern, "")


def pattern_source(matcher: Matcher, form: str) -> str:
    """Return the RE2 pattern for a form that is neither exact nor a regex, for folded values."""
    literal: str = re2.escape(well_formed(form))
    match matcher:
        case Matcher.CONTAINS:
            return literal
        case Matcher.STARTS_WITH:
            return rf"\A{literal}"
        case Matcher.ENDS_WITH:
            return rf"{literal}\z"
        case _:
            wild = literal.replace(r"\*", ".*").replace(r"\?", ".")
            return rf"(?s)\A{wild}\z"


def letter_source(form: str) -> str:
    """Return the RE2 pattern for a form with `?`, for the letters of a value (`letters`)."""
    signs = re.sub(r"\*+", "*", well_formed(form))
    source = [r"(?s)\A"]
    for before, sign, after in zip(("", *signs), signs, (*signs[1:], ""), strict=False):
        if sign == "?":
            source.append(_LETTER)
        elif sign == "*":
            source.append(_ANY[before == "?", after == "?"])
        else:  # a letter of the value may have this character and the one before it
            inside = before not in ("", "?", "*")
            source.append(f"{GLUE}?" * inside + re2.escape(sign))
    return "".join([*source, r"\z"])
