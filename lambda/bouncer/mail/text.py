"""Cleans text from mail, which may hold any character, so that it can be encoded and shown."""

import re
import unicodedata

_SURROGATES = re.compile("[\ud800-\udfff]")

# Characters that Unicode calls printable although nothing is seen of them: joiners, fillers of
# Hangul, inherent vowels of Khmer, the empty braille pattern, variation selectors.
_UNSEEN = (  # compiled when it is first needed
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
_SHORT_ESCAPES = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}


def well_formed(text: str) -> str:
    """Replace lone surrogates, so that the text can be encoded as UTF-8."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def escaped(text: str) -> str:
    r"""Return one line in which every character that cannot be seen is an escape such as \u202e.

    Escaped are control, format and bidi characters, lone surrogates, all blanks but the space, and
    what is private or not assigned. Up to U+FFFF the escapes are those of JSON. A text that has
    been escaped stays as it is.
    """
    if text.isprintable() and (text.isascii() or not re.search(_UNSEEN, text)):
        return text
    return "".join(
        char if char.isprintable() and not re.match(_UNSEEN, char) else _escape(char)
        for char in text
    )


def _escape(char: str) -> str:
    code = ord(char)
    return _SHORT_ESCAPES.get(char) or (f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}")  # noqa: PLR2004  # the last of four digits


def shown(text: str, limit: int) -> str:
    """Return at most `limit` characters of a text for people, escaped; a cut text says so."""
    line = escaped(text[: limit + 1])
    return line if len(line) <= limit else line[: limit - 3] + "..."


def printable(text: str, limit: int) -> str:
    """Return one line of at most `limit` visible characters: no control, format or bidi ones."""
    head = text[: limit * 4]
    kept = head if head.isascii() and head.isprintable() else _without_controls(head)
    line = " ".join(kept.split())
    return line if len(line) <= limit else line[: limit - 3].rstrip() + "..."


def _without_controls(text: str) -> str:
    return "".join(
        " " if char.isspace() else char
        for char in text
        if char.isspace() or unicodedata.category(char)[0] not in "CZ" or char == "\ufffd"
    )
