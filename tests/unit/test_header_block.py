"""Raw header blocks as mail programs and strangers write them become names and values."""

import time
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from email.policy import compat32
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncer.mail.header_block import (
    MOST_BYTES,
    MOST_JUNK,
    from_line,
    header_block,
    read_headers,
)
from bouncer.mail.message import read_record
from bouncer.operator_settings import Settings
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset
from bouncer.sources.loaded import Loaded
from bouncer_cli.mail_item import Item
from bouncer_cli.raw_mail import EVENT_HEADER_BYTES, Envelope, RawMailError, read_raw_mail
from bouncer_cli.replay import replay


def headers(raw: bytes) -> list[tuple[str, str]]:
    """Return the headers of a mail."""
    return read_headers(header_block(raw)).headers


AB = [("A", "1"), ("B", "2")]


@pytest.mark.parametrize(
    "raw",
    [
        b"A: 1\nB: 2\n\nC: 3\n",
        b"A : 1\nB \t: 2\n\n",
        b"A:1\nB:2 \n\n",
        b"A: 1\na line of a proxy\nB: 2\n\n",
        b"A: 1\nno header: here\n and: there\nB: 2\n\n",
        b"A: 1\n>From - Mon Jan 26 17:20:56 2026\nB: 2\n\n",
        b"A: 1\n>From bob@sender.example Mon Jan 26 17:20:56 2026\nB: 2\n\n",
        b"A: 1\nFrom bob@sender.example Mon Jan 26 17:20:56 2026\nB: 2\n\n",
        b"From bob@sender.example Mon Jan 26 17:20:56 2026\nA: 1\nB: 2\n\n",
        b">From bob@sender.example Mon Jan 26 17:20:56 2026\nA: 1\nB: 2\n\n",
        b"\xef\xbb\xbfA: 1\nB: 2\n\n",
        b"\xef\xbb\xbfFrom x@y.example Mon Jan 26\r\nA: 1\r\nB: 2\r\n\r\n",
        b"A: 1\r\nB: 2\r\n\r\nC: 3\r\n",
        b"A: 1\rB: 2\r\rC: 3\r",
        b"A: 1\r\nB: 2\n\r\nC: 3\n",
        b"A: 1\rB: 2\r\n\nC: 3\n",
        b"A: 1\r\r\nB: 2\r\r\n\r\r\nC: 3\r\r\n",
        b"A: 1\n\0\0\0\nB: 2\n\n",
        b"A\0: 1\n\0B: 2\n\n",
        b": nameless\nA: 1\nB: 2\n\n",
        b"\xc3\xa4: 1\nA: 1\nB: 2\n\n",
        b" continues nothing\nA: 1\nB: 2\n\n",
        b"A: 1\nB: 2",
    ],
)
def test_headers_are_read_wherever_they_stand(raw: bytes) -> None:
    """Neither odd line ends nor lines that are not headers hide the headers behind them."""
    assert headers(raw) == AB


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"A: one\n two\n\n", "one two"),
        (b"A: one\r\n\ttwo\r\n   three\r\n\r\n", "one two three"),
        (b"A:\n one\n\n", "one"),
        (b"A: one\n \n two\n\n", "one two"),
        (b"A: x: y\n\n", "x: y"),
        (b"A:\n\n", ""),
        (b"A: a\0b\n\n", "a\0b"),
        (b"A: K\xc3\xa4se\n\n", "K\u00e4se"),
        (b"A: K\xe4se\n\n", "K\u00e4se"),
        (b"A: \x85K\xc3\xa4se\x0c\n\n", "\u2026K\u00c3\u00a4se"),
    ],
)
def test_values(raw: bytes, value: str) -> None:
    """Values are unfolded; bytes outside ASCII are UTF-8, else Windows-1252."""
    assert [" ".join(found.split()) for _, found in headers(raw)] == [" ".join(value.split())]


def test_each_value_has_its_own_encoding() -> None:
    """One header in Latin-1 does not spoil another in UTF-8."""
    assert headers(b"A: K\xe4se\nB: K\xc3\xa4se\n\n") == [("A", "K\u00e4se"), ("B", "K\u00e4se")]


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (b"From bob@sender.example Mon\nA: 1", b"bob@sender.example Mon"),
        (b"\xef\xbb\xbfFrom x\r\nA: 1", b"x"),
        (b"From: x\nA: 1", None),
        (b">From x\nA: 1", None),
        (b"", None),
    ],
)
def test_line_of_an_mbox(raw: bytes, line: bytes | None) -> None:
    """The line above a mail in an mbox is found, and a header From is not taken for it."""
    assert from_line(raw) == line


def test_text_is_given_up() -> None:
    """A text with a colon here and there is not read to its end, and the reader says so."""
    within = read_headers(b"A: 1\n" + b"a line of text\n" * MOST_JUNK + b"B: 2")
    assert within == (AB, True)
    beyond = read_headers(b"A: 1\n" + b"a line of text\n" * (MOST_JUNK + 1) + b"B: 2")
    assert beyond == (AB[:1], False)


