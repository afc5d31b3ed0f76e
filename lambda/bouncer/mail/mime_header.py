"""Reads the MIME headers of a part: type, encoding, disposition, file names (RFC 2045, 2183, 2231).

A stranger wrote them. Mail programs read broken and doubled headers each in its own way, so every
name that one of them may show is found, and what they may read differently is not whole. Every step
is linear in the length of a value, and a value is cut.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import NamedTuple

from bouncer.mail.charset import decode
from bouncer.mail.mime import decode_words

_LONGEST_VALUE = 16_384  # characters of a header's value
# What stands between semicolons: a name and, behind an equals sign, a quoted string or a text. A
# string that is never closed goes on to the end, so that no text is looked at twice.
_PARAMETER = re.compile(
    r'([^;=]*+)(?:(=)[ \t]*+(?:(")((?>(?:[^"\\]|\\.)*))("?+))?+([^;]*+))?+(?:;|\Z)', re.DOTALL
)
_CONTROLS = re.compile(r"[\0-\x08\x0a-\x1f\x7f]")
_COMMENT = re.compile(r"\([^()]*\)?|\)")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED_SIGN = re.compile(r'\\([\\"])')
_HEX = re.compile(rb"%([0-9A-Fa-f]{2})")

DEFAULT_TYPE = "text/plain"


class MimeHeader(NamedTuple):
    """The description of a part: `media_type` in lower case, `names` that programs may show.

    `encoding` is in lower case; several that differ are one unknown one. `whole` is False if
    another program may read another type, boundary or name.
    """

    media_type: str = DEFAULT_TYPE
    boundary: str = ""
    charset: str = ""
    encoding: str = ""
    attached: bool = False
    names: tuple[str, ...] = ()
    has_id: bool = False
    whole: bool = True


class _Parameter(NamedTuple):
    """A parameter with its name in lower case; the first of its values is RFC 2045's."""

    name: str
    values: tuple[str, ...]


class _Value(NamedTuple):
    """The value of a header: the words before the first semicolon in lower case, the parameters."""

    words: tuple[str, ...]
    parameters: tuple[_Parameter, ...]
    whole: bool


class _Texts(NamedTuple):
    """The texts of the parameters of one name; `whole` is False if there may be others."""

    found: tuple[str, ...]
    whole: bool


def read_mime_header(headers: Iterable[tuple[str, str]], default: str = DEFAULT_TYPE) -> MimeHeader:
    """Return the description in the headers of a part, whose type is `default` if they have none.

    Of headers that are repeated all names count.
    """
    values = defaultdict[str, list[_Value]](list)
    for name, text in headers:
        if name.lower().startswith("content-"):
            values[name.lower()].append(_value(text))
    types, dispositions = values["content-type"], values["content-disposition"]
    kinds = _distinct("".join(value.words) for value in types)
    of_types = [each for value in types for each in value.parameters]
    every = [*(each for value in dispositions for each in value.parameters), *of_types]
    boundary, charset = _texts(of_types, "boundary"), _texts(of_types, "charset")
    names, more = _texts(every, "filename"), _texts(every, "name")
    ambiguous = len(kinds) > 1 or len(boundary.found) > 1
    unmarked = bool(boundary.found) and not any("/" in kind for kind in kinds)
    all_read = all(value.whole for value in (*types, *dispositions))
    texts_read = boundary.whole and names.whole and more.whole
    encodings = values["content-transfer-encoding"]
    return MimeHeader(
        media_type=next((kind for kind in kinds if "/" in kind), default),
        boundary="".join(boundary.found[:1]),
        charset="".join(charset.found[:1]),
        encoding=" ".join(_distinct(_first_word(value).rstrip(".") for value in encodings)),
        attached="attachment" in map(_first_word, dispositions),
        names=_distinct((*names.found, *more.found)),
        has_id="content-id" in values,
        whole=all_read and texts_read and not ambiguous and not unmarked,
    )


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, texts)))


