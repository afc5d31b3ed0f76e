"""Reads bytes of any origin, never more than a bound at once: a file may be endless.

The first bytes can be looked at before anything else is read, from a pipe too.
"""

import io
from collections.abc import Iterator
from typing import IO, Protocol

SNIFFED = 4096
MEGABYTE = 1 << 20
MOST_OF_A_MAIL = 40 * MEGABYTE  # SES Developer Guide, "Quotas": the largest mail that it receives
_CHUNK = 1 << 16


class Readable(Protocol):
    """A source of bytes: a file, a pipe, a stream that is decompressed."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; none at the end."""


class TooLargeError(ValueError):
    """There is more to read than the bound allows."""


class InputStream:
    """A source of bytes, and its first bytes in `head`; it is read once."""

    def __init__(self, file: Readable, start: bytes = b"") -> None:
        self._start = start or _start(file)
        self.head = self._start[:SNIFFED]
        self._file = file

    def read(self, most: int) -> bytes:
        """Return all of it; raise `TooLargeError` if that is more than `most` bytes."""
        found = self._start
        if more := self._file.read(_CHUNK):  # few mails are longer than their start
            found = rejoined(found + more, self._file).read(most + 1)
        if len(found) > most:
            raise TooLargeError(f"found more than {most // MEGABYTE} MB")
        return found

    def start(self, most: int) -> tuple[bytes, "InputStream"]:
        """Return its first bytes, up to `most`, and the stream again."""
        more = self._file.read(_CHUNK)
        if not more:
            return self._start[:most], self
        file = rejoined(self._start + more, self._file)
        found = file.read(most)
        return found, InputStream(file, found)

    def lines(self, longest: int = _CHUNK) -> Iterator[bytes]:
        """Yield its lines with their ends; one longer than `longest` comes in pieces."""
        read = self.buffered().readline
        while line := read(longest):
            yield line

    def chunks(self) -> Iterator[bytes]:
        """Yield its bytes, as many at a time as a read gives."""
        chunk = self._start
        while chunk:
            yield chunk
            chunk = self._file.read(_CHUNK)

    def buffered(self) -> IO[bytes]:
        """Return the stream as a binary file that can't be rewound."""
        return rejoined(self._start, self._file)


def rejoined(start: bytes, file: Readable) -> IO[bytes]:
    """Return bytes that were read already, and the rest of their file, as one file."""
    return io.BufferedReader(_Rejoined(start, file), _CHUNK)


class _Rejoined(io.RawIOBase):
    """Bytes that were read already, and behind them the rest of their file."""

    def __init__(self, start: bytes, file: Readable) -> None:
        self._start = memoryview(start)
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # C calls it so
        most = min(len(buffer), MEGABYTE)
        chunk = self._start[:most] or self._file.read(most)
        self._start = self._start[len(chunk) :]
        buffer[: len(chunk)] = chunk
        return len(chunk)


def _start(file: Readable) -> bytes:
    """Return what a first read gives, but no less than `SNIFFED` bytes if there are so many."""
    found = b""
    while len(found) < SNIFFED and (more := file.read(_CHUNK)):  # a pipe gives what it has
        found += more
    return found
