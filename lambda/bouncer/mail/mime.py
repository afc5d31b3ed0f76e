"""Decodes header values (RFC 5322, RFC 2047), whatever a stranger put there.

Bad encodings yield the raw text, never an exception. Nothing here decides anything.
"""

import encodings
import pkgutil
import re
from email.errors import HeaderParseError
from email.header import decode_header
from encodings.aliases import aliases
from functools import cache

_FOLD = re.compile(r"(?:\r\n?|\n)[ \t]*")
_WORD = r"=\?[^?]*\?[bqBQ]\?.*?\?="
_WORDS = re.compile(rf"{_WORD}(?:\s+{_WORD})*")
_NO_CHARSETS = {"idna", "punycode", "raw_unicode_escape", "unicode_escape", "undefined"}


def unfold(value: str) -> str:
    """Return a header value on one line (RFC 5322 section 2.2.3)."""
    if "\n" in value or "\r" in value:
        value = _FOLD.sub(" ", value)
    return value.strip()


def decode_words(value: str) -> str:
    """Decode the encoded words (RFC 2047) in a text; undecodable ones stay as they are."""
    return _WORDS.sub(lambda words: _decode_words(words[0]), value) if "=?" in value else value


def _decode_words(words: str) -> str:
    """Decode neighbouring encoded words together: a character may be split over two of them.

    The library is given only encoded words: it turns other text beyond Latin-1 into backslashes.
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
    except (LookupError, ValueError):  # a codec that is not a charset, such as zlib
        pass
    return data.decode("latin-1")


@cache
def _charsets() -> frozenset[str]:
    """Return the charset names Python knows; a look-up of any other name is cached for ever."""
    modules = (module.name for module in pkgutil.iter_modules(encodings.__path__))
    return frozenset({*aliases, *aliases.values(), *modules}) - _NO_CHARSETS
