"""Finds mails and events in files, folders, mboxes, Maildirs, archives and standard input (`-`).

Every mail and event yields exactly one `Item`; so does bad input, whose `error` is one sentence.
Only one mail is held in memory at a time, and no file is read beyond a bound. In folders and zip
archives, files that are not mails are passed over and counted.
"""

import errno
import gzip
import io
import os
import select
import stat
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple
from zipfile import BadZipFile, ZipFile, ZipInfo

from bouncer.mail.message import SETUP_NOTIFICATION
from bouncer.mail.stored_copy import RawCopy
from bouncer_cli.event_json import MOST_OF_A_VALUE, holds_event, items_in_lines, items_in_text
from bouncer_cli.file_kind import ONE_MAIL, Kind, kind_of, looks_like_mail, unread_format
from bouncer_cli.input_stream import (
    MEGABYTE,
    MOST_OF_A_MAIL,
    InputStream,
    Readable,
    TooLargeError,
    rejoined,
)
from bouncer_cli.log_text import items_in_log
from bouncer_cli.mail_folder import DELIVERED, Unlisted, files_in
from bouncer_cli.mail_item import Item
from bouncer_cli.mbox import EndlessMailError, split_mails
from bouncer_cli.passed_over import PassedOver
from bouncer_cli.raw_mail import Envelope, RawMailError, read_raw_mail
from bouncer_cli.zip_archive import ArchiveError, entries, open_entry, open_zip

_DEEPEST = 3  # archives within archives
_MOST_NESTED = 16 * MEGABYTE  # of an archive that can't be rewound
_PATIENCE_MS = 1000  # for the first byte of a pipe
_TOO_LARGE = "expected a mail (SES receives none of more than 40 MB)"


# Files are opened without a buffer: nearly every mail is read at once.
_Opener = Callable[[str], AbstractContextManager[Readable]]


class _File(NamedTuple):
    """A file that is being read: `source` names it, its name's end may tell its kind.

    `found` is True for a file in a folder or archive, which nobody named: it may be passed over.
    """

    source: str
    name: str
    found: bool
    depth: int = 0


def read_items(
    paths: list[str], envelope: Envelope, passed_over: PassedOver | None = None
) -> Iterator[Item]:
    """Yield every mail and event in `paths`, in that order; in folders in the order of names."""
    reader = MailReader(envelope, passed_over or PassedOver())
    for path in paths:
        try:
            items = reader.path(path)
        except OSError as error:
            items = iter((unreadable(path, error),))
        yield from items