def test_block_without_an_end_is_cut() -> None:
    """Not more than the limit is read of a mail that never comes to its body."""
    raw = b"A: 1\n" * MOST_BYTES
    assert len(header_block(raw)) == MOST_BYTES
    assert not read_headers(header_block(raw)).whole
    assert read_raw_mail(raw, Envelope(recipients=("a@b.example",))).record["ses"]["mail"][
        "headersTruncated"
    ]


@pytest.mark.parametrize(
    "unit",
    [b"\r", b"\n", b"\r\r\n", b"a", b":", b"a:\n", b" \n", b"a: \n ", b"\0", b"\xff:\n", b"a "],
)
def test_hostile_blocks_are_read_fast(unit: bytes) -> None:
    """No repetition takes long."""
    start = time.process_time()
    read_headers(header_block(unit * (MOST_BYTES // len(unit))))
    assert time.process_time() - start < 0.5


NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
RULES = Loaded(
    ruleset=Ruleset(
        [
            read_rule("100-subject", "when: {subject: {contains: hello}}\naccept: {}"),
            read_rule("200-from", "when: {from: bob@sender.example}\ndrop: {}"),
            read_rule("900-all", "reject: {type: DoesNotExist}"),
        ]
    ),
    settings=Settings(),
    problems=(),
)
ENVELOPE = Envelope(
    sender="bob@sender.example",
    recipients=("ann@example.com",),
    verdicts=dict.fromkeys(("spf", "dmarc"), "pass"),
)
PIECES = st.sampled_from(
    [
        *(b"From", b"Subject", b"Auto-Submitted", b"List-Id", b"X-Loop", b"Precedence", b"To"),
        *(b": ", b":", b" :", b"\t: ", b"\n", b"\n", b"\r\n", b"\r", b"\r\r\n", b"\n\n", b"\n "),
        *(b"hello", b"auto-replied", b"bulk", b"bob@sender.example", b"Bob <bob@sender.example>"),
        *(b">From ", b"From ", b"junk", b"\0", b"\xff", b"\xc3\xa4", b"\xef\xbb\xbf", b" ", b"\t"),
        *(b'"', b"(", b",", b"<>", b"=?utf-8?q?a=40b?=", b"x" * 3_000),
    ]
)


@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,20}", fullmatch=True),
            st.lists(st.text(st.characters(min_codepoint=33, max_codepoint=126)), max_size=3),
        ),
        min_size=1,
    ),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_headers_without_oddities_are_read_as_by_the_library(
    pairs: list[tuple[str, list[str]]], end: str
) -> None:
    """Python's own parser reads ordinary headers alike."""
    block = "".join(f"{name}: {f'{end} '.join(['x', *lines])}{end}" for name, lines in pairs)
    parsed = BytesHeaderParser(policy=compat32).parsebytes(block.encode())
    expected = [(name, " ".join(value.split())) for name, value in parsed.raw_items()]
    assert [(name, " ".join(value.split())) for name, value in headers(block.encode())] == expected


def as_event(raw: bytes) -> dict[str, Any]:
    """Build an event from a mail as SES does: names as they are written, values unfolded."""
    block = read_headers(header_block(raw))
    listed, room = [], EVENT_HEADER_BYTES
    for name, value in block.headers:
        room -= len(name) + len(value) + 4
        if room < 0:
            break
        listed.append({"name": f"{name} ", "value": value})
    verdict = {"status": "PASS"}
    cut = len(header_block(raw)) > EVENT_HEADER_BYTES or not block.whole
    mail = {"messageId": "m", "source": "bob@sender.example", "headersTruncated": cut}
    receipt = {"recipients": ["ann@example.com"], "spfVerdict": verdict, "dmarcVerdict": verdict}
    return {"ses": {"mail": {**mail, "headers": listed}, "receipt": receipt}}


def ends(item: Item) -> object:
    """Return all that an operator sees of a decision."""
    return next(replay([item], RULES, now=lambda: NOW))


@given(st.lists(PIECES, max_size=40).map(b"".join) | st.binary(max_size=200))
def test_an_event_and_its_raw_mail_decide_alike(raw: bytes) -> None:
    """The law: the same mail, raw or as an event of SES, has the same headers and ends alike."""
    try:
        read = read_raw_mail(raw, ENVELOPE)
    except RawMailError:
        assert not read_record(as_event(raw)).headers
        return
    event = as_event(raw)
    event["ses"]["mail"]["messageId"] = read.message_id
    event["ses"]["mail"]["timestamp"] = read.received_at and read.received_at.isoformat()
    assert read.message == read_record(event) == read_record(read.record)
    assert ends(Item(source="x", message=read.message)) == ends(Item(source="x", record=event))
