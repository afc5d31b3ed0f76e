"""The content of a raw mail as rules see it: size, text, attachments; read only when asked for.

What lies beyond a bound is not known: `Values.whole` is then False, and a rule that asks for it is
neither true nor false, unless a value that is known satisfies it.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from bouncer.mail.charset import decode, guess
from bouncer.mail.field_values import Values
from bouncer.mail.file_type import HEAD, file_type
from bouncer.mail.html_text import html_text
from bouncer.mail.mime_structure import Part, Structure, mail_start, read_structure
from bouncer.mail.transfer_encoding import decoded
from bouncer.mail.zip_names import TAIL, zip_names

MOST_TEXT = 1_000_000  # decoded bytes of all text parts together
_MOST_TAILS = 16_777_216  # bytes of archives that are looked at, all together
_MOST_NAMES = 10_000  # of files in archives, all together


class _File(NamedTuple):
    """An attachment: its decoded size, how it begins, and the names of the files in it."""

    size: int
    head: bytes
    names: tuple[str, ...]
    names_whole: bool


class Content:
    """The content of one raw mail, which may be as large and as hostile as a stranger likes."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def of(self, field: str) -> Values:
        """Return the values of a field of the rule language that is read from the content."""
        return getattr(self, f"_{field}")  # type: ignore[no-any-return]  # one property for each

    @property
    def bounds(self) -> tuple[str, ...]:
        """The bounds that were reached in what was read so far, in the order of their names.

        They are boundary, depth, headers and parts of the structure, and archives and text.
        """
        read = self.__dict__  # a cached property stands there as soon as it was asked for
        found = set(self._structure.bounds) if "_structure" in read else set()
        if not all(file.names_whole for file in read.get("_files", ())):
            found.add("archives")
        if "_body" in read and self._whole and not self._body.whole:
            found.add("text")
        return tuple(sorted(found))

    @cached_property
    def _structure(self) -> Structure:
        return read_structure(self._raw)

    @cached_property
    def _whole(self) -> bool:
        return not self._structure.bounds

    @cached_property
    def _size(self) -> Values:
        return Values((len(self._raw) - mail_start(self._raw),), whole=True)

    @cached_property
    def _attached(self) -> tuple[Part, ...]:
        return tuple(filter(_is_attachment, self._structure.parts))

    @cached_property
    def _attachments(self) -> Values:
        return Values((len(self._attached),) if self._whole else (), self._whole)

    @cached_property
    def _attachment_name(self) -> Values:
        named = (part.header.name for part in self._attached if part.header.name)
        inside = chain.from_iterable(file.names for file in self._files)
        whole = self._whole and all(file.names_whole for file in self._files)
        return Values((*named, *inside), whole)

    @cached_property
    def _attachment_type(self) -> Values:
        declared = (part.header.media_type for part in self._attached)
        by_content = (found for file in self._files if (found := file_type(file.head)))
        return Values(tuple(dict.fromkeys((*declared, *by_content))), self._whole)

    @cached_property
    def _attachment_size(self) -> Values:
        return Values(tuple(file.size for file in self._files), self._whole)

    @cached_property
    def _files(self) -> tuple[_File, ...]:
        return tuple(self._read_files())

    def _read_files(self) -> Iterator[_File]:
        room, names = _MOST_TAILS, _MOST_NAMES
        for part in self._attached:
            size, head, tail = _ends(self._pieces(part), min(TAIL, room))
            if file_type(head) != "application/zip":
                yield _File(size, head, (), names_whole=True)
                continue
            found = zip_names(tail, names)
            room -= len(tail)
            names -= len(found.names)
            yield _File(size, head, *found)

    def _pieces(self, part: Part) -> Iterator[bytes]:
        return decoded(self._raw, part.start, part.end, part.header.encoding)

    @cached_property
    def _body(self) -> Values:
        texts: list[str] = []
        room = MOST_TEXT
        for part in filter(_is_text, self._structure.parts):
            data = _beginning(self._pieces(part), room + 1)
            room -= len(data)
            texts.append(_text(part, data[: room + len(data)] if room < 0 else data))
            if room < 0:
                return Values(tuple(texts), whole=False)
        return Values(tuple(texts), self._whole)


def _is_text(part: Part) -> bool:
    header = part.header
    return header.media_type.startswith("text/") and not header.attached and not header.name


def _is_attachment(part: Part) -> bool:
    """Tell whether a part is a file: pictures within an HTML text and reports are not."""
    header = part.header
    if header.attached or header.media_type == "message/rfc822":
        return True
    if part.related and header.has_id and header.media_type.startswith("image/"):
        return False
    return bool(header.name) or not header.media_type.startswith(("text/", "message/"))


def _text(part: Part, data: bytes) -> str:
    charset = part.header.charset
    text = decode(data, charset) if charset else guess(data)
    return html_text(text) if part.header.media_type == "text/html" else text


def _beginning(pieces: Iterable[bytes], most: int) -> bytes:
    """Return the first bytes, at most `most`; what is behind them is not decoded."""
    found = bytearray()
    for piece in pieces:
        found += piece[: most - len(found)]
        if len(found) == most:
            break
    return bytes(found)


def _ends(pieces: Iterable[bytes], most: int) -> tuple[int, bytes, bytes]:
    """Return the number of all bytes, the first `HEAD` and the last `most` of them."""
    size = 0
    head, tail = bytearray(), bytearray()
    for piece in pieces:
        size += len(piece)
        if len(head) < HEAD:
            head += piece[: HEAD - len(head)]
        tail += piece
        if len(tail) > 2 * most:
            del tail[: -most or len(tail)]
    return size, bytes(head), bytes(tail[-most:] if most else b"")
