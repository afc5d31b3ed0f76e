"""Returns the text in HTML roughly as a reader sees it, without tags, comments and styles."""

import re
from collections.abc import Iterator
from html import unescape

# Each is linear: a match that fails stops at the next sign that could begin another one.
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)?[^<>]*>")
_INLINE = {
    *("a", "abbr", "b", "bdo", "big", "code", "em", "font", "i", "ins", "mark", "q", "s", "small"),
    *("span", "strong", "sub", "sup", "tt", "u", "wbr"),
}
_HIDDEN = re.compile(r"<(?:(!--)|(style|script|title)\b)", re.IGNORECASE)
_END_OF = {
    "!--": re.compile("-->"),
    **{name: re.compile(rf"</{name}\b", re.IGNORECASE) for name in ("style", "script", "title")},
}


def html_text(html: str) -> str:
    """Return the text of HTML; words that a tag parts stay parted, unless it is an inline tag."""
    return unescape(_TAG.sub(_blank, "".join(_shown(html))))


def _blank(tag: re.Match[str]) -> str:
    return "" if (tag[2] or "").lower() in _INLINE else " "


def _shown(html: str) -> Iterator[str]:
    """Yield what is not a comment, style or script; one that is never closed ends the text."""
    place = 0
    while hidden := _HIDDEN.search(html, place):
        yield html[place : hidden.start()]
        end = _END_OF[hidden[1] or hidden[2].lower()].search(html, hidden.end())
        if end is None:
            return
        place = end.end() if hidden[1] else end.start()
    yield html[place:]