@dataclass(frozen=True, slots=True)
class MailReader:
    """Reads files of every kind, with the envelope of raw mails that the operator gave."""

    envelope: Envelope
    passed_over: PassedOver

    def path(self, name: str) -> Iterator[Item]:
        """Return what a file, a folder or `-` holds; raise `OSError` if nothing has that name."""
        if name == "-":
            return self.stream(_File("-", "", found=False), sys.stdin.buffer)
        mode = os.stat(name).st_mode  # noqa: PTH116  # as in _normal
        if stat.S_ISDIR(mode):
            return self._folder(Path(name))
        opener = _pipe if stat.S_ISFIFO(mode) else io.FileIO
        return self._file(_normal(name), found=False, opener=opener)

    def _folder(self, path: Path) -> Iterator[Item]:
        empty = True
        for entry in files_in(path):
            for item in self._entry(entry):
                empty = False
                yield item
        if empty:
            yield Item(source=str(path), error="found a folder without mail, expected mails in it")

    def _entry(self, entry: Path | Unlisted) -> Iterable[Item]:
        if isinstance(entry, Unlisted):
            return (unreadable(str(entry.path), entry.error),)
        return self._file(str(entry), found=entry.parent.name not in DELIVERED)

    def _file(self, source: str, *, found: bool, opener: _Opener = io.FileIO) -> Iterator[Item]:
        name = source.rpartition("/")[2]
        if name.endswith(SETUP_NOTIFICATION):  # the first object in a bucket for mail
            return
        try:
            with opener(source) as file:
                yield from self.stream(_File(source, name, found), file)
        except OSError as error:
            yield unreadable(source, error)

    def stream(self, file: _File, opened: Readable) -> Iterator[Item]:
        """Yield what a stream of bytes holds."""
        try:
            yield from self._kind(file, InputStream(opened), opened)
        except EndlessMailError:
            error = f"found a mail without an end, {_TOO_LARGE}; what follows it is not read"
            yield Item(source=file.source, error=error)
        except TooLargeError as fault:
            yield Item(source=file.source, error=f"{fault}, {_TOO_LARGE}")
        except ArchiveError as fault:
            yield Item(source=file.source, error=str(fault))
        except (EOFError, zlib.error, gzip.BadGzipFile, BadZipFile) as fault:
            error = f"found a broken archive ({fault}), expected a whole one"
            yield Item(source=file.source, error=error)

    def _kind(self, file: _File, stream: InputStream, opened: Readable) -> Iterable[Item]:
        match kind_of(stream.head, file.name):
            case Kind.MAIL:
                return self._one_mail(file, stream)
            case Kind.MBOX:
                return self._mbox(file, stream)
            case Kind.JSON_LINES:
                return items_in_lines(file.source, stream)
            case Kind.JSON:
                return self._json(file, stream)
            case Kind.LOG:
                return self._log(file, stream)
            case Kind.GZIP:
                inner = file._replace(name=file.name.removesuffix(".gz"), depth=_deeper(file))
                return self.stream(inner, gzip.GzipFile(fileobj=stream.buffered()))
            case Kind.ZIP:
                return self._zip(file, stream, opened)
            case Kind.OUTLOOK:
                return self._outlook(file, stream)

    def _one_mail(self, file: _File, stream: InputStream) -> tuple[Item, ...]:
        """Return the mail that a file holds, unless nobody named the file and it is not a mail."""
        unread = unread_format(stream.head)
        if unread:
            return (Item(source=file.source, error=unread),)
        if file.found and not (
            file.name.lower().endswith(ONE_MAIL) or looks_like_mail(stream.head)
        ):
            self.passed_over.add(file.source)
            return ()
        return (self._mail(file.source, stream.read(MOST_OF_A_MAIL)),)

    def _mail(self, source: str, raw: bytes) -> Item:
        if not raw or raw.isspace():
            return Item(source=source, error="found an empty file, expected a mail or an SES event")
        try:
            mail = read_raw_mail(raw, self.envelope)
        except RawMailError as error:
            return Item(source=source, error=str(error))
        return Item(
            source=source, message=mail.message, headers=mail.header_block, copy=RawCopy(raw)
        )

    def _mbox(self, file: _File, stream: InputStream) -> Iterator[Item]:
        for number, raw in enumerate(split_mails(stream.chunks()), 1):
            source = f"{file.source}#{number}"
            if raw is None:
                yield Item(source=source, error=f"found more than 40 MB, {_TOO_LARGE}")
            else:
                yield self._mail(source, raw)

    def _json(self, file: _File, stream: InputStream) -> Iterator[Item]:
        raw, rest = stream.start(MOST_OF_A_VALUE)
        if len(raw) == MOST_OF_A_VALUE:
            yield from items_in_lines(file.source, rest)
            return
        items = list(items_in_text(file.source, raw))
        if file.found and not any(item.error or holds_event(item.record) for item in items):
            self.passed_over.add(file.source)
        else:
            yield from items

    def _log(self, file: _File, stream: InputStream) -> Iterator[Item]:
        empty = True
        for item in items_in_log(file.source, stream):
            empty = False
            yield item
        if empty and file.found:
            self.passed_over.add(file.source)
        elif empty:
            error = "found log lines without a received mail, expected SES events in them"
            yield Item(source=file.source, error=error)

    def _outlook(self, file: _File, stream: InputStream) -> Iterator[Item]:
        from bouncer_cli.outlook import OutlookError, read_outlook  # noqa: PLC0415  # for few

        try:
            item = self._mail(file.source, read_outlook(stream.read(MOST_OF_A_MAIL)))
            yield item.without_content()  # only the headers were read
        except OutlookError as error:
            if file.found and not file.name.lower().endswith(".msg"):  # a document of Office
                self.passed_over.add(file.source)
            else:
                yield Item(source=file.source, error=str(error))

    def _zip(self, file: _File, stream: InputStream, opened: Readable) -> Iterator[Item]:
        deeper = _deeper(file)
        empty = True
        with open_zip(_rewindable(stream, opened)) as archive:
            for entry in entries(archive):
                name = entry.filename.rpartition("/")[2]
                if name.endswith(SETUP_NOTIFICATION):
                    continue
                inner = _File(f"{file.source}/{entry.filename}", name, found=True, depth=deeper)
                for item in self._zip_entry(inner, archive, entry):
                    empty = False
                    yield item
        if empty:
            error = "found a zip archive without mail, expected mails in it"
            yield Item(source=file.source, error=error)

    def _zip_entry(self, file: _File, archive: ZipFile, entry: ZipInfo) -> Iterator[Item]:
        try:
            with open_entry(archive, entry) as opened:
                yield from self.stream(file, opened)
        except ArchiveError as error:
            yield Item(source=file.source, error=str(error))


def _deeper(file: _File) -> int:
    if file.depth == _DEEPEST:
        raise ArchiveError(f"found archives within archives, expected at most {_DEEPEST}")
    return file.depth + 1


def _rewindable(stream: InputStream, opened: Readable) -> IO[bytes]:
    """Return an archive as a file that can be rewound; one in another stream must be small."""
    if isinstance(opened, io.FileIO | io.BufferedReader) and opened.seekable():
        return opened
    try:
        return io.BytesIO(stream.read(_MOST_NESTED))
    except TooLargeError as error:
        raise ArchiveError(f"{error} of zip archive, expected it as a file of its own") from error


@contextmanager
def _pipe(path: str) -> Iterator[Readable]:
    """Open a named pipe, unless nobody writes to it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # an ordinary open would wait
    with io.FileIO(descriptor) as pipe:
        yield rejoined(_first_byte(pipe), pipe)


def _first_byte(pipe: io.FileIO) -> bytes:
    """Wait for a pipe's writer; return a byte if one had to be read to know that it is there."""
    waiting = select.poll()
    waiting.register(pipe, select.POLLIN)
    first = b"" if waiting.poll(_PATIENCE_MS) else pipe.read(1)
    if first == b"" and not waiting.poll(0):
        raise OSError(errno.EPIPE, "nobody writes to this pipe")
    os.set_blocking(pipe.fileno(), True)
    return first or b""  # None is a writer that has not written yet


def _normal(path: str) -> str:
    """Return a path as `Path` writes it, which most are already: a `Path` for each takes long."""
    odd = path.startswith(".") or path.endswith("/") or "//" in path or "/." in path
    return str(Path(path)) if odd else path


def unreadable(path: str, error: OSError) -> Item:
    """Return the item for a file that the system does not let us read."""
    return Item(source=_normal(path), error=f"can't be read ({error.strerror or error})")
