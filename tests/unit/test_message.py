"""Reading SES's event: every shape seen in the field, and all that a stranger could put in."""

from datetime import UTC, datetime
from ipaddress import ip_address

import pytest

from bouncer.mail.message import VERDICTS, read_event
from tests.unit.ses_events import (
    GONE,
    ID,
    RECORD,
    event,
    headers,
    read,
)


def test_complete_event_is_read() -> None:
    """Every field of an ordinary event arrives."""
    message = read()
    assert message.message_id == ID
    assert message.received_at == datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert message.sender == "bob@sender.example"
    assert message.from_ == ("bob@sender.example",)
    assert message.to == ("someone.else@example.com",)
    assert message.subject == ("Hello",)
    assert message.source_ip == ip_address("203.0.113.7")
    assert message.helo == "mail.sender.example"
    assert message.verdicts == dict.fromkeys(VERDICTS, "pass")
    assert message.dmarc_policy == "absent"
    assert not message.headers_truncated


def test_recipients_are_those_of_the_envelope() -> None:
    """The To header, which `destination` repeats, is never taken for the envelope."""
    assert read().recipients == ("ann@example.com",)
    assert read(recipients=GONE).recipients == ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["a@x.example", "b@x.example"], ("a@x.example", "b@x.example")),
        (["a@x.example", "a@x.example"], ("a@x.example",)),
        (["Ann@x.example", "ann@X.example"], ("Ann@x.example",)),
        ("a@x.example", ("a@x.example",)),
        (["<a@x.example>", " b@x.example "], ("a@x.example", "b@x.example")),
        (["", "<>", None, 7, {}, ["c@x.example"], "a@x.example"], ("a@x.example",)),
        ([], ()),
        (None, ()),
        ({"a": "b"}, ()),
        (5, ()),
    ],
)
def test_recipients_of_any_shape(value: object, expected: tuple[str, ...]) -> None:
    """Values that are not addresses are left out, repeated addresses are kept once."""
    assert read(recipients=value).recipients == expected


@pytest.mark.parametrize("source", ["", "<>", " ", "< >", None, GONE, 0, [], {}, ["bob@x.example"]])
def test_null_sender_in_every_form(source: object) -> None:
    """Nobody says how SES writes the null sender; every way means it."""
    assert read({"source": source}).sender == ""


@pytest.mark.parametrize(
    ("source", "sender"),
    [
        ("<bob@sender.example>", "bob@sender.example"),
        (" bob@sender.example ", "bob@sender.example"),
        ("prvs=1=bob@sender.example", "prvs=1=bob@sender.example"),
        ("Bob@Sender.Example", "Bob@Sender.Example"),
    ],
)
def test_sender_is_the_bare_address(source: str, sender: str) -> None:
    """Angle brackets and blanks go, everything else stays."""
    assert read({"source": source}).sender == sender


@pytest.mark.parametrize(
    "member", ["to", "subject", "messageId", "returnPath", "from", "date"], ids=str
)
def test_missing_common_headers_do_not_matter(member: str) -> None:
    """Every member of commonHeaders is optional: mail without To, Subject or Message-ID is mail."""
    common = dict(RECORD["ses"]["mail"]["commonHeaders"])
    del common[member]
    assert read({"commonHeaders": common}) == read()
    assert read({"commonHeaders": GONE}) == read()


def test_common_headers_fill_what_is_missing() -> None:
    """When the list of headers lacks one, or is gone, commonHeaders are used; never both."""
    message = read({"headers": GONE})
    assert message.header("return-path") == ("bob@sender.example",)
    assert message.from_ == ("bob@sender.example",)
    assert message.subject == ("Hello",)
    partly = read({"headers": [{"name": "subject", "value": "Other"}]})
    assert partly.subject == ("Other",)
    assert partly.to == ("someone.else@example.com",)


@pytest.mark.parametrize(
    "common", [None, [], "x", {"to": "a@x.example"}, {"to": {"a": 1}}, {"to": 7}]
)
def test_common_headers_of_any_shape(common: object) -> None:
    """A string where a list was expected is read, other types are absent."""
    expected = ("a@x.example",) if common == {"to": "a@x.example"} else ()
    assert read({"headers": [], "commonHeaders": common}).to == expected


@pytest.mark.parametrize(
    "listed",
    [
        None,
        {},
        "Subject: x",
        [None],
        [7],
        ["Subject: x"],
        [{"name": "Subject"}],
        [{"value": "x"}],
        [{"name": 7, "value": "x"}],
        [{"name": "Subject", "value": ["x"]}],
        [["Subject", "x"]],
    ],
)
def test_headers_of_any_shape(listed: object) -> None:
    """Values that are not headers are skipped."""
    assert read({"headers": listed, "commonHeaders": GONE}).headers == {}


