"""Reads the MIME headers of a part: type, encoding, disposition, file name (RFC 2045, 2183, 2231).

A stranger wrote them. Every step is linear in the length of a value, and a value is cut.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from bouncer.mail.charset import decode
from bouncer.mail.mime import decode_words

_LONGEST_VALUE = 4096  # characters of a header's value
_MOST_PIECES = 100  # of a file name
# A quoted string that is never closed goes on to the end, so that no text is looked at twice.
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*+"?|[^";]++|;', re.DOTALL)
_QUOTED = re.compile(r"\\(.)", re.DOTALL)
_HEX = re.compile(rb"%([0-9A-Fa-f]{2})")

DEFAULT_TYPE = "text/plain"


class MimeHeader(NamedTuple):
    """The description of a part: `media_type` in lower case, `name` is "" for one without."""

    media_type: str = DEFAULT_TYPE
    boundary: str = ""
    charset: str = ""
    encoding: str = ""
    attached: bool = False
    name: str = ""
    has_id: bool = False


def read_mime_header(headers: Iterable[tuple[str, str]], default: str = DEFAULT_TYPE) -> MimeHeader:
    """Return the description in the headers of a part, whose type is `default` if they have none.

    Of a repeated header the first counts.
    """
    found: dict[str, str] = {}
    for name, value in headers:
        found.setdefault(name.lower(), value[:_LONGEST_VALUE])
    kind, parameters = _value(found.get("content-type", ""))
    disposition, more = _value(found.get("content-disposition", ""))
    return MimeHeader(
        media_type=kind if "/" in kind else default,
        boundary=parameters.get("boundary", ""),
        charset=parameters.get("charset", ""),
        encoding=_value(found.get("content-transfer-encoding", ""))[0],
        attached=disposition == "attachment",
        name=_text(more, "filename") or _text(parameters, "name"),
        has_id="content-id" in found,
    )


def _value(text: str) -> tuple[str, dict[str, str]]:
    """Return the word before the first semicolon in lower case, and the parameters behind it."""
    fields: list[list[str]] = [[]]
    for piece in _PIECE.findall(text):
        if piece == ";":
            fields.append([])
        else:
            fields[-1].append(piece)
    parameters: dict[str, str] = {}
    for field in fields[1:]:
        name, equals, value = "".join(field).partition("=")
        if equals:
            parameters.setdefault(name.strip().lower(), _unquoted(value.strip()))
    return "".join(fields[0]).strip().lower(), parameters


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    return _QUOTED.sub(r"\1", value[1:].removesuffix('"'))


def _text(parameters: Mapping[str, str], name: str) -> str:
    """Return a file name, in whichever way it is written: encoded, in pieces, or as it is."""
    if f"{name}*" in parameters:
        return _extended([(parameters[f"{name}*"], True)])
    pieces = []
    for number in range(_MOST_PIECES):
        encoded = parameters.get(f"{name}*{number}*")
        plain = parameters.get(f"{name}*{number}")
        if encoded is None and plain is None:
            break
        pieces.append((encoded or plain or "", encoded is not None))
    return _extended(pieces) if pieces else decode_words(parameters.get(name, ""))


def _extended(pieces: list[tuple[str, bool]]) -> str:
    """Return the text of pieces, of which the encoded ones have bytes as `%E2` (RFC 2231)."""
    charset = ""
    first, encoded = pieces[0]
    if encoded and first.count("'") >= 2:  # noqa: PLR2004  # charset'language'text
        charset, _, rest = first.split("'", 2)
        pieces = [(rest, True), *pieces[1:]]
    data = b"".join(_piece(text, is_encoded) for text, is_encoded in pieces)
    return decode(data, charset)


def _piece(text: str, encoded: bool) -> bytes:
    data = text.encode("utf-8", "replace")
    return _HEX.sub(lambda found: bytes((int(found[1], 16),)), data) if encoded else data
