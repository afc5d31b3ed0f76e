"""The places that stopped mail is released into: an mbox, a folder of files, a Maildir, a bucket.

A place that has a mail already does not get it again, and an interrupted release leaves whole mails
only: running it again does the rest. An mbox has the mails in the form mboxrd, which can be undone:
a line `From ` gets a `>` before it, with all that it has already. Everywhere else each byte of a
mail stays as it was.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from shutil import copyfileobj
from typing import IO, Protocol

from bouncer.rules.document import show
from bouncer.sources.stopped_mail import StoppedMail
from bouncer_cli.operations.operated_account import OperationError
from bouncer_cli.operations.stopped_mails import StoppedMails, StoredObject, get_object

_FROM = re.compile(rb"^(?=>*From )", re.MULTILINE)
_BEGINNING = b"From "
_BUCKET = re.compile(r"(?i:s3)://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>.*))?")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_LONGEST_SENDER = 300

Read = Callable[[], bytes]


class Form(StrEnum):
    """The form in which a place has mails."""

    BUCKET = "bucket"
    MBOX = "mbox"
    MAILDIR = "Maildir"
    FOLDER = "folder of .eml files"


class ReleaseTarget(Protocol):
    """One place."""

    def put(self, found: StoredObject, read: Read) -> bool:
        """Write a mail, unless it is there already; tell whether it was written."""


def form_of(text: str) -> Form:
    """Return the form of the place that an operator names.

    Raises `OperationError` for a text that names no place, and for a file or folder that cannot be
    one.
    """
    if text.lower().startswith("s3:"):
        if not _BUCKET.fullmatch(text):
            raise OperationError(f"--to: found {text}, expected one such as s3://bucket/prefix/")
        return Form.BUCKET
    if not text.strip() or _ADDRESS.match(text):
        raise OperationError(
            f"--to: found {text if text.strip() else show(text)}, expected FILE.mbox, a folder, or "
            "s3://bucket/prefix/"
        )
    path = Path(text)
    if path.suffix == ".mbox":
        _check_mbox(path)
        return Form.MBOX
    if (path / "cur").is_dir() and (path / "new").is_dir():
        return Form.MAILDIR
    if path.exists() and not path.is_dir():
        raise OperationError(
            f"--to: found the file {text}, expected a name that ends in .mbox, or a folder"
        )
    return Form.FOLDER


def _check_mbox(path: Path) -> None:
    """Raise `OperationError` unless mails can stand in a file behind what it has already."""
    if not path.parent.is_dir():
        raise OperationError(f"--to: found no folder {path.parent}, expected one")
    if not path.exists():
        return
    if not path.is_file():
        raise OperationError(f"--to: found {path}, which is not a file, expected an mbox")
    with path.open("rb") as stream:
        if stream.read(len(_BEGINNING)) not in (b"", _BEGINNING):
            raise OperationError(
                f'{path}: found a file that does not begin with "From ", expected an mbox'
            )


@contextmanager
def open_target(text: str, mails: StoppedMails) -> Iterator[ReleaseTarget]:
    """Open the place that an operator names; raises what `form_of` raises."""
    path = Path(text)
    match form_of(text):
        case Form.BUCKET:
            yield _bucket(text, mails)
        case Form.MBOX:
            with _open_mbox(path) as mbox:
                yield mbox
        case Form.MAILDIR:
            yield Maildir(path)
        case Form.FOLDER:
            path.mkdir(parents=True, exist_ok=True)
            yield Folder(path)


def _bucket(text: str, mails: StoppedMails) -> "Bucket":
    found = _BUCKET.fullmatch(text)
    if found is None:
        raise AssertionError  # never: the form is known
    folder = (found["prefix"] or "").strip("/")
    return Bucket(mails, found["bucket"], f"{folder}/" if folder else "")


class Bucket:
    """A bucket: S3 copies a mail there by itself, below a prefix and under its message id."""

    def __init__(self, mails: StoppedMails, bucket: str, prefix: str) -> None:
        self._mails = mails
        self._bucket = bucket
        self._prefix = prefix

    def put(self, found: StoredObject, _: Read) -> bool:
        """Copy a mail, unless an object has its key already."""
        account, key = self._mails.account, f"{self._prefix}{found.stopped.message_id}"
        if get_object(account, self._bucket, key, size=1) is not None:
            return False
        source = {"Bucket": self._mails.bucket, "Key": found.key}
        account.do("s3", "copy_object", Bucket=self._bucket, Key=key, CopySource=source)
        return True


class Folder:
    """A folder with a file `MESSAGE-ID.eml` for each mail."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def put(self, found: StoredObject, read: Read) -> bool:
        """Write a mail, unless its file exists."""
        path = self._path / f"{found.stopped.message_id}.eml"
        if path.exists():
            return False
        unfinished = path.with_suffix(".part")
        unfinished.write_bytes(read())
        unfinished.replace(path)
        return True


