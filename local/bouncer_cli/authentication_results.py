"""Reads an Authentication-Results header (RFC 8601), as SES, Gmail and others write it.

Strangers choose much of its text: comments, quoted addresses, HELO. A result is read from the
beginning of its own part only, never from a comment or a quoted text. Time is linear.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

_COMMENT = r"\((?>(?:[^()\\]++|\\.|\((?>(?:[^()\\]++|\\.|\([^()]*+\))*)\))*)\)"
_PIECE = re.compile(
    rf"(?P<comment>{_COMMENT})"
    r"|(?P<unclosed>\(.*)"  # a comment to the end, whatever it looks like
    r'|(?P<quoted>"(?>(?:[^"\\]++|\\.)*)(?:"|\\?\Z))'
    r"|(?P<end>;)"
    r'|(?P<text>[^"(;]++|.)',
    re.DOTALL,
)
_LOOKS_LIKE_MORE = re.compile(r"[\s;=]")
# Servers write far less into one header; what is behind is not read.
_MOST_CHARACTERS = 16_384
_MOST_PARTS = 200
_RESULT = re.compile(r"\s*+(spf|dkim|dmarc)\s*+=\s*+(\w++)", re.IGNORECASE)
_POLICY = re.compile(r"\s*+p=(\w++)", re.IGNORECASE)
_WORDS = {
    "pass": "PASS",
    "fail": "FAIL",
    "temperror": "PROCESSING_FAILED",
    "permerror": "PROCESSING_FAILED",
}


class Part(NamedTuple):
    """The text between two semicolons of a structured header, and the comments in it."""

    text: str
    comments: Sequence[str] = ()


def parts(value: str) -> list[Part]:
    """Split a structured header value at its semicolons, but not within comments and quotes."""
    value = value[:_MOST_CHARACTERS]
    if '"' not in value and "(" not in value:
        return [Part(text) for text in value.split(";", _MOST_PARTS)[:_MOST_PARTS]]
    texts: list[list[str]] = [[]]
    comments: list[list[str]] = [[]]
    for piece in _PIECE.finditer(value):
        match piece.lastgroup:
            case "end" if len(texts) == _MOST_PARTS:
                break
            case "end":
                texts.append([])
                comments.append([])
            case "comment" | "unclosed":
                comments[-1].append(piece[0][1:])
                texts[-1].append(" ")
            case "quoted":
                texts[-1].append(_unquoted(piece[0].strip('"')))
            case _:
                texts[-1].append(piece[0])
    return [Part("".join(text), told) for text, told in zip(texts, comments, strict=True)]


def _unquoted(text: str) -> str:
    """Return a quoted text; a quote in place of one that could be taken for more than a word."""
    return '"' if _LOOKS_LIKE_MORE.search(text) else text


def verdicts(value: str, server: str) -> dict[str, str] | None:
    """Return the results in SES's words, or None if another server than `server` wrote them.

    `dmarc_policy` is among them if DMARC failed, as in SES's events. The server's own result comes
    first; of several DKIM signatures one good one is enough.
    """
    name, *results = parts(value)
    if name.text.lower().split()[:1] != [server]:
        return None
    found: dict[str, str] = {}
    for part in results:
        result = _RESULT.match(part.text)
        if result is None:
            continue
        method, word = result[1].lower(), _WORDS.get(result[2].lower(), "GRAY")
        if method == "dmarc" and word == "FAIL" and method not in found:
            found |= _policy(part.comments)
        if method == "dkim" and word == "PASS":
            found[method] = word
        found.setdefault(method, word)
    return found


def _policy(comments: Sequence[str]) -> dict[str, str]:
    found = next(filter(None, map(_POLICY.match, comments)), None)
    return {"dmarc_policy": found[1].lower()} if found else {}


def given(value: str, *names: str) -> list[str]:
    """Return the values that a structured header gives to these names, such as `envelope-from`."""
    words = [word for part in parts(value) for word in part.text.split()]
    pairs = [word.partition("=") for word in words]
    return [text for name, _, text in pairs if text and name.lower() in names]
