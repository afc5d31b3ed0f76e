"""Finds mails and events in files, folders, mboxes, Maildirs and standard input (`-`).

Every mail and event yields exactly one `Item`; so does bad input, whose `error` is one sentence.
Only one mail is held in memory at a time, but a JSON file is read whole.
"""

import mailbox
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bouncer_cli.event_json import items_in_lines, items_in_text
from bouncer_cli.mail_item import Item
from bouncer_cli.raw_mail import Envelope, RawMailError, read_raw_mail

_LINES = (".jsonl", ".ndjson")
_ONE_MAIL = ".eml"  # even if its first line looks like an mbox
_SNIFFED = 512
_BLANK = b"\xef\xbb\xbf \t\r\n"  # a byte order mark and white space


def read_items(paths: list[str], envelope: Envelope) -> Iterator[Item]:
    """Yield every mail and event in `paths`, in that order; in folders in the order of names."""
    for path in paths:
        if path == "-":
            yield from _standard_input(envelope)
        else:
            yield from _path(Path(path), envelope)


def _path(path: Path, envelope: Envelope) -> Iterator[Item]:
    if not path.is_dir():
        yield from _file(path, envelope)
        return
    empty = True
    for found in _files(path):
        empty = False
        if isinstance(found, Item):
            yield found
        else:
            yield from _file(found, envelope)
    if empty:
        yield Item(source=str(path), error="found a folder without mail, expected mails in it")


def _files(folder: Path) -> Iterator[Path | Item]:
    """Yield the files in and below a folder; of a Maildir, only the delivered mails."""
    try:
        boxes = [box for name in ("cur", "new") if (box := folder / name).is_dir()]
        maildir = len(boxes) == 2  # noqa: PLR2004  # both
        folders = boxes if maildir else [folder]
        for entry in (entry for each in folders for entry in sorted(each.iterdir())):
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                if not maildir and not entry.is_symlink():  # a link may lead back here
                    yield from _files(entry)
            elif entry.is_file() or not entry.exists():  # no pipes or devices
                yield entry
    except OSError as error:
        yield _unreadable(folder, error)


def _unreadable(path: Path, error: OSError) -> Item:
    return Item(source=str(path), error=f"can't be read ({error.strerror or error})")


def _file(path: Path, envelope: Envelope) -> Iterator[Item]:
    source, suffix = str(path), path.suffix.lower()
    try:
        with path.open("rb") as file:
            start = file.read(_SNIFFED)
            mbox = start.startswith(b"From ") and suffix != _ONE_MAIL
            regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            streamed = regular and (mbox or suffix in _LINES)
            raw = b"" if streamed else start + file.read()
        if not streamed:
            yield from _bytes(source, raw, envelope, one_mail=suffix == _ONE_MAIL)
        elif mbox:
            yield from _mbox(source, path, envelope)
        else:
            yield from items_in_lines(source, path)
    except OSError as error:
        yield _unreadable(path, error)


def _standard_input(envelope: Envelope) -> Iterator[Item]:
    yield from _bytes("-", sys.stdin.buffer.read(), envelope)


def _bytes(
    source: str, raw: bytes, envelope: Envelope, *, one_mail: bool = False
) -> Iterator[Item]:
    if raw[:_SNIFFED].lstrip(_BLANK)[:1] in (b"{", b"["):
        yield from items_in_text(source, raw)
    elif raw.startswith(b"From ") and not one_mail:
        with tempfile.NamedTemporaryFile(suffix=".mbox") as file:
            file.write(raw)
            file.flush()
            yield from _mbox(source, Path(file.name), envelope)
    else:
        yield _mail(source, raw, envelope)


def _mail(source: str, raw: bytes, envelope: Envelope) -> Item:
    if not raw.strip():
        return Item(source=source, error="found an empty file, expected a mail or an SES event")
    try:
        mail = read_raw_mail(raw, envelope)
    except RawMailError as error:
        return Item(source=source, error=str(error))
    return Item(source=source, message=mail.message, headers=mail.header_block)


def _mbox(source: str, path: Path, envelope: Envelope) -> Iterator[Item]:
    box = mailbox.mbox(path, create=False)
    try:
        for number, key in enumerate(box.iterkeys(), 1):
            yield _mail(f"{source}#{number}", box.get_bytes(key, from_=True), envelope)
    finally:
        box.close()
