"""Opens zip archives, which may be made to exhaust memory or time.

An archive's list of entries, the size of an entry and its growth are bounded; entries that overlap
are refused. Only the usual compression methods are read.
"""

import zipfile
from collections.abc import Iterator
from typing import IO

from bouncer_cli.input_stream import MEGABYTE, MOST_OF_A_MAIL

_MOST_ENTRIES = 4 * MEGABYTE  # bytes of the list: some 50,000 entries
_MOST_GROWTH = 200  # a text grows by 20 at most; a bomb by 1,000
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
_END = b"PK\x05\x06"
_END_SIZE = 22
_MOST_COMMENT = 65_535


class ArchiveError(ValueError):
    """An archive or an entry can't be read; the text says why."""


def open_zip(file: IO[bytes]) -> zipfile.ZipFile:
    """Return an archive whose list of entries is small enough to be read."""
    size = file.seek(0, 2)
    file.seek(max(size - _MOST_COMMENT - _END_SIZE, 0))
    tail = file.read()
    end = tail.rfind(_END)
    listed = int.from_bytes(tail[end + 12 : end + 16], "little")
    if end >= 0 and min(listed, size) > _MOST_ENTRIES:
        raise ArchiveError("found a zip archive with too many entries, expected at most 50,000")
    file.seek(0)
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise ArchiveError(f"found a broken zip archive ({error}), expected a whole one") from error
    if sum(entry.compress_size for entry in archive.infolist()) > size:
        raise ArchiveError("found a zip archive whose entries overlap, expected an ordinary one")
    return archive


def entries(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    """Yield the files in an archive that are not hidden, in the order of names."""
    for entry in sorted(archive.infolist(), key=lambda each: each.filename):
        names = entry.filename.split("/")
        hidden = names[-1].startswith(".") or "__MACOSX" in names
        is_folder = entry.filename.endswith("/")  # is_dir() fails for an empty name
        if not is_folder and not hidden:
            yield entry


def open_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> IO[bytes]:
    """Return the stream of an entry that is safe to read."""
    if entry.flag_bits & 1:
        raise ArchiveError("found an encrypted entry, expected one without a password")
    if entry.compress_type not in _METHODS:
        raise ArchiveError("found an unusual compression, expected deflate")
    grows = entry.file_size > _MOST_GROWTH * max(entry.compress_size, 1)
    if grows and entry.file_size > MOST_OF_A_MAIL:
        raise ArchiveError(f"found an entry that grows to {entry.file_size} bytes, expected a mail")
    try:
        return archive.open(entry)
    except (ValueError, RuntimeError) as error:  # a name that is not UTF-8, patched data, ...
        raise ArchiveError(f"found a broken entry ({error}), expected a whole one") from error
