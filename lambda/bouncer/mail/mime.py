"""Reads header text as RFC 5322 and RFC 2047 mean it, whatever a stranger put there.

Thin and total: bad encodings yield the raw text, never an exception. Nothing here decides anything.
"""

import email.utils
import encodings
import pkgutil
import re
import unicodedata
from email.errors import HeaderParseError
from email.header import decode_header
from encodings.aliases import aliases
from functools import cache, partial

# Newer Pythons return nothing at all for a list with one malformed address unless asked not to.
_getaddresses = (
    partial(email.utils.getaddresses, strict=False)
    if getattr(email.utils, "supports_strict_parsing", False)
    else email.utils.getaddresses
)

_FOLD = re.compile(r"(?:\r\n?|\n)[ \t]*")
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
_WORD = r"=\?[^?]*\?[bqBQ]\?.*?\?="
_WORDS = re.compile(rf"{_WORD}(?:\s+{_WORD})*")
_NO_CHARSETS = {"idna", "punycode", "raw_unicode_escape", "unicode_escape", "undefined"}
_SURROGATES = re.compile("[\ud800-\udfff]")


def unfold(value: str) -> str:
    """A header value on one line (RFC 5322 section 2.2.3)."""
    if "\n" in value or "\r" in value:
        value = _FOLD.sub(" ", value)
    return value.strip()


def decode_words(value: str) -> str:
    """The text with its encoded words (RFC 2047) decoded; what can't be decoded stays as it is."""
    return _WORDS.sub(lambda words: _decode_words(words[0]), value) if "=?" in value else value


def _decode_words(words: str) -> str:
    """Decode neighbouring encoded words: a character may be split over two of them.

    The library gets nothing but these, as it turns plain text beyond Latin-1 into backslashes.
    """
    try:
        parts = decode_header(words)
    except (HeaderParseError, ValueError):
        return words
    return "".join(
        part if isinstance(part, str) else _decode_bytes(part, charset or "ascii")
        for part, charset in parts
    )


def _decode_bytes(data: bytes, charset: str) -> str:
    name = charset.partition("*")[0]  # RFC 2231 section 5: a language may follow
    try:
        if name.isascii() and encodings.normalize_encoding(name) in _charsets():
            return data.decode(name, "replace")
    except (LookupError, ValueError):  # known to Python, yet no charset, such as zlib
        pass
    return data.decode("latin-1")


@cache
def _charsets() -> frozenset[str]:
    """The names Python knows; it must not be asked for others, as it remembers each for ever."""
    modules = (module.name for module in pkgutil.iter_modules(encodings.__path__))
    return frozenset({*aliases, *aliases.values(), *modules}) - _NO_CHARSETS


def addresses(values: tuple[str, ...]) -> tuple[str, ...]:
    """The addresses in header values, without names and comments; what is none is left out."""
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


def ascii_text(text: str) -> str:
    """The text in ASCII: accents dropped, what has no ASCII form as `?`."""
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFKD", text.translate(_ASCII_FORMS))
    bare = "".join(char for char in plain if not unicodedata.combining(char))
    return bare.encode("ascii", "replace").decode("ascii")
