"""Reads header text as RFC 5322 and RFC 2047 mean it, whatever a stranger put there.

Thin, total wrappers around the standard library's `email`: bad encodings yield the raw text, never an
exception. Nothing here decides anything.
"""

import email.utils
import re
import unicodedata
from email.errors import HeaderParseError
from email.header import decode_header
from functools import partial

# Newer Pythons return nothing at all for a list with one malformed address unless asked not to.
_getaddresses = (
    partial(email.utils.getaddresses, strict=False)
    if getattr(email.utils, "supports_strict_parsing", False)
    else email.utils.getaddresses
)

_FOLD = re.compile(r"\r?\n[ \t]*|\r")
# What Unicode does not take apart but every typist does.
_ASCII_FORMS = str.maketrans(
    {
        "\u00df": "ss",
        "\u00e6": "ae",
        "\u00c6": "AE",
        "\u00f8": "o",
        "\u00d8": "O",
        "\u0142": "l",
        "\u0141": "L",
        "\u2018": "'",
        "\u2019": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u201e": '"',
        "\u2013": "-",
        "\u2014": "-",
    }
)
_SURROGATES = re.compile("[\ud800-\udfff]")


def unfold(value: str) -> str:
    """A header value on one line (RFC 5322 section 2.2.3)."""
    if "\n" in value or "\r" in value:
        value = _FOLD.sub(" ", value)
    return value.strip()


def decode_words(value: str) -> str:
    """The text with its encoded words (RFC 2047) decoded; what can't be decoded stays as it is."""
    if "=?" not in value:
        return value
    try:
        parts = decode_header(value)
    except (HeaderParseError, ValueError):
        return value
    return "".join(_decode_part(data, charset) for data, charset in parts)


def _decode_part(data: bytes | str, charset: str | None) -> str:
    if isinstance(data, str):
        return data
    try:
        return data.decode(charset or "ascii", "replace")
    except (LookupError, ValueError):  # an unknown charset, or a name with a NUL in it
        return data.decode("latin-1")


def addresses(values: tuple[str, ...]) -> tuple[str, ...]:
    """The addresses in header values, without names and comments; what is no address is left out."""
    if not values:
        return ()
    try:
        found = _getaddresses(values)
    except (
        ValueError,
        IndexError,
        TypeError,
        RecursionError,
    ):  # the parser gave up on hostile text
        return ()
    return tuple(address for _, address in found if "@" in address)


def domain(address: str) -> str:
    """The domain of an address in lower case, without a final dot; "" when there is none."""
    return address.rpartition("@")[2].rstrip(".").lower() if "@" in address else ""


def local_part(address: str) -> str:
    """What stands before the last @, in lower case."""
    return address.rpartition("@")[0].lower()


def without_tag(address: str) -> str:
    """The address without its plus tag: `ann+news@example.com` is `ann@example.com`."""
    local, at, host = address.rpartition("@")
    return f"{local.partition('+')[0]}{at}{host}" if "+" in local else address


def well_formed(text: str) -> str:
    """The text with lone surrogates replaced, so that it can be encoded as UTF-8."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def printable(text: str, limit: int) -> str:
    """The text fit to be shown outside: one line, no control, format or bidi characters, cut."""
    kept = "".join(
        " " if char.isspace() else char
        for char in text[: limit * 4]
        if char.isspace() or unicodedata.category(char)[0] not in "CZ" or char == "\ufffd"
    )
    line = " ".join(kept.split())
    return line if len(line) <= limit else line[: limit - 3].rstrip() + "..."


def ascii_text(text: str) -> str:
    """The text in ASCII: accents dropped, what has no ASCII form as `?`."""
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFKD", text.translate(_ASCII_FORMS))
    bare = "".join(char for char in plain if not unicodedata.combining(char))
    return bare.encode("ascii", "replace").decode("ascii")
