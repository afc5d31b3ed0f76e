"""Brings texts into the form in which they are compared, on both sides of a comparison.

Texts that look alike are then equal: composed and decomposed letters (NFC, RFC 5198), no-break and
other blanks, and characters that nobody sees, such as a soft hyphen or a zero-width space. Text in
ASCII costs next to nothing.
"""

import re
import unicodedata

# Unicode's Default_Ignorable_Code_Point, the two noncharacters, and the controls that are not
# blanks. Written out, so that a decision does not change with Python's version of Unicode.
_CONTROLS = r"\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"
_IGNORED = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2060-\u206f\u202a-\u202e\u200b"
    r"\u200e\u200f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\ufffe\uffff"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_JOINERS = r"\u200c\u200d"  # a domain keeps them: they tell Persian and Indic names apart
# Large, and so compiled when they are first needed.
INVISIBLE_IN_DOMAINS = f"[{_CONTROLS}{_IGNORED}]"
INVISIBLE = f"[{_CONTROLS}{_IGNORED}{_JOINERS}]"

# Normalising sorts the marks behind a letter, in a time that grows with their square. Unicode lets
# a program assume at most 30 of them (UAX #15, Stream-Safe Text Format). These ranges have all
# marks, and leave out scripts that have long words without any; compiled when it is first needed.
_MOST_MARKS = 30
_LONG_STACK = (
    r"[\u0300-\u036f\u0483-\u0487\u0591-\u108d\u135d-\u135f\u1714-\u1dff\u20d0-\u20f0\u2cef-\u309a"
    r"\ua66f-\uabed\ufb1e\ufe20-\ufe2f\U000101fd-\U0001037a\U00010a0d-\U0001ffff]{31,}"
)
_TWO_MARKS = "\u0f73\u0f75\u0f81"  # characters that stand for marks, and are not called marks

# Stands between the characters of one letter that folding turned into several, such as `ss`.
GLUE = "\uffff"


def comparable(text: str) -> str:
    """Return a text in the form that regular expressions see: as it is written, but for the eye.

    Blanks of any kind and number are one blank; those at the ends are left out.
    """
    if text.isascii() and text.isprintable():
        return text.strip() if "  " not in text else " ".join(text.split())
    visible = stream_safe(re.sub(INVISIBLE, "", text))
    return unicodedata.normalize("NFC", " ".join(visible.split()))


def stream_safe(text: str) -> str:
    """Return a text in which no letter has more than 30 marks; what is more is left out."""
    return re.sub(_LONG_STACK, _cut, text)


def _cut(stack: re.Match[str]) -> str:
    kept = []
    marks = 0
    for char in stack[0]:
        marks = marks + 1 if unicodedata.combining(char) or char in _TWO_MARKS else 0
        if marks <= _MOST_MARKS:
            kept.append(char)
    return "".join(kept)


def comparable_part(text: str) -> str:
    """Return a part of a text in that form; a blank at one of its ends stays."""
    plain = text.isascii() and text.isprintable()
    visible = text if plain else re.sub(INVISIBLE, "", text)
    whole = comparable(visible)
    if not whole:
        return " " if visible else ""
    return " " * visible[0].isspace() + whole + " " * visible[-1].isspace()


def folded(text: str) -> str:
    """Return a comparable text without case: `straße` and `STRASSE` are the same."""
    if text.isascii():
        return text.lower()
    folds = unicodedata.normalize("NFD", text).casefold()
    return unicodedata.normalize("NFC", folds)


def letters(text: str) -> str:
    """Return a comparable text without case, its letters still told apart: `GLUE` joins `ss`."""
    glued = unicodedata.normalize("NFC", "".join(GLUE.join(folded(char)) for char in text))
    whole = folded(text)
    return glued if glued.replace(GLUE, "") == whole else whole
