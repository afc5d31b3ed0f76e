"""Reads header text as RFC 5322 and RFC 2047 mean it, whatever a stranger put there.

Thin and total: bad encodings yield the raw text, never an exception. Nothing here decides anything.
"""

import binascii
import email.utils
import encodings
import pkgutil
import re
import unicodedata
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
_WORD = re.compile(r"=\?([^?]*)\?([bqBQ])\?(.*?)\?=")
_QUOTED = re.compile(rb"=([0-9A-Fa-f]{2})")
_NO_CHARSETS = {"idna", "punycode", "raw_unicode_escape", "unicode_escape", "undefined"}
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
    return "".join(
        piece if isinstance(piece, str) else _decode_bytes(*piece) for piece in _pieces(value)
    )


def _pieces(value: str) -> list[str | tuple[bytes, str]]:
    """Plain text, and the bytes of neighbouring encoded words with their charset.

    A character may be split over two words. The `email` package's `decode_header` would turn plain
    text beyond Latin-1 into backslashes.
    """
    pieces: list[str | tuple[bytes, str]] = []
    end = 0
    for word in _WORD.finditer(value):
        between, end = value[end : word.start()], word.end()
        if between and not (between.isspace() and pieces and not isinstance(pieces[-1], str)):
            pieces.append(between)
        data, charset = _word_bytes(word), word[1].lower()
        last = pieces[-1] if pieces else ""
        if data is None:
            pieces.append(word[0])
        elif isinstance(last, tuple) and last[1] == charset:
            pieces[-1] = (last[0] + data, charset)
        else:
            pieces.append((data, charset))
    return [*pieces, value[end:]]


def _word_bytes(word: re.Match[str]) -> bytes | None:
    """What an encoded word encodes; None when it is broken."""
    text = word[3]
    raw = (
        text.encode("utf-8", "replace")
        if max(text, default="") > "\xff"
        else text.encode("latin-1")
    )
    if word[2] in "qQ":
        return _QUOTED.sub(lambda match: bytes.fromhex(match[1].decode()), raw.replace(b"_", b" "))
    try:
        return binascii.a2b_base64(raw + b"==")  # padding is often forgotten
    except binascii.Error:
        return None


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
