"""Reading the content of large and hostile mails: time, and memory beside the mail itself."""

import base64
import io
import time
import tracemalloc
import zipfile
from collections.abc import Iterable

from bouncer.intake import PARSING_S
from bouncer.mail.comparable import comparable
from bouncer.mail.content import Content
from bouncer.rules.fields import COPIED

Row = tuple[str, str, str, bool]

_HEAD = b"From: a@b.example\r\nMIME-Version: 1.0\r\n"
_SIZE = 40_000_000
_SHARE = 7  # the intake has 256 MB, and of 1,769 MB a function has a core to itself


def contents() -> Iterable[Row]:
    """Measure all content fields of each mail; the slowest, and the largest peak, stand last."""
    times, peaks = [], []
    for name, raw in _mails().items():
        seconds, peak = read(raw)
        times.append(seconds)
        peaks.append(peak)
        yield f"content of {name}", f"{seconds * 1e3:.0f} ms", "under 2,000 ms", seconds < 2
    slowest = max(times) * _SHARE
    yield (
        "content, the slowest at a seventh of a core",
        f"{slowest:.1f} s",
        f"under {PARSING_S} s",
        slowest < PARSING_S,
    )
    worst = max(peaks) / 1e6
    yield "content, memory beside the mail", f"{worst:.0f} MB", "under 30 MB", worst < 30


def read(raw: bytes) -> tuple[float, int]:
    """Return the CPU seconds of reading every field, and the most memory that takes."""
    started = time.process_time()
    _all_fields(Content(raw))
    seconds = time.process_time() - started
    tracemalloc.start()
    _all_fields(Content(raw))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return seconds, peak


def _all_fields(content: Content) -> None:
    for field in COPIED:
        content.of(field)
    for text in content.of("body").values:
        comparable(text)


def multipart(parts: Iterable[bytes]) -> bytes:
    """Return a mail with these parts, each with its headers."""
    body = b"".join(b"--b\r\n%b\r\n" % part for part in parts)
    return b"%bContent-Type: multipart/mixed; boundary=b\r\n\r\n%b--b--\r\n" % (_HEAD, body)


def _mails() -> dict[str, bytes]:
    encoded = base64.encodebytes(bytes(range(256)) * (_SIZE * 3 // 4 // 256))
    attached = b"Content-Disposition: attachment; filename=a.bin\r\n"
    quoted = attached + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    levels = (
        b"Content-Type: multipart/mixed; boundary=x%d\r\n\r\n--x%d\r\n" % (n, n)
        for n in range(1_000)
    )
    escapes = b'Content-Type: a/b; name="' + b'\\"' * 4_000 + b"\r\n\r\n"
    return {
        "40 MB of base64": multipart(
            [b"\r\nHello", attached + b"Content-Transfer-Encoding: base64\r\n\r\n" + encoded]
        ),
        "one line of 40 MB": _HEAD + b"\r\n" + b"a" * _SIZE,
        "one quoted-printable line of 40 MB": multipart([quoted + b"=" * _SIZE]),
        "40 MB of <": multipart([b"Content-Type: text/html\r\n\r\n" + b"<" * _SIZE]),
        "a tag of 40 MB": multipart([b"Content-Type: text/html\r\n\r\n<" + b"a" * _SIZE]),
        "a number of 40 MB": multipart([b"Content-Type: text/html\r\n\r\n&#" + b"1" * _SIZE]),
        "1,000,000 empty tags": multipart([b"Content-Type: text/html\r\n\r\n" + b"<b>" * 10**6]),
        "40 MB of =": multipart(
            [attached + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"=" * _SIZE]
        ),
        "40 MB of accents": multipart([b"\r\n" + "\u0300\u0316".encode() * (_SIZE // 4)]),
        "10,000 parts": multipart([b"Content-Type: text/plain\r\n\r\nx"] * 10_000),
        "1,000 levels": _HEAD + b"".join(levels),
        "5,000,000 boundaries": multipart([b""] * 5_000_000),
        "900 headers of escapes": multipart([escapes] * 900),
        "900 parts of ISO-2022-JP": multipart([_japanese(b"plain", 120)] * 900),
        "all of them, and 60 zip files": multipart(
            [_japanese(b"html", 100)] * 880 + [_zipped()] * 60
        ),
    }


def _japanese(kind: bytes, letters: int) -> bytes:
    """Return a text part in an encoding that is slow to read, behind a header that is as well."""
    header = b"Content-Type: text/%b; charset=iso-2022-jp; x=" % kind + b'"' + b'\\"' * 450 + b'"'
    return header + b"\r\n\r\n<b>" + b'\x1b$B$"\x1b(B' * letters


def _zipped() -> bytes:
    """Return a zip file of 3,000 empty files, whose name is long to read as well."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(3_000):
            archive.writestr(f"a{number}{'x' * 20}", b"")
    header = b'Content-Type: application/zip; name="' + b'\\"' * 400 + b'.zip"\r\n'
    encoded = base64.encodebytes(file.getvalue())
    return header + b"Content-Transfer-Encoding: base64\r\n\r\n" + encoded
