"""The source of a mail is read from the header that SES wrote, at little cost."""

import time
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import pytest

from bouncer.mail.message import HEADER_CHARS, Message, read_event, read_record
from bouncer.rules.condition import Text, leaves
from tests.unit.ses_events import EVERYTHING, ID, event, exercise, headers, read


def received(value: str, *below: str) -> Message:
    """A mail with this first Received header, and others below it."""
    return read(headers(("Received", value), *(("Received", each) for each in below)))


REGION = "by inbound-smtp.us-east-1.amazonaws.com with SMTP"


@pytest.mark.parametrize(
    ("value", "helo", "ip"),
    [
        (
            f"from h.example (r.example [203.0.113.7]) {REGION} id {ID} for x; date",
            "h.example",
            "203.0.113.7",
        ),
        (f"from h.example ([203.0.113.7]) {REGION} id {ID}; date", "h.example", "203.0.113.7"),
        (f"from h.example (r.example [2001:db8::7]) {REGION} id {ID}", "h.example", "2001:db8::7"),
        (f"from h.example ([IPv6:2001:db8::7]) {REGION} id {ID}", "h.example", "2001:db8::7"),
        (
            f"from [203.0.113.9] (r.example [203.0.113.7]) {REGION} id {ID}",
            "[203.0.113.9]",
            "203.0.113.7",
        ),
        (
            (
                f"from h.example (r.example [203.0.113.7]) by"
                f" inbound-smtp.cn-north-1.amazonaws.com.cn with ESMTPS id {ID} for x"
            ),
            "h.example",
            "203.0.113.7",
        ),
        (f"from h.example (r.example [999.1.1.1]) {REGION} id {ID}", "h.example", None),
    ],
)
def test_source_of_a_mail(value: str, helo: str, ip: str | None) -> None:
    """Name and address of the connecting host stand in the header SES writes."""
    message = received(value)
    assert message.helo == helo
    assert message.source_ip == (ip and ip_address(ip))


SES = f"(r.example [203.0.113.7]) {REGION} id {ID} for ann@example.com; date"


@pytest.mark.parametrize(
    "helo",
    [
        "([192.0.2.1])",
        "h.example ([192.0.2.1])",
        "x (x [192.0.2.1]) by inbound-smtp.us-east-1.amazonaws.com with SMTP id x",
        "x (x [192.0.2.1]) by inbound-smtp.us-east-1.amazonaws.com with SMTP",
        "x [192.0.2.1]",
        "(x [192.0.2.1]) ;",
        "from x (x [192.0.2.1])",
        "",
    ],
)
def test_helo_does_not_forge_the_address(helo: str) -> None:
    """A sender may say anything in HELO: the address SES saw stands after it."""
    message = received(f"from {helo} {SES}")
    assert message.source_ip == ip_address("203.0.113.7")
    assert message.helo == helo


@pytest.mark.parametrize(
    "value",
    [
        "",
        "nonsense",
        f"from h.example (r.example [192.0.2.1]) {REGION} id other for x; date",
        f"from h.example (r.example [192.0.2.1]) {REGION} id {ID[:-1]}",
        f"from h.example (r.example [192.0.2.1]) by mx.sender.example with SMTP id {ID}",
        f"from h.example (r.example [192.0.2.1]) by inbound-smtp.evil.example with SMTP id {ID}",
        f"from h.example (r.example 192.0.2.1) {REGION} id {ID}",
        f"from h.example (r [192.0.2.2] [192.0.2.1]) {REGION} id {ID}",
        f"by x id {ID}",
    ],
)
def test_other_received_headers_tell_nothing(value: str) -> None:
    """Only a header with SES's own name and the mail's own id is believed."""
    message = received(value)
    assert message.source_ip is None


