"""The content of a raw mail as rules see it: size, text, attachments; read only when asked for.

What lies beyond a bound is not known: `Values.whole` is then False, and a rule that asks for it is
neither true nor false, unless a value that is known satisfies it.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from bouncer.mail.charset import decode, guess
from bouncer.mail.field_values import AtLeast, Values
from bouncer.mail.file_type import HEAD, file_type
from bouncer.mail.html_text import html_text
from bouncer.mail.mime_structure import Part, Structure, mail_start, read_structure
from bouncer.mail.transfer_encoding import DecodedBody
from bouncer.mail.zip_names import TAIL, holds_zip, zip_names

MOST_TEXT = 1_000_000  # decoded bytes of all text parts together
_MOST_TAILS = 16_777_216  # bytes of archives that are looked at, all together
_MOST_NAMES = 10_000  # of files in archives, all together

_DRAWING = "image/svg+xml"  # may have a script
_PICTURE_NAME = re.compile(r"[^.]*|.*\.(?:png|jpe?g|jfif|gif|webp)", re.IGNORECASE)
_SIGNATURES = {
    *("application/pkcs7-signature", "application/x-pkcs7-signature"),
    "application/pgp-signature",
}
_SIGNATURE_NAME = re.compile(r".*\.(?:p7s|asc|sig)", re.IGNORECASE)
_REPORTS = {
    *("message/delivery-status", "message/global-delivery-status", "message/feedback-report"),
    *("message/disposition-notification", "message/global-disposition-notification"),
    *("message/rfc822", "message/global", "message/global-headers", "text/rfc822-headers"),
}
_ZIPPED_FILE = b"PK\x03\x04"
_ZIP_TYPES = {"application/zip", "application/x-zip-compressed", "application/x-zip"}
_UNSEEN_END = " .'\"\t"  # what Windows, or a mail program, takes from the end of a name


class _File(NamedTuple):
    """An attachment: its decoded size, how it begins, and the names of the files in it.

    A file that programs may decode differently has neither a size nor names.
    """

    size: int | None
    head: bytes
    names: tuple[str, ...]
    names_whole: bool


class Content:
    """The content of one raw mail, which may be as large and as hostile as a stranger likes."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._found: set[str] = set()

    def of(self, field: str) -> Values:
        """Return the values of a field of the rule language that is read from the content."""
        try:
            return getattr(self, f"_{field}")  # type: ignore[no-any-return]  # one property for each
        except Exception:  # noqa: BLE001  # an error of ours stops no mail, whatever a stranger wrote
            self._found.add("error")
            return Values((), whole=False)

    @property
    def bounds(self) -> tuple[str, ...]:
        """The bounds that were reached in what was read so far, in the order of their names.

        They are boundary, depth, headers and parts of the structure, archives, encoding and text;
        error stands for an error of ours.
        """
        return tuple(sorted(self._found))

    @cached_property
    def _structure(self) -> Structure:
        structure = read_structure(self._raw)
        self._found |= structure.bounds
        return structure

    @cached_property
    def _whole(self) -> bool:
        return not self._structure.bounds

    @cached_property
    def _size(self) -> Values:
        return Values((len(self._raw) - mail_start(self._raw),), whole=True)

    @cached_property
    def _attached(self) -> tuple[Part, ...]:
        return tuple(filter(self._is_attachment, self._structure.parts))

    def _is_attachment(self, part: Part) -> bool:
        """Tell whether a person would see a part as a file of its own.

        A picture in a text, a signature and a report are not, unless they are something else.
        """
        header = part.header
        if header.attached:
            return True
        if part.around == "multipart/report" and header.media_type in _REPORTS:
            return bool(header.names)
        if part.around == "multipart/signed" and header.media_type in _SIGNATURES:
            return not _all_like(_SIGNATURE_NAME, header.names) or bool(self._begins_as(part))
        if part.around == "multipart/related" and header.has_id and _is_picture(header.media_type):
            named_alike = _all_like(_PICTURE_NAME, header.names)
            return not (named_alike and _is_picture(self._begins_as(part) or ""))
        return bool(header.names) or not header.media_type.startswith("text/")

    def _begins_as(self, part: Part) -> str | None:
        return file_type(_beginning(self._decoded(part), HEAD))

    @cached_property
    def _attachments(self) -> Values:
        count = len(self._attached)
        return Values((count if self._whole else AtLeast(count),), self._whole)

    @cached_property
    def _attachment_name(self) -> Values:
        named = chain.from_iterable(part.header.names for part in self._attached)
        inside = chain.from_iterable(file.names for file in self._files)
        names = chain.from_iterable(map(_shown_names, chain(named, inside)))
        whole = self._whole and all(file.names_whole for file in self._files)
        return Values(tuple(dict.fromkeys(names)), whole)

    @cached_property
    def _attachment_type(self) -> Values:
        declared = (part.header.media_type for part in self._attached)
        by_content = (found for file in self._files if (found := file_type(file.head)))
        types = tuple(dict.fromkeys((*declared, *by_content)))
        return Values(types, self._whole and self._decodable)

    @cached_property
    def _attachment_size(self) -> Values:
        sizes = tuple(file.size for file in self._files if file.size is not None)
        return Values(sizes, self._whole and self._decodable)

    @cached_property
    def _decodable(self) -> bool:
        return all(file.size is not None for file in self._files)

    @cached_property
    def _files(self) -> tuple[_File, ...]:
        return tuple(self._read_files())

    def _read_files(self) -> Iterator[_File]:
        room, names = _MOST_TAILS, _MOST_NAMES
        for part in self._attached:
            body = self._decoded(part)
            size, head, tail = _ends(body, min(TAIL, room))
            if not body.whole:
                self._found.add("encoding")
                yield _File(None, head if body.known else b"", (), names_whole=False)
                continue
            if not (_says_zip(part, head) or holds_zip(tail, size)):
                yield _File(size, head, (), names_whole=True)
                continue
            found = zip_names(tail, size, names)
            whole = found.whole and (bool(found.names) or not head.startswith(_ZIPPED_FILE))
            if not whole:
                self._found.add("archives")
            room -= len(tail)
            names -= len(found.names)
            yield _File(size, head, found.names, names_whole=whole)

    def _decoded(self, part: Part) -> DecodedBody:
        return DecodedBody(self._raw, part.start, part.end, part.header.encoding)

    @cached_property
    def _body(self) -> Values:
        texts: list[str] = []
        whole = self._whole
        room = MOST_TEXT
        for part in filter(_is_text, self._structure.parts):
            body = self._decoded(part)
            data = _beginning(body, room + 1)
            if not body.whole:
                self._found.add("encoding")
                whole = False
            room -= len(data)
            texts.append(_text(part, data[: room + len(data)] if room < 0 else data))
            if room < 0:
                self._found.add("text")
                return Values(tuple(texts), whole=False)
        return Values(tuple(texts), whole)


def _is_text(part: Part) -> bool:
    return part.header.media_type.startswith("text/") and not part.header.attached


def _is_picture(media_type: str) -> bool:
    return media_type.startswith("image/") and media_type != _DRAWING


def _all_like(pattern: re.Pattern[str], names: Iterable[str]) -> bool:
    return all(map(pattern.fullmatch, names))


def _says_zip(part: Part, head: bytes) -> bool:
    names = (name.rstrip(_UNSEEN_END).lower() for name in part.header.names)
    types = (part.header.media_type, file_type(head))
    return not _ZIP_TYPES.isdisjoint(types) or any(name.endswith(".zip") for name in names)


def _shown_names(name: str) -> Iterator[str]:
    """Yield a name as it is written, and as it is once a file of it is saved."""
    yield name
    yield name.partition("\0")[0].rstrip(_UNSEEN_END).lstrip("'\" \t") or name


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
