"""Decodes the body of a part in small pieces (RFC 2045 section 6), so that memory stays flat."""

import re
from binascii import a2b_base64, a2b_qp
from collections.abc import Iterator

_PIECE = 65_536
_ENCODED = ("base64", "quoted-printable")
_PADDING = b"="
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64 + _PADDING))
_NO_TEXT = _NOT_BASE64 + _PADDING
_GROUP = 4  # characters of base64 that are three bytes
_FEWEST = 2  # characters of a group that padding may follow
_MOST_MISPLACED = 100  # equals signs in a piece that end no group
_PLAIN = re.compile(r"|binary|[678](?:-?bits?)?")  # as programs write them


class DecodedBody:
    """The decoded bytes between two places of a mail, in pieces.

    An unknown encoding leaves bytes as they are. `whole` is False if programs may read something
    else: for such an encoding, and as soon as the pieces have come to text behind the padding that
    ends base64, which some programs decode as well.
    """

    def __init__(self, raw: bytes, start: int, end: int, encoding: str) -> None:
        self._raw = raw
        self._places = range(start, end, _PIECE)
        self._end = end
        self._encoding = encoding
        self.known = encoding in _ENCODED or bool(_PLAIN.fullmatch(encoding))
        self.whole = self.known

    def __iter__(self) -> Iterator[bytes]:
        pieces = (self._raw[place : min(place + _PIECE, self._end)] for place in self._places)
        match self._encoding:
            case "base64":
                return self._base64(pieces)
            case "quoted-printable":
                return _quoted_printable(pieces)
            case _:
                return pieces

    def _base64(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        rest = b""
        for piece in pieces:
            signs = rest + piece.translate(None, _NOT_BASE64)
            signs, behind = _before_padding(signs)
            whole = len(signs) - len(signs) % _GROUP
            rest = signs[whole:]
            yield a2b_base64(signs[:whole])
            if behind is not None:
                self.whole = not (behind or any(each.translate(None, _NO_TEXT) for each in pieces))
                break
        if len(rest) > 1:
            yield a2b_base64(rest + _PADDING * (_GROUP - len(rest)))


def _before_padding(signs: bytes) -> tuple[bytes, bytes | None]:
    """Return the signs before the padding, and those behind it, or None without padding.

    An equals sign that can't end a group is left out.
    """
    place = signs.find(_PADDING)
    misplaced = 0
    while place >= 0 and (place - misplaced) % _GROUP < _FEWEST and misplaced < _MOST_MISPLACED:
        misplaced += 1
        place = signs.find(_PADDING, place + 1)
    before, behind = (signs, None) if place < 0 else (signs[:place], signs[place:])
    return before.translate(None, _PADDING), behind and behind.translate(None, _PADDING)


def _quoted_printable(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield decoded pieces that end with a line or, in a long line, before an escape."""
    rest = b""
    for piece in pieces:
        text = rest + piece
        whole = text.rfind(b"\n") + 1
        if not whole:
            sign = text.rfind(b"=", len(text) - 2)
            whole = sign if sign >= 0 else len(text)
        rest = text[whole:]
        yield a2b_qp(text[:whole])
    yield a2b_qp(rest)
