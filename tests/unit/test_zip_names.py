"""Names in zip files: no directory that lies, and no odd name, hides one."""

import io
import struct
import time
import zipfile
from itertools import count

import pytest

from bouncer.mail.zip_names import zip_names
from tests.unit.test_content import archive
from tests.unit.test_hidden_content import of_part


def end(count: int, size: int, offset: int, comment: bytes = b"") -> bytes:
    """An end record of a zip archive, with the comment behind it."""
    return (
        struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, size, offset, len(comment)) + comment
    )


EVIL = archive("evil.exe")
FAKE = archive("a.txt")


@pytest.mark.threat
@pytest.mark.parametrize(
    ("zipped", "found"),
    [
        (EVIL + end(0, 0, 0), False),
        (EVIL + end(0, 0, len(EVIL)), True),
        (EVIL[:-2] + struct.pack("<H", 25) + end(0, 0, 0) + b"xyz", False),
        (EVIL[:-2] + struct.pack("<H", 22) + end(0, 0, 0), False),
        (b"\0" + EVIL, True),
        (EVIL + b"\0", True),
        (EVIL + FAKE, False),
        (EVIL + FAKE[35:-22] + end(1, len(FAKE) - 22 - 35 - 1, len(EVIL) + 1), True),
        (EVIL[:-30], False),
        (b"PK\3\4" + b"x" * 2_000_000 + EVIL[-80:], False),
        (EVIL + end(0, 0, 0) * 200, False),
    ],
    ids=count(),  # the archives have the time in them, and each process of the tests its own
)  # fmt: skip
def test_no_end_of_an_archive_hides_its_names(zipped: bytes, found: bool) -> None:
    """Records that lie, junk around the archive, an end that is cut off: names may be missing."""
    names = of_part(b"Content-Disposition: attachment; filename=a.zip", zipped).of(
        "attachment_name"
    )
    assert not names.whole
    if found:
        assert "evil.exe" in names.values


def test_archives_are_found_whatever_they_begin_with() -> None:
    """A program that unpacks itself is an archive with something before it, as it says itself."""
    with zipfile.ZipFile(packed := io.BytesIO(b"MZ" * 100), "a") as unpacking:
        unpacking.writestr("evil.exe", "x")
    found = of_part(b"Content-Disposition: attachment; filename=a.scr", packed.getvalue())
    assert found.of("attachment_name") == (("a.scr", "evil.exe"), True)
    document = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + EVIL + b"\0" * 99
    )  # Office puts some into its own
    old = of_part(b"Content-Disposition: attachment; filename=a.doc", document)
    assert old.of("attachment_name") == (("a.doc",), True)


def test_names_in_archives_are_those_that_files_get() -> None:
    """A NUL ends a name, blanks and dots at its end are left out, and it may have a second one."""
    info = zipfile.ZipInfo("a.txt")
    info.extra = struct.pack("<2HBL", 0x7075, 5 + 8, 1, 0) + b"evil.exe"
    with zipfile.ZipFile(packed := io.BytesIO(), "w") as written:
        written.writestr(info, "x")
        written.writestr("b.exe. ", "x")
        written.writestr("c.exeN.txt", "x")
    zipped = packed.getvalue().replace(b"c.exeN", b"c.exe\0")
    found = of_part(b"Content-Disposition: attachment; filename=a.zip", zipped).of(
        "attachment_name"
    )
    assert found.whole
    assert {"evil.exe", "b.exe", "c.exe"} <= set(found.values)


def test_a_directory_of_many_records_takes_little_time() -> None:
    """End records of a megabyte, each of which fits."""
    started = time.process_time()
    zip_names(b"".join(end(0, 0, 22 * n) for n in range(47_000)), 47_000 * 22, 10_000)
    assert time.process_time() - started < 0.5