def test_received_headers_of_the_sender_are_not_read() -> None:
    """Only the first Received header counts, even if one below looks like SES's."""
    forged = f"from h.example (r.example [192.0.2.1]) {REGION} id {ID} for x; date"
    assert received("from a by b", forged).source_ip is None
    assert received(f"from h.example {SES}", forged).source_ip == ip_address("203.0.113.7")
    assert read({"headers": []}).source_ip is None


HOSTILE: dict[str, Callable[[], dict[str, Any]]] = {
    "empty headers": lambda: headers(*[("", "")] * 20_000),
    "one header repeated": lambda: headers(*[("x", "")] * 20_000),
    "different headers": lambda: headers(*((f"X-{n}", "x") for n in range(20_000))),
    "addresses": lambda: headers(("To", ", ".join(f"a{n}@x.example" for n in range(2_000)))),
    "To repeated": lambda: headers(*(("To", f"a{n}@x.example") for n in range(2_000))),
    "encoded words": lambda: headers(("Subject", "=?utf-8?q?x?= " * 20_000)),
    "charsets": lambda: headers(("Subject", "".join(f"=?x{n}?q?x?= " for n in range(20_000)))),
    "open words": lambda: headers(("Subject", "=?a?q?" * 20_000)),
    "open brackets": lambda: headers(("From", "<" * 100_000), ("To", "(" * 100_000)),
    "at signs": lambda: headers(("To", "@" * 100_000)),
    "brackets in Received": lambda: headers(("Received", "from ([(" * 20_000 + f" id {ID}")),
    "hops in Received": lambda: headers(
        ("Received", f"from x ([1.2.3.4]) {REGION} " * 300 + f"id {ID}")
    ),
    "common headers": lambda: {
        "headers": [],
        "commonHeaders": {"to": ["(" * 16_000] * 200, "subject": ["=?a?q?" * 3_000] * 200},
    },
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_sizes_cost_little(what: str) -> None:
    """No event takes long to read and decide about, whatever is repeated in it."""
    hostile = event(HOSTILE[what]())
    start = time.perf_counter()
    (message,) = read_event(hostile)
    exercise(message)
    assert time.perf_counter() - start < 0.5


def test_too_many_recipients_cost_little() -> None:
    """Many recipients are many decisions, and no more than that."""
    message = read(recipients=[f"a{number}+tag@x.example" for number in range(2_000)])
    start = time.perf_counter()
    assert len(EVERYTHING.decisions(message)) == 2_000
    assert time.perf_counter() - start < 0.5


def test_more_headers_than_ses_passes_on_are_cut() -> None:
    """Beyond the limit headers are cut, and the message says so."""
    message = read(headers(("Subject", "s"), ("X-Long", "x" * HEADER_CHARS), ("X-After", "y")))
    assert message.headers_truncated
    assert message.subject == ("s",)
    assert len(message.header("x-long")[0]) < HEADER_CHARS
    assert message.header("x-after") == ()
    assert not read(headers(("X-Long", "x" * 10_240))).headers_truncated


def test_the_hostile_rules_ask_for_every_field() -> None:
    """The tests above are only worth something if their rule reads all that an event has."""
    asked = {
        leaf.field
        for rule in EVERYTHING.rules
        for leaf in (leaves(rule.condition) if rule.condition else ())
        if isinstance(leaf, Text)
    }
    derived = {"recipient", "sender_domain", "from_domain", "recipient_domain"}
    headers_read = {"header:x-any", "header:received"}
    named = {"sender", "from", "to", "cc", "reply_to", "subject", "helo"}
    assert asked == named | derived | headers_read


@pytest.mark.parametrize("listed", [None, {}, "x", [None], [["Subject", "x"]], [{"name": "x"}]])
def test_headers_that_cannot_be_read_in_full_count_as_cut(listed: object) -> None:
    """A signal may stand in what could not be read, so such a mail is never answered."""
    record = {"ses": {"mail": {"messageId": "m", "source": "a@b.example", "headers": listed}}}
    assert read_record(record).headers_truncated