def test_repeated_headers_are_kept_in_order() -> None:
    """A header that occurs twice has two values, whatever its case and blanks."""
    message = read(headers(("X-A", "1"), ("x-a", "2"), (" X-A ", "3"), ("Subject", "s")))
    assert message.header("x-a") == ("1", "2", "3")
    assert message.header("x-b") == ()
    assert read(headers(("Subject", "a"), ("Subject", "=?utf-8?q?b?="))).subject == ("a", "b")


def test_folded_headers_are_unfolded() -> None:
    """A header is one line, however it was folded."""
    assert read(headers(("Subject", "a\r\n b\n\tc"))).subject == ("a b c",)


@pytest.mark.parametrize(
    ("value", "truncated"),
    [(True, True), ("true", True), (False, False), ("false", False), (None, False), (GONE, False)],
)
def test_truncated_headers_are_noted(value: object, truncated: bool) -> None:
    """SES says when it cut the headers at 10 KB."""
    assert read({"headersTruncated": value}).headers_truncated is truncated


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ({"status": "FAIL"}, "fail"),
        ({"status": "GRAY"}, "gray"),
        ({"status": "PROCESSING_FAILED"}, "processing_failed"),
        ({"status": "DISABLED"}, "disabled"),
        ({"status": " pass "}, "pass"),
        ({"status": "SOMETHING_NEW"}, "something_new"),
        ("FAIL", "fail"),
        ({"status": ""}, "absent"),
        ({"status": None}, "absent"),
        ({}, "absent"),
        (None, "absent"),
        (7, "absent"),
        ([], "absent"),
        (GONE, "absent"),
    ],
)
def test_verdicts_of_any_shape(value: object, word: str) -> None:
    """Any word is kept in lower case; what is missing is absent. No list of words is closed."""
    for name in VERDICTS:
        message = read(None, **{f"{name}Verdict": value})
        assert message.verdicts == {**dict.fromkeys(VERDICTS, "pass"), name: word}


@pytest.mark.parametrize(
    ("policy", "word"),
    [
        ("reject", "reject"),
        ("QUARANTINE", "quarantine"),
        (" None ", "none"),
        (GONE, "absent"),
        (None, "absent"),
        ("", "absent"),
        ({"status": "REJECT"}, "absent"),
        (3, "absent"),
    ],
)
def test_dmarc_policy(policy: object, word: str) -> None:
    """A plain word in any case; the shape in AWS's own sample is wrong and is absent."""
    assert read(dmarcPolicy=policy).dmarc_policy == word


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        ("2026-01-01T12:00:00.000Z", datetime(2026, 1, 1, 12, tzinfo=UTC)),
        ("2026-01-01T13:00:00+01:00", datetime(2026, 1, 1, 12, tzinfo=UTC)),
        ("2026-01-01T12:00:00", datetime(2026, 1, 1, 12, tzinfo=UTC)),
        ("1970-01-01T00:00:00.000Z", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_time_of_receipt(timestamp: str, expected: datetime) -> None:
    """ISO 8601, UTC unless an offset is given."""
    assert read({"timestamp": timestamp}).received_at == expected


@pytest.mark.parametrize(
    "timestamp", [GONE, None, "", "yesterday", 1767268800, [], "0001-01-01T00:00:00+23:00"]
)
def test_time_of_receipt_falls_back(timestamp: object) -> None:
    """An unreadable time is looked up in the receipt; if that has none either it is not known."""
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert read({"timestamp": timestamp}).received_at == noon
    assert read({"timestamp": timestamp}, timestamp=timestamp).received_at is None


@pytest.mark.parametrize("value", [0, "0", "574", None, GONE, -1])
def test_what_is_not_used_is_not_read(value: object) -> None:
    """The odd types of members nobody needs cost nothing."""
    assert read(processingTimeMillis=value, action=value) == read()


def test_record_without_receipt_is_read() -> None:
    """A record without a receipt has no recipients and no verdicts, and is not an error."""
    (message,) = read_event({"Records": [{"ses": {"mail": {"messageId": ID}}}]})
    assert message.recipients == ()
    assert set(message.verdicts.values()) == {"absent"}
    assert message.received_at is None


def test_every_record_is_read() -> None:
    """One record is usual; several are several mails."""
    several = {"Records": event()["Records"] + event({"messageId": "other"})["Records"]}
    assert [message.message_id for message in read_event(several)] == [ID, "other"]
