"""Files that are made to exhaust memory or time cost one sentence, and little of both."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bouncer_cli.input_stream import InputStream, TooLargeError
from bouncer_cli.mail_files import read_items
from bouncer_cli.raw_mail import Envelope

HEAD = b"From: bob@sender.example\nTo: ann@example.com\n"
SEPARATOR = b"From bob@sender.example Tue Dec  1 12:00:00 2026\n"
MOST_MEMORY_KB = 150 * 1024
# Every mail is read and judged, as `replay` does; the interpreter says what it took at most.
PROGRAM = """
import sys
from bouncer.errors import UnreadableEventError
from bouncer_cli.mail_files import read_items
from bouncer_cli.raw_mail import Envelope
for item in read_items(sys.argv[1:], Envelope()):
    try:
        print(item.error or item.read().from_)
    except UnreadableEventError as error:
        print(error)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def _sparse(path: Path, head: bytes = b"") -> None:
    with path.open("wb") as file:
        file.write(head)
        file.truncate(20 << 30)


def _large(unit: bytes, size: int, head: bytes = b"") -> Callable[[Path], None]:
    return lambda path: (path.write_bytes(head + unit * (size // len(unit))), None)[1]


FILES: dict[str, tuple[Callable[[Path], None], str]] = {
    "sparse": (_sparse, "found more than 40 MB"),
    "sparse-mbox": (lambda path: _sparse(path, SEPARATOR + HEAD), "found a mail without an end"),
    "headers": (_large(b"X-A: " + b"y" * 60 + b"\n", 15 << 20, HEAD), "bob@sender.example"),
    "one-header": (_large(b"y", 15 << 20, HEAD + b"X-A: "), "bob@sender.example"),
    "results": (_large(b" spf=pass (", 40_000, HEAD + b"Authentication-Results: x;"), "bob@"),
    "one-line.jsonl": (_large(b"x", 100 << 20, b'{"a": "'), "found more than 16 MB of JSON"),
    "small-values.json": (_large(b"[],", 12 << 20, b"["), "found more than 16 MB of JSON"),
    "blank": (_large(b" \n", 30 << 20), "found an empty file"),
    "line.mbox": (_large(b"z", 60 << 20, SEPARATOR + HEAD), "found more than 40 MB"),
    "body": (_large(b"z\n", 39 << 20, HEAD + b"\n"), "bob@sender.example"),
}


@pytest.mark.threat
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read from /proc")
@pytest.mark.parametrize("name", FILES)
def test_memory_and_time_are_bounded(name: str, tmp_path: Path) -> None:
    """The sentence comes at once, and 150 MB are enough for it."""
    make, expected = FILES[name]
    path = tmp_path / name
    make(path)
    started = os.times().children_user
    done = subprocess.run(  # noqa: S603  # this Python
        [sys.executable, "-c", PROGRAM, str(path)], capture_output=True, text=True, check=True
    )
    *lines, memory = done.stdout.splitlines()
    assert expected in lines[0]
    assert len(lines) == 1
    assert int(memory) < MOST_MEMORY_KB
    assert os.times().children_user - started < 5


def test_endless_device_is_read_to_the_bound() -> None:
    """A device that never ends is not read for ever."""
    (item,) = read_items(["/dev/zero"], Envelope())
    assert item.error is not None
    assert item.error.startswith("found more than 40 MB")


def test_pipe_without_a_writer_is_given_up(tmp_path: Path) -> None:
    """A named pipe that nobody writes to does not stop a replay."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (item,) = read_items([str(pipe)], Envelope())
    assert item.error == "can't be read (nobody writes to this pipe)"


def test_deep_folders_are_read(tmp_path: Path) -> None:
    """A folder 1,200 levels deep costs no more than its files."""
    folders = [tmp_path / "d"]
    while len(folders) < 1200:
        folders.append(folders[-1] / "d")
    for folder in folders:
        folder.mkdir()
    (folders[-1] / "a.eml").write_bytes(HEAD + b"\n")
    try:
        (item,) = read_items([str(tmp_path)], Envelope())
        assert item.error is None
    finally:  # pytest can't remove so deep a folder
        (folders[-1] / "a.eml").unlink()
        for folder in reversed(folders):
            folder.rmdir()


def test_links_in_a_loop_are_one_sentence(tmp_path: Path) -> None:
    """Links that lead to each other are reported and not followed."""
    (tmp_path / "a.eml").symlink_to(tmp_path / "b.eml")
    (tmp_path / "b.eml").symlink_to(tmp_path / "a.eml")
    errors = [item.error for item in read_items([str(tmp_path)], Envelope())]
    assert errors == ["can't be read (Too many levels of symbolic links)"] * 2


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, 200_000])
def test_stream_gives_what_it_was_given(size: int) -> None:
    """The first bytes, the lines and the whole are those of the file, whatever a read gives."""
    content = (b"x" * 99 + b"\n") * (size // 100) + b"y" * (size % 100)

    class Dripping:
        """A pipe that gives a few bytes at a time."""

        def __init__(self) -> None:
            self.place = 0

        def read(self, size: int, /) -> bytes:
            chunk = content[self.place : self.place + min(size, 1021)]
            self.place += len(chunk)
            return chunk

    assert InputStream(Dripping()).head == content[:4096]
    assert InputStream(Dripping()).read(size) == content
    assert b"".join(InputStream(Dripping()).lines(64)) == content
    first, rest = InputStream(Dripping()).start(5000)
    assert first == content[:5000]
    assert b"".join(rest.lines()) == content
    if size:
        with pytest.raises(TooLargeError):
            InputStream(Dripping()).read(size - 1)
