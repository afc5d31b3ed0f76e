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


@pytest.mark.threat
@pytest.mark.parametrize("odd", [b"X-Odd: 1\r\r", b"X-Odd: 1\n\n", b"X-Odd: 1\r\n\r\n"])
@pytest.mark.parametrize(
    ("before", "mark", "reason"),
    [
        (b"", ("Auto-Submitted", "auto-replied"), Reason.AUTOMATIC),
        (b"Auto-Submitted: no\r\n", ("Auto-Submitted", "auto-replied"), Reason.AUTOMATIC),
        (b"", ("List-Id", "<news.partner.example>"), Reason.LISTS),
        (b"", ("X-Mailer", "Cats"), Reason.HEADERS_TRUNCATED),
    ],
)
def test_no_header_of_the_event_gets_lost(
    odd: bytes, before: bytes, mark: tuple[str, str], reason: Reason
) -> None:
    """The copy's headers may end earlier for us than for SES: then they are still cut."""
    line = f"{mark[0]}: {mark[1]}\r\n".encode()
    passed_on = [("From", "Eve <eve@partner.example>"), ("X-Odd", "1"), mark]
    if before:
        passed_on.insert(1, ("Auto-Submitted", "no"))
    headers = [{"name": name, "value": value} for name, value in passed_on]
    message, raw = cut(headers=headers), FROM + before + odd + line + PADDING + b"\r\nHello\r\n"
    completed = with_all_headers(message, RawCopy(raw))
    assert completed.headers_truncated
    assert mark[1] in completed.header(mark[0].lower())
    assert judged(RawCopy(raw), REJECT, message=message).withheld == {"ann@example.com": reason}


@pytest.mark.threat
@pytest.mark.parametrize("odd", [b"\r\r", b"\n\n", b"\n\r\n", b"\r\n\n"])
def test_headers_that_not_every_program_would_end_there_stay_cut(odd: bytes) -> None:
    """SES may have ended them further behind, and what stands there it has not passed on."""
    raw = FROM + PADDING + b"X-Odd: 1" + odd + b"List-Id: <news.partner.example>\r\n\r\nHello\r\n"
    assert with_all_headers(cut(), RawCopy(raw)).headers_truncated
    assert judged(RawCopy(raw), REJECT).went_on is Reason.HEADERS_TRUNCATED


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r\r\n"])
@pytest.mark.parametrize("body", [b"", b"Hello", b"Hello\n\r\r"])
def test_headers_with_one_kind_of_line_end_are_whole(end: bytes, body: bytes) -> None:
    """Some programs write CR CR LF."""
    raw = b"".join(line + end for line in (FROM.strip(), b"X-Odd: 1", b"", body))
    assert not with_all_headers(cut(), RawCopy(raw)).headers_truncated


def test_a_header_that_ses_writes_in_another_way_is_one() -> None:
    """Folded, and with bytes outside ASCII; the copy's form is the one that rules see."""
    raw = FROM + "Subject: Grüße\r\n an\talle\r\n\r\nHello".encode()
    headers = [
        {"name": "From", "value": "Eve <eve@partner.example>"},
        {"name": "Subject", "value": "Gr\ufffd\ufffd\ufffd\ufffde an  alle"},
    ]
    message = with_all_headers(cut(headers=headers), RawCopy(raw))
    assert message.header("subject") == ("Grüße an\talle",)
    assert not message.headers_truncated


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
