"""Lists the names of the files in a zip archive from the directory at its end.

Nothing is decompressed, and archives within are not opened. The standard library wants the whole
archive; here the end of it is enough (APPNOTE.TXT sections 4.3.12 and 4.3.16).
"""

from collections.abc import Iterator
from itertools import islice
from struct import Struct
from typing import NamedTuple

TAIL = 1_048_576  # bytes at the end of an archive that are looked at

_END = Struct("<4s4H2LH")
_END_MARK = b"PK\x05\x06"
_MOST_MARKS = 100  # of end records
_ENTRY = Struct("<4s6H3L5H2L")
_ENTRY_MARK = b"PK\x01\x02"
_UTF_8 = 0x800  # the flag of an entry whose name is not in code page 437
_EXTRA = Struct("<2H")
_UNICODE_PATH, _BEFORE_PATH = 0x7075, 5  # APPNOTE.TXT section 4.6.9: version and checksum


class ZipNames(NamedTuple):
    """The names in an archive; `whole` is False if there are or may be others."""

    names: tuple[str, ...]
    whole: bool


class _Directory(NamedTuple):
    """A directory in the tail of an archive: its place, its end, and the number of its entries.

    `fits` tells that the archive has it at this place by its own account.
    """

    place: int
    end: int
    entries: int
    fits: bool


def holds_zip(tail: bytes, size: int) -> bool:
    """Tell whether a file of `size` bytes is an archive, whatever it begins with."""
    marks = islice(_marks(tail), _MOST_MARKS)
    directories = (_directory(tail, mark, size - len(tail)) for mark in marks)
    return any(directory.fits for directory in directories if directory)


def zip_names(tail: bytes, size: int, most: int) -> ZipNames:
    """Return the names, at most `most`, in an archive of `size` bytes of which `tail` is the end.

    Not every program takes the last directory, so the names of all that fit are returned; they are
    not whole if there are several, and none are if anything stands before or behind the archive.
    """
    marks = list(islice(_marks(tail), _MOST_MARKS))
    read = [_directory(tail, mark, size - len(tail)) for mark in marks]
    directories = [each for number, each in enumerate(read) if each and (each.fits or not number)]
    names: list[str] = []
    whole = len(directories) == 1 and directories[0].fits and directories[0] == read[0]
    for directory in directories:
        found = _entries(tail, directory, most - len(names))
        names += found.names
        whole = whole and found.whole
    at_end = bool(marks) and marks[0] + _length(tail, marks[0]) == len(tail)
    return ZipNames(tuple(dict.fromkeys(names)), whole and at_end and len(marks) < _MOST_MARKS)


def _marks(tail: bytes) -> Iterator[int]:
    """Yield the places of end records, the last first."""
    place = tail.rfind(_END_MARK)
    while place >= 0:
        yield place
        place = tail.rfind(_END_MARK, 0, place)


def _length(tail: bytes, mark: int) -> int:
    """Return the length of an end record with its comment; 0 for one that is cut off."""
    if len(tail) - mark < _END.size:
        return 0
    return _END.size + int(_END.unpack_from(tail, mark)[-1])


def _directory(tail: bytes, mark: int, before: int) -> _Directory | None:
    """Return the directory of an end record, unless it is not within the tail."""
    if not _length(tail, mark):
        return None
    _, _, _, _, count, size, offset, _ = _END.unpack_from(tail, mark)
    if size > mark:
        return None
    return _Directory(mark - size, mark, count, fits=offset + size == before + mark)


def _entries(tail: bytes, directory: _Directory, most: int) -> ZipNames:
    names: list[str] = []
    count, place = 0, directory.place
    while count < most and place + _ENTRY.size <= directory.end:
        fields = _ENTRY.unpack_from(tail, place)
        if fields[0] != _ENTRY_MARK:
            break
        flags, lengths = fields[3], fields[10:13]
        start = place + _ENTRY.size
        behind = start + lengths[0]
        name = tail[start : min(behind, directory.end)]
        names.append(name.decode("utf-8" if flags & _UTF_8 else "cp437", "replace"))
        names += _other_names(tail[behind : min(behind + lengths[1], directory.end)])
        count += 1
        place = start + sum(lengths)
    return ZipNames(tuple(names), whole=place == directory.end and count == directory.entries)


def _other_names(extra: bytes) -> Iterator[str]:
    """Yield the name in UTF-8 that some programs show in place of the one of an entry."""
    place = 0
    while place + _EXTRA.size <= len(extra):
        kind, length = _EXTRA.unpack_from(extra, place)
        place += _EXTRA.size
        if kind == _UNICODE_PATH:
            yield extra[place + _BEFORE_PATH : place + length].decode("utf-8", "replace")
        place += length
