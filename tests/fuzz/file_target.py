"""Files of every kind that replay reads: mails, mboxes, events, logs, archives, Outlook's messages.

The first byte of an input chooses the end of the file's name; the rest is the file.
"""

import atexit
import gzip
import shutil
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from hypothesis import strategies as st

from bouncer.errors import UnreadableEventError
from bouncer_cli.mail_files import read_items
from bouncer_cli.mail_item import Item
from bouncer_cli.outlook import OutlookError, read_outlook
from bouncer_cli.passed_over import PassedOver
from bouncer_cli.raw_mail import Envelope
from tests.fuzz import event_target, header_target
from tests.fuzz.drawn import HOSTILE, encoded
from tests.fuzz.fuzz_target import FuzzTarget
from tests.unit.mail_containers import outlook, zipped

_ENDS = ("", ".eml", ".mbox", ".jsonl", ".json", ".msg", ".zip", ".gz", ".log")
_ENVELOPE = Envelope(recipients=("ann@example.com",))


def check(data: bytes) -> None:
    """Each mail in a file is read, or is one sentence; a file that holds none is one, too."""
    if not data:
        return
    path = _folder() / f"file{_ENDS[data[0] % len(_ENDS)]}"
    path.write_bytes(data[1:])
    passed_over = PassedOver()
    try:
        named = list(read_items([str(path)], _ENVELOPE, passed_over))
        found = list(read_items([str(path.parent)], _ENVELOPE, passed_over))
    finally:
        path.unlink()
    assert named or data[1:], "an empty file is reported"
    for item in (*named, *found):
        _check_item(item, str(path.parent))
    with suppress(OutlookError):
        read_outlook(data[1:])


def _check_item(item: Item, folder: str) -> None:
    assert item.source.startswith(folder)
    if item.error is not None:
        assert item.error.startswith(("found ", "can't be read ")), item.error
        return
    try:
        message = item.read()
    except UnreadableEventError:
        return
    assert message.message_id


@cache
def _folder() -> Path:
    """Return a folder for the one file, which goes with the process."""
    name = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, name, ignore_errors=True)
    return Path(name)


def _damaged(data: bytes, places: list[tuple[int, int]]) -> bytes:
    """Return data with some of its bytes replaced."""
    result = bytearray(data)
    for place, byte in places:
        if result:
            result[place % len(result)] = byte
    return bytes(result)


_MBOX = st.lists(header_target.TARGET.examples, max_size=3).map(
    lambda mails: b"".join(
        b"From x@y Mon Nov  2 08:14:21 2026\n" + mail + b"\n\n" for mail in mails
    )
)
_LOG = event_target.TARGET.examples.map(b"2026-11-02T08:00:00.000Z INFO ".__add__)
_LINES = st.lists(event_target.TARGET.examples, max_size=3).map(b"\n".join)
_PLAIN = header_target.TARGET.examples | _MBOX | _LOG | _LINES | HOSTILE.map(encoded)
_NAMES = st.sampled_from(["a.eml", "b/c.json", "../d.eml", "e\x1b.eml", ".f", "__MACOSX/g", "h/"])
_PACKED = (
    st.dictionaries(_NAMES, _PLAIN, max_size=3).map(zipped)
    | _PLAIN.map(gzip.compress)
    | st.builds(
        lambda kind, text: outlook(f"__substg1.0_007D001{kind}", text),
        st.sampled_from("FE"),
        _PLAIN,
    )
)
_CHANGES = st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=4)
TARGET = FuzzTarget(
    name="file",
    check=check,
    examples=st.builds(
        lambda end, content: bytes([end]) + content,
        st.integers(0, len(_ENDS) - 1),
        _PLAIN | _PACKED | st.builds(_damaged, _PACKED, _CHANGES),
    ),
    words=(
        *("From x@y Mon Nov  2 08:14:21 2026\n", "timestamp,message\n", "PK\x03\x04", "PK\x01\x02"),
        *("PK\x05\x06", '{"Records":', "Received: ", "\n\n", "Status: RO", "%0D%0A"),
    ),
)
