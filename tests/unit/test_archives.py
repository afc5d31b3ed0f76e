"""Mails are read out of archives and of what Outlook saves; what is made to harm is refused."""

import gzip
import struct
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncer_cli.mail_files import read_items
from bouncer_cli.outlook import OutlookError, read_outlook
from bouncer_cli.passed_over import PassedOver
from bouncer_cli.raw_mail import Envelope
from tests.unit.mail_containers import outlook, zipped

MAIL = b"From: Bob <bob@sender.example>\nTo: ann@example.com\nSubject: %b\n\nHello.\n"
SEPARATOR = b"From bob@sender.example Mon Nov  2 08:14:21 2026\n"
MBOX = b"".join(SEPARATOR + MAIL % subject + b"\n" for subject in (b"One", b"Two"))
EVENT = b'{"Records": [{"ses": {"mail": {"messageId": "id1"}}}]}'


def told(path: Path, passed_over: PassedOver | None = None) -> dict[str, str]:
    """Return the subject, the id or the error of each item by its source below the folder."""
    found = {}
    for item in read_items([str(path)], Envelope(), passed_over):
        message = None if item.error else item.read()
        text = message and (message.subject[0] if message.subject else message.message_id)
        found[item.source.removeprefix(f"{path.parent}/")] = text or item.error or ""
    return found


def short(value: object) -> str:
    """Name a value in the id of a test: archives hold the time, and the ids must not."""
    return value if isinstance(value, str) else "content"


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.eml.gz", MAIL % b"One", {"a.eml.gz": "One"}),
        ("a.gz", MBOX, {"a.gz#1": "One", "a.gz#2": "Two"}),
        ("a.eml.gz", MBOX, {"a.eml.gz": "One"}),
        ("a.json.gz", EVENT, {"a.json.gz": "id1"}),
        ("a.jsonl.gz", EVENT + b"\n" + EVENT, {"a.jsonl.gz#1": "id1", "a.jsonl.gz#2": "id1"}),
        ("a.gz", gzip.compress(MAIL % b"One"), {"a.gz": "One"}),
    ],
    ids=short,
)
def test_gzip_holds_what_any_file_holds(
    name: str, content: bytes, found: dict[str, str], tmp_path: Path
) -> None:
    """A compressed file is read like the file in it, whose name it tells."""
    path = tmp_path / name
    path.write_bytes(gzip.compress(content))
    assert told(path) == found


def test_zip_is_read_like_a_folder(tmp_path: Path) -> None:
    """Each mail in an archive has a line; files that are not mails are counted."""
    content = zipped(
        {
            "b.eml": MAIL % b"B",
            "Takeout/Mail/All.mbox": MBOX,
            "README.txt": b"Read me.",
            "__MACOSX/b.eml": b"\0",
            "AMAZON_SES_SETUP_NOTIFICATION": MAIL % b"setup",
            "c.json": EVENT,
            "d.zip": zipped({"e.eml": MAIL % b"E"}),
        }
    )
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    passed_over = PassedOver()
    assert told(path, passed_over) == {
        "a.zip/Takeout/Mail/All.mbox#1": "One",
        "a.zip/Takeout/Mail/All.mbox#2": "Two",
        "a.zip/b.eml": "B",
        "a.zip/c.json": "id1",
        "a.zip/d.zip/e.eml": "E",
    }
    assert str(passed_over) == f"1 file is not a mail and was passed over: {path}/README.txt"


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("a.gz", gzip.compress(MAIL)[:-9], "found a broken archive"),
        ("a.gz", b"\x1f\x8b" + b"x" * 50, "found a broken archive"),
        ("a.gz", gzip.compress(bytes(41 << 20)), "found more than 40 MB"),
        ("a.zip", zipped({"a.eml": MAIL})[:-30], "found a broken zip archive"),
        ("a.zip", b"PK\x03\x04" + b"x" * 50, "found a broken zip archive"),
        ("a.zip", zipped({}), "found a zip archive without mail"),
        (
            "a.zip",
            zipped({"a.eml": bytes(41 << 20)}),
            "found an entry that grows to 42991616 bytes",
        ),
        ("a.pst", b"!BDN" + bytes(600), "found an Outlook data file (.pst)"),
        ("a.tar", bytes(257) + b"ustar" + bytes(300), "found a tar archive"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c" + bytes(60), "found a 7z archive"),
        ("a.msg", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), "found a broken Office docum"),
    ],
    ids=short,
)
def test_broken_and_hostile_archives_are_one_sentence(
    name: str, content: bytes, error: str, tmp_path: Path
) -> None:
    """An archive that can't be read, or must not be, yields one sentence."""
    path = tmp_path / name
    path.write_bytes(content)
    (line,) = told(path).values()
    assert line.startswith(error)


