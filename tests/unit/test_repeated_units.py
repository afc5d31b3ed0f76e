"""No reader of content takes a time that grows faster than the length of what it reads.

Each is run on one piece of what its patterns know, followed by thousands of another. With SIZE as
first argument, this prints the slowest of each reader: `python -m tests.unit.test_repeated_units
1000000`.
"""

import sys
import time
from collections.abc import Callable, Iterator
from itertools import product

import pytest

from bouncer.mail.comparable import comparable, folded
from bouncer.mail.html_text import html_text
from bouncer.mail.mime import decode_words
from bouncer.mail.mime_header import read_mime_header
from bouncer.mail.mime_structure import read_structure
from bouncer.mail.transfer_encoding import DecodedBody
from bouncer.mail.zip_names import holds_zip, zip_names

_SIZE = 16_000
_MOST_S = 0.1

Reader = Callable[[bytes], object]


def _text(read: Callable[[str], object]) -> Reader:
    return lambda data: read(data.decode())


def _header(data: bytes) -> object:
    text = data.decode()
    return read_mime_header([("content-type", text), ("content-disposition", text)])


def _body(encoding: str) -> Reader:
    return lambda data: [*DecodedBody(data, 0, len(data), encoding)]


def _archive(data: bytes) -> object:
    return holds_zip(data, len(data)), zip_names(data, len(data), 10_000)


_INNER = b"Content-Type: multipart/mixed; boundary=c\n\n--c\n"
READERS: dict[str, tuple[Reader, tuple[bytes, ...]]] = {
    "html": (
        _text(html_text),
        (
            *(b"<", b"</", b"<!", b"<!--", b"<!--[if", b"<a", b"<a ", b"<style>", b"</style"),
            *(b"<svg>", b"a", b"/", b">", b"-", b"--", b"=", b' ="', b"='", b'"', b"'", b" ", b"?"),
            *(b"&", b"&#", b"&#x", b"1", b"0", b"a;"),
        ),
    ),
    "comparable": (
        _text(lambda text: folded(comparable(text))),
        tuple(
            piece.encode()
            for piece in (
                *("a", " ", "\u0300", "\u0300\u0316", "\u0316\u200b\u0300", "\u0f73"),
                *("\u0344\u0316", "\u1100\u1161", "\u00df", "\u0345", "\U0001d15e", "\u0130"),
            )
        ),
    ),
    "header": (
        _header,
        (
            *(b"a", b'"', b"\\", b";", b"=", b" ", b"(", b")", b"'", b"%41", b'="', b'\\"', b";="),
            *(b"filename=", b";filename*=", b";filename*0=", b"=?utf-8?q?", b"=?x?b?YQ==?="),
        ),
    ),
    "words": (
        _text(decode_words),
        (*(b"=?", b"?=", b"?", b"x", b" ", b"_", b"=?x?q?", b"=?x?q?a?=", b"=?x?q?a?= "),),
    ),
    "base64": (_body("base64"), (b"=", b"A", b"A=", b"AA=", b" ", b"-")),
    "quoted": (_body("quoted-printable"), (b"=", b"=4", b"=41", b"=\n", b"\n", b"\r", b" ", b"a")),
    "mail": (
        read_structure,
        (
            *(b"a", b":", b"x:\n", b"\n ", b"\r", b"\n", b"\0", b"From ", b">From \n", b"\n\n"),
            *(_INNER, b"Content-Type: multipart/mixed; boundary=b\n", b"--b\n", b"--b--\n"),
            b"\r--b",
        ),
    ),
    "zip": (
        _archive,
        (*(b"PK\5\6", b"PK\5\6" + b"\0" * 18, b"PK\1\2", b"\0", b"\1", b"up", b"\xff"),),
    ),
}  # fmt: skip


def times(reader: str, size: int) -> Iterator[tuple[float, bytes, bytes]]:
    """Yield the CPU seconds for each pair: one piece, and thousands of another behind it."""
    read, pieces = READERS[reader]
    for first, unit in product((b"", *pieces), pieces):
        data = first + unit * (size // len(unit))
        yield min(_seconds(read, data), _seconds(read, data)), first, unit


def _seconds(read: Reader, data: bytes) -> float:
    started = time.process_time()
    read(data)
    return time.process_time() - started


@pytest.mark.parametrize("reader", READERS)
def test_repetitions_take_little_time(reader: str) -> None:
    """A time that grows with the square of the length would be several times as long."""
    assert max(times(reader, _SIZE)) < (_MOST_S,)


if __name__ == "__main__":
    for name in READERS:
        slowest = sorted(times(name, int(sys.argv[1])), reverse=True)[:3]
        shown = (f"{seconds * 1e3:.0f} ms {first!r} {unit!r}" for seconds, first, unit in slowest)
        sys.stdout.write(f"{name}: {'; '.join(shown)}\n")
        sys.stdout.flush()
