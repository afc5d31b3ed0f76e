"""Lists the names of the files in a zip archive from the directory at its end.

Nothing is decompressed, and archives within are not opened. The standard library wants the whole
archive; here the end of it is enough (APPNOTE.TXT sections 4.3.12 and 4.3.16).
"""

from struct import Struct
from typing import NamedTuple

TAIL = 1_048_576  # bytes at the end of an archive that are looked at

_END = Struct("<4s4H2LH")
_END_MARK = b"PK\x05\x06"
_ENTRY = Struct("<4s6H3L5H2L")
_ENTRY_MARK = b"PK\x01\x02"
_UTF_8 = 0x800  # the flag of an entry whose name is not in code page 437


class ZipNames(NamedTuple):
    """The names in an archive; `whole` is False if there are or may be others."""

    names: tuple[str, ...]
    whole: bool


def zip_names(tail: bytes, most: int) -> ZipNames:
    """Return the names, at most `most`, in an archive of which `tail` is the end."""
    end = tail.rfind(_END_MARK)
    if end < 0 or len(tail) - end < _END.size:
        return ZipNames((), whole=False)
    _, _, _, _, count, size, _, _ = _END.unpack_from(tail, end)
    if size > end:  # the directory begins before the tail, or does not exist
        return ZipNames((), whole=False)
    return _entries(tail, end - size, end, count, most)


def _entries(tail: bytes, place: int, end: int, count: int, most: int) -> ZipNames:
    names: list[str] = []
    while len(names) < most and place + _ENTRY.size <= end:
        fields = _ENTRY.unpack_from(tail, place)
        if fields[0] != _ENTRY_MARK:
            break
        flags, lengths = fields[3], fields[10:13]
        start = place + _ENTRY.size
        name = tail[start : min(start + lengths[0], end)]
        names.append(name.decode("utf-8" if flags & _UTF_8 else "cp437", "replace"))
        place = start + sum(lengths)
    return ZipNames(tuple(names), whole=place == end and len(names) == count)
