"""Explains why a text is not YAML, to people who have never read the grammar of YAML.

PyYAML and libyaml report where they stopped, rarely what was meant. The usual slips are recognised
by the character at fault, the text before it on its line, and the parser's words.
"""

import re
from dataclasses import dataclass

import yaml

from bouncer.mail.text import escaped

# All characters YAML does not allow (YAML 1.2 section 5.1), lone surrogates included. Compiled only
# when it is needed: compiling it takes longer than the rest of this module at a cold start.
_FORBIDDEN = (
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\ufeff\U00010000-\U0010ffff]"
)
_OPENED = re.compile("flow (sequence|mapping)|quoted scalar")
_STARTED = re.compile("alias|anchor|block scalar|simple key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """The fault in a text: its line, from 1, what was found there and what was expected."""

    line: int | None
    found: str
    expected: str


# The parser's words, the text before the fault on its line; found, expected. The first match wins.
_USUAL = tuple(
    (re.compile(says), before, found, expected)
    for says, before, found, expected in (
        ("single document", None, "a second document after ---", "one document"),
        ("tab character|'.t' that cannot start", None, "a tab", "spaces"),
        (
            "unknown escape",
            None,
            "a backslash in double quotes",
            "single quotes around a text with backslashes",
        ),
        (
            "invalid Unicode character escape",
            None,
            r"an escape that is not a character, such as \ud83d",
            "the character itself",
        ),
        ("quoted scalar", None, "a quote that is never closed", "a closing quote"),
        (
            "undefined alias|scanning an? (alias|anchor|block scalar)|cannot start any token",
            None,
            "a text that starts with {char}",
            "quotes around it",
        ),
        (
            "flow sequence",
            None,
            "a [ that is never closed",
            "a list such as [one, two]; put text with brackets or colons in quotes",
        ),
        (
            "flow mapping",
            None,
            "a { that is never closed",
            "a mapping such as {key: value}; put text with braces or colons in quotes",
        ),
        ("values are not allowed", "key", 'text that contains ": "', "it in quotes"),
        (
            "values are not allowed|block (mapping|collection)",
            "blank",
            "a line whose indentation differs from the lines before it",
            "keys of one mapping in the same column",
        ),
        ("block mapping", None, "more text after a closing quote or brace", "quotes around it all"),
        (
            "(flow|block) node",
            None,
            "{char} where a value belongs",
            "a value, in quotes if need be",
        ),
        ("simple key", None, "a line without a colon", "key: value"),
    )
)


def of_parser(error: yaml.MarkedYAMLError, text: str) -> Slip:
    """Return the slip that stopped the parser in `text`."""
    context = error.context or ""
    mark = error.problem_mark or error.context_mark
    if _OPENED.search(context) or _STARTED.search(
        context
    ):  # the place where it began is the useful one
        mark = error.context_mark or mark
    if mark is None:
        return Slip(line=None, found="invalid YAML", expected="YAML")
    written = (text.splitlines()[mark.line : mark.line + 1] or [""])[0]
    char = written[mark.column : mark.column + 1]
    says = f"{context}: {error.problem}" + (" tab character" if char == "\t" else "")
    before = _before(written[: mark.column])
    for words, place, found, expected in _USUAL:
        if words.search(says) and place in (None, before):
            shown = found.replace("{char}", escaped(char))
            return Slip(line=mark.line + 1, found=shown, expected=expected)
    return Slip(line=mark.line + 1, found=f"invalid YAML ({error.problem})", expected="YAML")


def _before(text: str) -> str:
    if ": " in text:
        return "key"
    return "text" if re.search(r"[^\s\w.-]", text) else "blank"


def of_characters(text: str) -> Slip:
    """Return the first character of `text` that YAML does not allow."""
    match = re.search(_FORBIDDEN, text)
    if match is None:
        return Slip(line=None, found="characters that are not text", expected="text")
    line = text.count("\n", 0, match.start()) + 1
    return Slip(line=line, found=f"the character U+{ord(match[0]):04X}", expected="text")
