"""Decodes header values (RFC 5322, RFC 2047), whatever a stranger put there.

Bad encodings yield the raw text, never an exception. Nothing here decides anything.
"""

import re
from email.errors import HeaderParseError
from email.header import decode_header

from bouncer.mail.charset import decode

_FOLD = re.compile(r"(?:\r\n?|\n)[ \t]*")
_WORD = r"=\?[^?]*\?[bqBQ]\?.*?\?="
_WORDS = re.compile(rf"{_WORD}(?:\s+{_WORD})*")


def unfold(value: str) -> str:
    """Return a header value on one line (RFC 5322 section 2.2.3)."""
    if "\n" in value or "\r" in value:
        value = _FOLD.sub(" ", value)
    return value.strip()


def decode_words(value: str) -> str:
    """Decode the encoded words (RFC 2047) in a text; undecodable ones stay as they are."""
    if "=?" not in value:
        return value
    end = value.rfind("?=") + 2  # no word ends behind it: a search there would take long
    return _WORDS.sub(lambda words: _decode_words(words[0]), value[:end]) + value[end:]


def _decode_words(words: str) -> str:
    """Decode neighbouring encoded words together: a character may be split over two of them.

    The library is given only encoded words: it turns other text beyond Latin-1 into backslashes.
    """
    try:
        parts = decode_header(words)
    except (HeaderParseError, ValueError):
        return words
    return "".join(
        # RFC 2231 section 5: a language may follow the charset
        part if isinstance(part, str) else decode(part, (charset or "").partition("*")[0])
        for part, charset in parts
    )