def test_entries_are_refused_one_by_one(tmp_path: Path) -> None:
    """An entry that can't be read does not hide the others."""
    content = bytearray(zipped({"a.eml": MAIL % b"A", "b.eml": MAIL % b"B"}))
    for start in (content.index(b"PK\x03\x04") + 6, content.index(b"PK\x01\x02") + 8):
        content[start] |= 1  # the mark of encryption
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    assert told(path) == {
        "a.zip/a.eml": "found an encrypted entry, expected one without a password",
        "a.zip/b.eml": "B",
    }


def test_overlapping_entries_are_refused(tmp_path: Path) -> None:
    """An archive whose entries share their bytes may hold more than a disk."""
    content = zipped({"a.eml": MAIL * 50})
    listed = content[content.index(b"PK\x01\x02") : content.index(b"PK\x05\x06")]
    end = bytearray(content[content.index(b"PK\x05\x06") :])
    struct.pack_into("<HHI", end, 8, 9, 9, 9 * len(listed))
    path = tmp_path / "a.zip"
    path.write_bytes(content[: content.index(b"PK\x01\x02")] + listed * 9 + end)
    assert told(path) == {
        "a.zip": "found a zip archive whose entries overlap, expected an ordinary one"
    }


def test_an_entry_without_a_name_is_read(tmp_path: Path) -> None:
    """Python 3.11 fails to tell whether it is a folder."""
    path = tmp_path / "a.zip"
    entry = zipfile.ZipInfo("x")
    entry.filename = ""
    with zipfile.ZipFile(path, "w") as archive, archive.open(entry, "w") as opened:
        opened.write(MAIL % b"One")
    assert list(told(path).values()) == ["One"]


def test_an_entry_whose_name_is_not_utf_8_is_reported(tmp_path: Path) -> None:
    """The list of entries may have another name than the entry itself."""
    path = tmp_path / "a.zip"
    path.write_bytes(zipped({"é.eml": MAIL % b"One"}).replace("é".encode(), b"\xff\xff", 1))
    (line,) = told(path).values()
    assert line.startswith("found a broken entry ('utf-8' codec can't decode")


def test_archives_within_archives_are_bounded(tmp_path: Path) -> None:
    """An archive that holds itself, or nearly so, is not followed for ever."""
    content = zipped({"a.eml": MAIL % b"A"})
    for _ in range(4):
        content = zipped({"a.zip": content})
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    (line,) = told(path).values()
    assert line == "found archives within archives, expected at most 3"


@given(st.binary(max_size=80), st.integers(0, 200))
def test_any_damage_is_reported(damage: bytes, place: int) -> None:
    """No damage to a saved message raises anything but the reader's own error."""
    whole = outlook("__substg1.0_007D001F", "Subject: x\r\n".encode("utf-16-le"))
    with suppress(OutlookError):
        assert read_outlook(whole[: place * 8] + damage + whole[place * 8 + len(damage) :])


HEADERS = (
    "Microsoft Mail Internet Headers Version 2.0\r\nReceived: from a by b\r\n"
    "From: Jörg <bob@sender.example>\r\nTo: ann@example.com\r\nSubject: Grüße\r\n\r\n"
)


@pytest.mark.parametrize(
    ("stream", "encoding"),
    [("__substg1.0_007D001F", "utf-16-le"), ("__substg1.0_007D001E", "cp1252")],
)
def test_outlook_message_is_read_by_its_headers(stream: str, encoding: str, tmp_path: Path) -> None:
    """A message that Outlook saved has the headers that it was received with."""
    path = tmp_path / "a.msg"
    path.write_bytes(outlook(stream, HEADERS.encode(encoding)))
    assert told(path) == {"a.msg": "Grüße"}


def test_office_document_is_not_a_mail(tmp_path: Path) -> None:
    """A document of Office looks alike: named it is an error, in a folder it is passed over."""
    path = tmp_path / "a.doc"
    path.write_bytes(outlook("WordDocument", b"x"))
    (line,) = told(path).values()
    assert line.startswith("found an Office document without headers of a mail")
    passed_over = PassedOver()
    told(tmp_path, passed_over)
    assert passed_over.count == 1
