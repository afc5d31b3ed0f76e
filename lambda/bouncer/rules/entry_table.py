"""Rows in look-up form: each is found by its key in constant time, and loading does no work.

The form is a block of bytes: a line of JSON that describes it, the offsets of its buckets, and the
rows, each in the bucket that the checksum of its key names. A key is compared as a whole, so that
answers are exact. The same rows give the same bytes, in whatever order they come.
"""

import json
from collections.abc import Iterable, Mapping
from struct import Struct
from typing import Any
from zlib import crc32

from bouncer.errors import BouncerError

FORMAT = 1
_ROWS_EACH = 8  # rows of a bucket, on average: a table of offsets costs half a byte for each row
_OFFSETS = Struct("<II")  # of a bucket and of the one after it
_OFFSET = 4
_LONGEST_HEAD = 65_536

Rows = Mapping[str, tuple[str, ...]]


class EntryTableError(BouncerError):
    """Bytes are not a table, or one of another version; the text says which."""


class EntryTable:
    """Rows by key; `about` is what the builder of the table has noted with them."""

    def __init__(self, data: bytes) -> None:
        head, end, _ = data[:_LONGEST_HEAD].partition(b"\n")
        found = _read_head(head) if end else None
        if found is None:
            raise EntryTableError("found bytes that are not a table of rows, expected one")
        if found["format"] != FORMAT:
            raise EntryTableError(f"found format {found['format']}, expected {FORMAT}")
        self.about: Mapping[str, Any] = found["about"]
        self._data = data
        self._buckets: int = found["buckets"]
        self._offsets = len(head) + 1
        rows = self._offsets + _OFFSET * (self._buckets + 1)
        if len(data) < rows or len(data) != _OFFSETS.unpack_from(data, rows - 2 * _OFFSET)[1]:
            raise EntryTableError(f"found {len(data)} bytes, expected the whole table")

    def find(self, key: str) -> tuple[str, ...] | None:
        """Return the columns beside a key, () if the rows have none; None without such a row."""
        place = self._place(key)
        if place is None:
            return None
        text = self._data[place : self._data.index(b"\n", place)].decode()
        return tuple(text.split("\t")) if text else ()

    def __contains__(self, key: str) -> bool:
        """Tell whether there is a row with this key."""
        return self._place(key) is not None

    def _place(self, key: str) -> int | None:
        """Return the offset of the columns beside a key."""
        if not key.isprintable():  # it may have a separator, and no row's key has one
            return None
        wanted = key.encode()
        at = self._offsets + _OFFSET * (crc32(wanted) % self._buckets)
        start, end = _OFFSETS.unpack_from(self._data, at)
        wanted = b"\n%b\t" % wanted
        place = self._data.find(wanted, start, end)
        return None if place < 0 else place + len(wanted)


def _read_head(head: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(head)
    except ValueError:
        return None
    if not isinstance(found, dict) or not {"format", "about", "buckets"} <= found.keys():
        return None
    buckets = found["buckets"]
    return found if isinstance(buckets, int) and buckets > 0 else None


def build_table(rows: Rows, about: Mapping[str, Any]) -> bytes:
    """Return rows in look-up form; keys are printable, columns have no separators."""
    buckets = len(rows) // _ROWS_EACH + 1
    lines = sorted(_line(key, columns, buckets) for key, columns in rows.items())
    head = json.dumps(
        {"format": FORMAT, "about": about, "buckets": buckets}, sort_keys=True
    ).encode()
    offsets, blocks = _blocks(lines, buckets, len(head) + 1 + _OFFSET * (buckets + 1))
    table = (offset.to_bytes(_OFFSET, "little") for offset in offsets)
    return b"".join((head, b"\n", *table, *blocks))


def _line(key: str, columns: Iterable[str], buckets: int) -> tuple[int, bytes]:
    name = key.encode()
    return crc32(name) % buckets, b"%b\t%b\n" % (name, "\t".join(columns).encode())


def _blocks(
    lines: Iterable[tuple[int, bytes]], buckets: int, start: int
) -> tuple[list[int], list[bytes]]:
    """Return the offset of each bucket and of the end, and the bytes of all buckets in turn."""
    offsets: list[int] = []
    blocks: list[bytes] = []
    place = start
    for bucket, line in lines:
        while len(offsets) <= bucket:
            offsets.append(place)
            blocks.append(b"\n")
            place += 1
        blocks.append(line)
        place += len(line)
    empty = buckets - len(offsets)
    offsets += range(place, place + empty + 1)
    return offsets, [*blocks, b"\n" * empty]
