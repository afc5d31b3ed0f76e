"""Makes any bytes fit for 7-bit mail: header folding and the transfer encoding of a text body.

It changes the form in which text travels, never the text that a reader sees.
"""

import binascii
import re

_MAX_LINE = 998
_FOLD_AT = 900
_PLAIN_LINE = re.compile(rb"[\t -~]*")


def carry(body: bytes) -> tuple[str, str, str | None]:
    """Return payload, transfer encoding and charset for a text body with LF line ends.

    Plain ASCII goes as it is, without a charset (None). Anything else, lone CRs and overlong lines
    included, goes as quoted-printable, which RFC 6522 section 3 allows for broken headers.
    """
    lines = body.split(b"\n")
    charset = _charset(body)
    if charset is None and all(map(_is_plain, lines)):
        return body.decode("ascii"), "7bit", None
    encoded = b"\n".join(binascii.b2a_qp(line, istext=False) for line in lines)
    return encoded.decode("ascii"), "quoted-printable", charset


def fold(name: str, value: str) -> str:
    """Return a header value, printable ASCII, in lines of at most 998 characters.

    Folds at spaces where it can; a word that is too long is split, as nothing better is left.
    """
    rest = "".join(char if " " <= char <= "~" else "?" for char in value).strip()
    lines: list[str] = []
    while len(name) + 2 + len(rest) > _MAX_LINE:
        space = rest.rfind(" ", 1, _FOLD_AT)
        cut = space if space > 0 and rest[:space].strip() else _FOLD_AT
        lines.append(rest[:cut])
        rest = f" {rest[cut:].lstrip()}"
    return "\r\n".join([*lines, rest])


def _is_plain(line: bytes) -> bool:
    return len(line) <= _MAX_LINE and bool(_PLAIN_LINE.fullmatch(line))


def _charset(body: bytes) -> str | None:
    if body.isascii():
        return None
    try:
        body.decode()
    except UnicodeDecodeError:
        return "iso-8859-1"
    return "utf-8"