class Maildir:
    """A Maildir: a mail is new until a mail program moves it, under the same name, to `cur`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        (path / "tmp").mkdir(exist_ok=True)
        folders = (path / "new", path / "cur")
        self._names = {
            each.name.partition(":")[0] for folder in folders for each in folder.iterdir()
        }

    def put(self, found: StoredObject, read: Read) -> bool:
        """Deliver a mail, unless one of its name is there."""
        mail = found.stopped
        name = f"{mail.received_at.timestamp():.0f}.{mail.message_id}.bouncer"
        if name in self._names:
            return False
        unfinished = self._path / "tmp" / name
        unfinished.write_bytes(read())
        unfinished.replace(self._path / "new" / name)
        self._names.add(name)
        return True


class Mbox:
    """An mbox in the making: what the file has already, and what is added behind it."""

    def __init__(self, stream: IO[bytes], present: set[bytes]) -> None:
        self._stream = stream
        self._present = present

    def put(self, found: StoredObject, read: Read) -> bool:
        """Append a mail, unless the file has it in the same form."""
        entry = mbox_entry(found.stopped, read())
        digest = sha256(entry).digest()
        if digest in self._present:
            return False
        end = self._stream.tell()
        try:
            self._stream.write(entry)
        except BaseException:
            self._stream.seek(end)
            self._stream.truncate()
            raise
        self._present.add(digest)
        return True


def mbox_entry(mail: StoppedMail, raw: bytes) -> bytes:
    """Return a mail as an mbox has it: behind a line `From `, before an empty line."""
    sender = re.sub(r"[^!-~]", "_", mail.sender)[:_LONGEST_SENDER] or "MAILER-DAEMON"
    date = mail.received_at.astimezone(UTC).ctime()
    end = b"\n" if raw.endswith(b"\n") else b"\n\n"
    return f"From {sender} {date}\n".encode("ascii") + _FROM.sub(b">", raw) + end


@contextmanager
def _open_mbox(path: Path) -> Iterator[Mbox]:
    """Open an mbox, whose mails all stand in it at the end: also after an error, or Ctrl-C."""
    unfinished = path.with_name(f"{path.name}.part")
    present: set[bytes] = set()
    with unfinished.open("wb") as stream:
        if path.exists():
            with path.open("rb") as before:
                present = set(_entries(before))
                before.seek(0)
                copyfileobj(before, stream)
            stream.write(_missing_end(path))
        try:
            yield Mbox(stream, present)
        finally:
            stream.flush()
            os.fsync(stream.fileno())
            unfinished.replace(path)


def _missing_end(path: Path) -> bytes:
    """Return what an mbox lacks at its end, so that a line `From ` can stand behind it."""
    with path.open("rb") as stream:
        stream.seek(max(path.stat().st_size - 2, 0))
        end = stream.read()
    return b"" if not end or end == b"\n\n" else b"\n" if end.endswith(b"\n") else b"\n\n"


def _entries(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the digest of each mail in an mbox, with the line `From ` before it."""
    digest = sha256()
    for line in stream:
        if line.startswith(_BEGINNING):
            yield digest.digest()
            digest = sha256()
        digest.update(line)
    yield digest.digest()
