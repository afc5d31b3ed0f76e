"""Warns about patterns that can be read, but hardly match as their writer meant.

A doubt never refuses a rule. What can never match at all is refused by the readers.
"""

import re

from bouncer.rules.condition import Matcher
from bouncer.rules.document import Node, show

_CURLY = "\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b"
_ANGLED = "\u00ab\u00bb\u2039\u203a"
_SLASHES = r"(?s)/(.+)/[gimsuxyAU]{0,4}"  # with the flags of other engines
_WRITTEN_WHOLE = (Matcher.EQUALS, Matcher.PATTERN, Matcher.REGEX)

_ESCAPE = r"(?s)\\(x\{[0-9A-Fa-f]+\}|.)"
# The classes of RE2 that know ASCII alone (RE2 syntax, "Perl character classes"), and what to
# write where letters of other scripts count.
_KNOWING_ALL = {
    "b": r"(^|[^\pL\pN]) before a word or ([^\pL\pN]|$) after it",
    "B": r"[\pL\pN]",
    "w": r"[\pL\pN_]",
    "W": r"[^\pL\pN_]",
    "d": r"\pN",
    "D": r"\PN",
    "s": r"[\s\pZ]",
    "S": r"[^\s\pZ]",
}


def doubt_pattern(node: Node, matcher: Matcher, pattern: str) -> None:
    """Warn about quotes, slashes and classes in a pattern that is not empty."""
    first, last = pattern[0], pattern[-1]
    if first in _CURLY or last in _CURLY or (first in _ANGLED and last in _ANGLED):
        node.doubt('straight quotes (") or none: these are compared as part of the text')
    slashes = first == "/" and matcher in _WRITTEN_WHOLE and re.fullmatch(_SLASHES, pattern)
    if slashes:
        _doubt_slashes(node, matcher, slashes[1])
    if matcher is Matcher.REGEX and "\\" in pattern:
        _doubt_classes(node, pattern)


def _doubt_slashes(node: Node, matcher: Matcher, inner: str) -> None:
    if matcher is Matcher.REGEX:
        node.doubt(f"{show(inner)}: slashes are part of a pattern, and case never matters")
    else:
        node.doubt(f"a mapping with regex: and {show(inner)}, as this is compared as plain text")


def _doubt_classes(node: Node, pattern: str) -> None:
    escapes = re.findall(_ESCAPE, pattern)
    letters = any(char.isalpha() and not char.isascii() for char in pattern)
    if not letters and not any(map(_is_beyond_ascii, escapes)):
        return
    for word in dict.fromkeys(escapes):
        if word in _KNOWING_ALL:
            found = rf"\{word} beside letters beyond ASCII in {show(pattern)}"
            node.doubt(f"{_KNOWING_ALL[word]} (\\{word} knows ASCII only)", found=found)


def _is_beyond_ascii(escape: str) -> bool:
    if escape.startswith("x{"):
        return int(escape[2:-1], 16) > 0x7F  # noqa: PLR2004  # the last character of ASCII
    return escape in ("p", "P")