def _first_word(value: _Value) -> str:
    return next(iter(value.words), "")


def _value(text: str) -> _Value:
    # Programs do not agree where a NUL ends a text, and which of the backslashes before a quote
    # escapes what.
    whole = len(text) <= _LONGEST_VALUE and "\0" not in text and r"\\" + '"' not in text
    words: tuple[str, ...] = ()
    parameters = []
    clean = _CONTROLS.sub("", text[:_LONGEST_VALUE])
    for number, field in enumerate(_PARAMETER.findall(clean)):
        label, equals, opening, quoted, closing, rest = field
        whole = whole and opening == closing and not any(map(_is_torn, (label, rest)))
        found = _COMMENT.sub(" ", label).replace('"', "").lower().split()
        name = found.pop() if equals and found else ""
        if number == 0:  # some programs leave out the word, others the semicolon behind it
            words = tuple(found)
        if equals:
            values = _quoted(quoted, rest) if opening else _plain(rest.strip())
            parameters.append(_Parameter(name, _distinct(values)))
    return _Value(words, tuple(parameters), whole)


def _is_torn(text: str) -> bool:
    """Tell whether a text that is not quoted has a part of a quoted string."""
    return '"' in text and (text.count('"') % 2 > 0 or '\\"' in text)


def _quoted(text: str, rest: str) -> Iterator[str]:
    """Yield the readings of a quoted string: many programs keep a backslash, as in a path."""
    for read in (_ESCAPED.sub(r"\1", text), _ESCAPED_SIGN.sub(r"\1", text)):
        yield read
        if behind := rest.strip().replace('"', ""):
            yield read + behind


def _plain(text: str) -> Iterator[str]:
    """Yield the readings of a text without quotes: it ends at a blank, but many do not know it."""
    yield text.replace('"', "")
    yield re.split(r"[\s(\"]", text, maxsplit=1)[0]


def _texts(parameters: Iterable[_Parameter], name: str) -> _Texts:
    """Return the texts of a parameter in whichever way they are written (RFC 2231, 2047)."""
    label = re.compile(rf"{name}(?:\*([0-9]+))?(\*?)")
    found: list[str] = []
    pieces: list[tuple[int, bool, str]] = []
    extended = 0
    for parameter in parameters:
        match = label.fullmatch(parameter.name)
        if match is None or not parameter.values:
            continue
        number, star = match.groups()
        if number is not None:
            pieces += ((int(number[-9:]), bool(star), value) for value in parameter.values)
        elif star:
            found += (_extended([(value, True)]) for value in parameter.values)
            extended += 1
        else:
            found += map(decode_words, parameter.values)
    if not pieces:
        return _Texts(_distinct(found), whole=extended <= 1)
    pieces.sort(key=itemgetter(0))
    found.append(_extended([(text, star) for _, star, text in pieces]))
    in_order = [number for number, _, _ in pieces] == list(range(len(pieces)))
    stars = [star for _, star, _ in pieces]
    plain_first = any(stars) and not stars[0]
    return _Texts(_distinct(found), whole=in_order and not plain_first and extended <= 1)


def _extended(pieces: list[tuple[str, bool]]) -> str:
    """Return the text of pieces, of which the encoded ones have bytes as `%E2` (RFC 2231)."""
    charset = ""
    first, encoded = pieces[0]
    if not any(is_encoded for _, is_encoded in pieces):
        return decode_words("".join(text for text, _ in pieces))
    if encoded and first.count("'") >= 2:  # noqa: PLR2004  # charset'language'text
        charset, _, rest = first.split("'", 2)
        pieces = [(rest, True), *pieces[1:]]
    data = b"".join(_piece(text, is_encoded) for text, is_encoded in pieces)
    return decode(data, charset)


def _piece(text: str, encoded: bool) -> bytes:
    data = text.encode("utf-8", "replace")
    return _HEX.sub(lambda found: bytes((int(found[1], 16),)), data) if encoded else data
