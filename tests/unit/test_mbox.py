"""An mbox is split where mail programs begin a mail, and nowhere else."""

import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncer_cli.input_stream import MOST_OF_A_MAIL
from bouncer_cli.mbox import EndlessMailError, split_mails

FIRST = b"From bob@sender.example Mon Nov  2 08:14:21 2026\nSubject: One\n\nHello.\n"


def split(raw: bytes) -> list[bytes | None]:
    """Return the mails in an mbox."""
    return list(split_mails(raw.splitlines(keepends=True)))


@pytest.mark.parametrize(
    "separator",
    [
        b"From ann@partner.example Tue Dec  1 12:00:00 2026",
        b"From ann@partner.example Tue Dec 1 12:00:00 2026",
        b"From ann@partner.example Tue Dec  1 12:00:00 +0100 2026",
        b"From ann@partner.example Tue Dec  1 12:00:00 CET 2026",
        b"From ann@partner.example Tue Dec  1 12:00:00 MET DST 2026",
        b"From ann@partner.example Tue Dec  1 12:00 2026",
        b"From ann@partner.example Tue Dec  1 12:00:00 2026 +0100",
        b"From ann@partner.example Tue Dec  1 12:00:00 2026 remote from gate",
        b"From ann@partner.example Tue, 1 Dec 2026 12:00:00 +0100 (CET)",
        b"From MAILER-DAEMON Tue Dec  1 12:00:00 2026",
        b"From - Tue Dec 01 12:00:00 2026",
        b"From ???@??? Tue Dec 01 12:00:00 2026",
        b"From 1817112233445566778@xxx Tue Dec 01 12:00:00 +0000 2026",
        b"From ann at partner.example  Tue Dec  1 12:00:00 2026",
        b'From "Ann, Partner" <ann@partner.example> Tue Dec  1 12:00:00 2026',
        b"From Ann <ann@partner.example>  Tue Dec  1 12:00:00 2026",
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_separators_of_many_programs_are_known(separator: bytes, end: bytes) -> None:
    """A date ends every separator; the text before it differs from program to program."""
    raw = FIRST + b"\n" + separator + b"\nSubject: Two\n\nHi.\n"
    mails = split(raw.replace(b"\n", end))
    assert [mail and mail.count(b"Subject: ") for mail in mails] == [1, 1]
    assert mails[1] is not None
    assert mails[1].startswith(separator)


@pytest.mark.parametrize(
    "line",
    [
        b"\nFrom here on it gets hard.",
        b"\nFrom Monday on, see you at 12:00:00",
        b"\nFrom Tue Dec  1 2026 we are closed.",
        b"\nFrom ann@partner.example",
        b"\nFrom ann@partner.example on Tue Dec  1 12:00:00 2026 she wrote:",
        b"No blank line.\nFrom ann@partner.example Tue Dec  1 12:00:00 2026",
        b"\n>From ann@partner.example Tue Dec  1 12:00:00 2026",
        b"\n From ann@partner.example Tue Dec  1 12:00:00 2026",
        b"\nFrom " + b"x" * 2000 + b" Tue Dec  1 12:00:00 2026",
    ],
)
def test_other_lines_that_begin_with_from_are_text(line: bytes) -> None:
    """Prose, separators without a date and those without an empty line before do not split."""
    assert len(split(FIRST + line + b"\nmore text\n")) == 1


def test_quoted_lines_are_as_they_were_sent() -> None:
    """In a body one `>` is taken from lines that a program quoted; headers stay as they are."""
    raw = FIRST + b">From here\n>>From there\n> From quoted\n>Fromage\n"
    assert split(raw) == [FIRST + b"From here\n>From there\n> From quoted\n>Fromage\n"]
    odd = b"From - Tue Dec 01 12:00:00 2026\n>From x Tue Dec  1 12:00:00 2026\nSubject: x\n\n"
    assert split(odd) == [odd]


def test_mails_without_a_body_and_empty_lines_are_kept_apart() -> None:
    """Empty lines between mails belong to none; a mail may end with its headers."""
    separator = b"From a@b.example Tue Dec  1 12:00:00 2026\n"
    raw = b"\n\n" + (separator + b"Subject: x\n\n\n\n") * 3
    assert split(raw) == [separator + b"Subject: x\n\n\n\n"] * 3
    assert split(b"") == []
    assert split(b"\n\n") == []


def test_mail_that_is_too_large_is_not_kept() -> None:
    """A mail larger than SES receives is passed over; the next one is read."""
    large = FIRST + b"x" * MOST_OF_A_MAIL + b"\n\n"
    assert split(large + FIRST) == [None, FIRST]


def test_mail_without_an_end_is_given_up() -> None:
    """An endless file is not read for ever."""

    def endless() -> Iterator[bytes]:
        yield FIRST
        while True:
            yield b"\0" * 65_536

    with pytest.raises(EndlessMailError):
        list(split_mails(endless()))


@given(st.lists(st.sampled_from([*FIRST.splitlines(keepends=True), b"\n", b"From x\n", b">From "])))
def test_no_text_is_lost(lines: list[bytes]) -> None:
    """Any lines yield mails that hold all of them, but for empty ones and marks of quoting."""
    kept = b"".join(mail or b"" for mail in split(b"".join(lines)))
    texts = [raw.lstrip(b">").strip() for raw in (b"".join(lines), kept)]
    assert texts[0].replace(b">", b"").replace(b"\n", b"") == texts[1].replace(b">", b"").replace(
        b"\n", b""
    )


@given(
    st.lists(
        st.sampled_from(
            [*FIRST.splitlines(), b"", b"From x", b">From x", b">> From", b"\r"]
        ).flatmap(lambda line: st.sampled_from([line + b"\n", line + b"\r\n"]))
    ),
    st.integers(1, 50),
)
def test_reads_of_any_size_give_the_same_mails(lines: list[bytes], size: int) -> None:
    """A pipe may give a few bytes at a time, which end anywhere in a line."""
    raw = b"".join(lines)
    pieces = [raw[start : start + size] for start in range(0, len(raw), size)]
    assert list(split_mails(pieces)) == list(split_mails([raw]))


def test_long_paragraphs_are_whole() -> None:
    """A long attachment is read in pieces, and its quoted lines lose their mark in each."""
    raw = FIRST + b"\n" + (b"x" * 75 + b"\n>From x\n") * 3000
    chunks = [raw[start : start + 65_536] for start in range(0, len(raw), 65_536)]
    assert list(split_mails(chunks)) == [raw.replace(b">From", b"From")]


@pytest.mark.parametrize("unit", [b"From ", b"From x Mon ", b"Mon Nov  2 ", b" "])
def test_hostile_separators_are_read_fast(unit: bytes) -> None:
    """No repetition of a piece of a separator takes long."""
    lines = [b"\n", b"From " + (unit * 1000)[:985] + b"\n"] * 2000
    started = time.perf_counter()
    list(split_mails([FIRST, *lines]))
    assert time.perf_counter() - started < 2
