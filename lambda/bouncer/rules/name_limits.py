"""Finds addresses and domains in a rule that no mail can have, so that the rule is refused.

Domains are compared in the form they have on the wire (RFC 5890): each label as a whole becomes an
`xn--` label. A recipient is what SES names in its event and takes in SendBounce: ASCII, within the
limits of SMTP.
"""

import re
import unicodedata

from bouncer.rules.document import show

_LONGEST_LABEL = 63  # RFC 1035 section 2.3.4
_LONGEST_LOCAL_PART = 64  # RFC 5321 section 4.5.3.1
_LONGEST_ADDRESS = 254
_DOTS = "[.\u3002\uff0e\uff61]"
_UNSEEN = "[\u00ad\u200b-\u200d\u2060\ufeff]"
_CUT_LABEL = "labels beyond ASCII without * or ? (their xn-- form is compared)"
_NO_LABEL = "an international domain that has an xn-- form"


def unknown_domain(domain: str) -> str | None:
    """Return the expected form if an international domain has none in ASCII; None if it has."""
    if domain.isascii():
        return None
    for label in re.split(_DOTS, domain):
        if not label.isascii() and re.search(r"[*?]", label):
            return _CUT_LABEL
        if not label.isascii() and not _is_convertible(label):
            return _NO_LABEL
    return None


def _is_convertible(label: str) -> bool:
    mapped = unicodedata.normalize("NFKC", re.sub(_UNSEEN, "", label).casefold())
    if mapped.startswith("xn--") and not mapped.isascii():  # half in one form, half in the other
        return False
    for char in mapped:
        allowed = char.isalnum() or char in "-_" if char.isascii() else _is_visible(char)
        if not allowed:
            return False
    size = len(label) if len(label) > _LONGEST_LABEL else len(mapped.encode("punycode")) + 4
    return bool(mapped) and size <= _LONGEST_LABEL


def _is_visible(char: str) -> bool:
    return unicodedata.category(char)[0] not in "CZ"


def unknown_address(pattern: str) -> str | None:
    """Return the expected form of an address or pattern that no mail can have; else None."""
    local, at, host = pattern.rpartition("@")
    if at and not host:
        return "a domain after the @, or * for any"
    if at and host.startswith("."):
        return f"{show(f'{local}@*{host}')} for the subdomains"
    return unknown_domain(host) if at else _unknown_tail(pattern)


def _unknown_tail(pattern: str) -> str | None:
    """Look at the end of a pattern without @, such as `*bücher.example`: it is a domain's."""
    tail = re.split(r"[*?]", pattern)[-1]
    first = re.split(_DOTS, tail)[0]
    return unknown_domain(tail) if first.isascii() else _CUT_LABEL


def unknown_recipient(part: str, *, whole: bool) -> str | None:
    """Return the expected form of a recipient that SES can't name; else None.

    `part` is what a matcher asks for; it is the `whole` address for a plain address.
    """
    local, at, _ = part.rpartition("@")
    if at and not local.isascii():
        return "ASCII before the @ (SES takes no other recipients)"
    if whole and (len(local) > _LONGEST_LOCAL_PART or len(part) > _LONGEST_ADDRESS):
        return (
            f"at most {_LONGEST_LOCAL_PART} characters before the @ and {_LONGEST_ADDRESS} in all"
        )
    return None
