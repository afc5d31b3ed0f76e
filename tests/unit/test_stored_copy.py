"""Headers that SES has cut are completed from the stored copy, if something asks for them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bouncer.judge import Disposition, Judgement, judge
from bouncer.mail.header_block import MOST_BYTES
from bouncer.mail.message import Message, read_event
from bouncer.mail.stored_copy import RawCopy, StoredCopyError, with_all_headers
from bouncer.operator_settings import Settings
from bouncer.reasons import Reason
from bouncer.rules.rule import Mode
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset
from tests.functions.intake_events import REJECT, event

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
FROM = b"From: Eve <eve@partner.example>\r\n"
PADDING = b"".join(b"X-Pad-%03d: %s\r\n" % (number, b"x" * 990) for number in range(11))
BY_SUBJECT = "when: {subject: Offer}\ndrop: {}"
BY_RECIPIENT = "when: {recipient: bob@example.com}\ndrop: {}"


class Counting:
    """A copy that counts how often its beginning is asked for."""

    def __init__(self, raw: bytes) -> None:
        self._copy = RawCopy(raw)
        self.asked: list[int] = []

    def head(self, size: int) -> bytes:
        self.asked.append(size)
        return self._copy.head(size)

    def whole(self, most: int) -> bytes:
        return self._copy.whole(most)


class Broken:
    """A copy that can't be read."""

    def head(self, size: int) -> bytes:
        raise StoredCopyError(f"s3://b/m1: can't be read ({size})")

    whole = head


def cut(*recipients: str, **mail: Any) -> Message:
    (message,) = read_event(event(*recipients, headersTruncated=True, **mail))
    return message


def judged(
    copy: Any, *rules: str, message: Message | None = None, mode: Mode = Mode.ENFORCE
) -> Judgement:
    ruleset = Ruleset([read_rule(f"{place}", text) for place, text in enumerate(rules)])
    return judge(message or cut(), ruleset, Settings(mode=mode), now=NOW, copy=copy)


def mail(*lines: bytes) -> bytes:
    return FROM + PADDING + b"".join(line + b"\r\n" for line in lines) + b"\r\nHello\r\n"


@pytest.mark.threat
def test_a_mark_behind_the_cut_is_found() -> None:
    """Padded headers hide nothing: mail of a list gets no bounce, and is stopped."""
    found = judged(RawCopy(mail(b"List-Id: <news.partner.example>")), REJECT)
    assert found.withheld == {"ann@example.com": Reason.LISTS}
    assert found.disposition is Disposition.STOP_RULE_SET
    assert found.completed


def test_a_mail_of_a_person_with_long_headers_is_bounced() -> None:
    """As Microsoft 365 sends it: without the copy it would go on unanswered."""
    found = judged(RawCopy(mail(b"Subject: Hello")), REJECT)
    assert (found.withheld, len(found.jobs)) == ({}, 1)
    assert not found.message.headers_truncated
    assert judged(None, REJECT).went_on is Reason.HEADERS_TRUNCATED


def test_rules_see_what_the_guard_sees() -> None:
    """A subject behind the cut decides."""
    found = judged(RawCopy(mail(b"Subject: Offer")), BY_SUBJECT)
    assert found.disposition is Disposition.STOP_RULE_SET
    assert judged(None, BY_SUBJECT).disposition is Disposition.CONTINUE


@pytest.mark.parametrize(
    ("rules", "message", "mode", "asked"),
    [
        ((BY_RECIPIENT,), cut(), Mode.ENFORCE, False),
        ((BY_RECIPIENT,), cut("bob@example.com"), Mode.ENFORCE, False),
        ((BY_RECIPIENT, BY_SUBJECT), cut(), Mode.ENFORCE, True),
        ((REJECT,), cut(), Mode.ENFORCE, True),
        ((REJECT,), cut(), Mode.SHADOW, True),
        ((REJECT, BY_SUBJECT), cut(), Mode.OFF, False),
        ((REJECT, BY_SUBJECT), replace(cut(), headers_truncated=False), Mode.ENFORCE, False),
        (("when: {header: {x-pad-000: true}}\ndrop: {}",), cut(), Mode.ENFORCE, True),
    ],
)
def test_the_copy_is_read_only_if_something_asks(
    rules: tuple[str, ...], message: Message, mode: Mode, asked: bool
) -> None:
    """Rules that ask for headers, or the guard of a rejected mail; whole headers need no copy."""
    copy = Counting(mail())
    judged(copy, *rules, message=message, mode=mode)
    assert bool(copy.asked) is asked


def test_a_copy_that_cannot_be_read_leaves_the_mail_as_it_came() -> None:
    """The rest is as before, and the error is there to be reported."""
    found = judged(Broken(), REJECT)
    assert (found.went_on, found.completed) == (Reason.HEADERS_TRUNCATED, False)
    assert "can't be read" in str(found.unread)
    assert found.message == cut()


def test_nearly_all_headers_end_in_the_first_part() -> None:
    """So one request is enough; longer ones take a second."""
    short, long = Counting(mail() + b"x" * 100_000), Counting(FROM + PADDING * 10 + b"\r\nHello")
    for copy, asked in ((short, [65_536]), (long, [65_536, MOST_BYTES])):
        assert not with_all_headers(cut(), copy).headers_truncated
        assert copy.asked == asked


def test_headers_beyond_the_bound_stay_cut() -> None:
    """The part that was read counts: a mark in it is found; one behind it may forbid a bounce."""
    raw = FROM + b"List-Id: <a.example>\r\n" + PADDING * 30 + b"\r\nHello"
    message = with_all_headers(cut(), RawCopy(raw))
    assert message.headers_truncated
    assert message.header("list-id") == ("<a.example>",)
    assert judged(RawCopy(raw), REJECT).withheld == {"ann@example.com": Reason.LISTS}


@pytest.mark.parametrize("body", [b"", b"\r\n", b"\r\n\r\n", b"\r\nHello"])
def test_a_short_mail_is_whole(body: bytes) -> None:
    """However it ends."""
    assert not with_all_headers(cut(), RawCopy(FROM + body)).headers_truncated


@pytest.mark.parametrize("raw", [b"", b"\r\n", b"\r\nHello", b"no headers at all"])
def test_an_object_that_is_not_a_mail_completes_nothing(raw: bytes) -> None:
    """The event's own headers are kept."""
    with pytest.raises(StoredCopyError, match="found no headers"):
        with_all_headers(cut(), RawCopy(raw))


def test_envelope_and_verdicts_stay_those_of_the_event() -> None:
    """A stranger writes headers; SES alone says who sent the mail to whom."""
    message = cut("bob@example.com")
    found = with_all_headers(message, RawCopy(mail(b"Return-Path: <x@example.org>")))
    assert replace(found, headers={}, headers_truncated=True) == replace(message, headers={})


def test_a_whole_mail_is_bounded() -> None:
    """The caller says how much it takes."""
    assert RawCopy(b"abc").whole(3) == b"abc"
    with pytest.raises(StoredCopyError, match="found 3 bytes, expected at most 2"):
        RawCopy(b"abc").whole(2)
