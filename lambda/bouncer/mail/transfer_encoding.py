"""Decodes the body of a part in small pieces (RFC 2045 section 6), so that memory stays flat."""

from binascii import a2b_base64, a2b_qp
from collections.abc import Iterator

_PIECE = 65_536
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64))
_GROUP = 4  # characters of base64 that are three bytes


def decoded(raw: bytes, start: int, end: int, encoding: str) -> Iterator[bytes]:
    """Yield the decoded bytes between two places; an unknown encoding leaves them as they are."""
    pieces = (raw[place : min(place + _PIECE, end)] for place in range(start, end, _PIECE))
    match encoding:
        case "base64":
            return _base64(pieces)
        case "quoted-printable":
            return _quoted_printable(pieces)
        case _:
            return pieces


def _base64(pieces: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        signs = rest + piece.translate(None, _NOT_BASE64)
        whole = len(signs) - len(signs) % _GROUP
        rest = signs[whole:]
        yield a2b_base64(signs[:whole])
    if len(rest) > 1:
        yield a2b_base64(rest + b"=" * (_GROUP - len(rest)))


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
