"""Reading SES's event: every shape seen in the field, and all that a stranger could put in."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bouncer.errors import UnreadableEventError
from bouncer.mail.message import HEADER_CHARS, VERDICTS, Message, read_event, read_record
from bouncer.rules.condition import Text, leaves
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset

ID = "o3vrnil0e2ic28trm7dfhrc2v0clambda4nbp0g1"
RECEIVED = (
    "from mail.sender.example (mail.sender.example [203.0.113.7])"
    f" by inbound-smtp.eu-west-1.amazonaws.com with SMTP id {ID}"
    " for ann@example.com; Thu, 01 Jan 2026 12:00:00 +0000 (UTC)"
)
RECORD: dict[str, Any] = {
    "eventSource": "aws:ses",
    "eventVersion": "1.0",
    "ses": {
        "mail": {
            "timestamp": "2026-01-01T12:00:00.000Z",
            "source": "bob@sender.example",
            "messageId": ID,
            "destination": ["someone.else@example.com"],
            "headersTruncated": False,
            "headers": [
                {"name": "Return-Path", "value": "<bob@sender.example>"},
                {"name": "Received", "value": RECEIVED},
                {"name": "From", "value": "Bob <bob@sender.example>"},
                {"name": "To", "value": "Someone <someone.else@example.com>"},
                {"name": "Subject", "value": "Hello"},
            ],
            "commonHeaders": {
                "returnPath": "bob@sender.example",
                "from": ["Bob <bob@sender.example>"],
                "date": "Thu, 01 Jan 2026 12:00:00 +0000",
                "to": ["Someone <someone.else@example.com>"],
                "messageId": "<1@sender.example>",
                "subject": "Hello",
            },
        },
        "receipt": {
            "timestamp": "2026-01-01T12:00:00.000Z",
            "processingTimeMillis": 574,
            "recipients": ["ann@example.com"],
            "spamVerdict": {"status": "PASS"},
            "virusVerdict": {"status": "PASS"},
            "spfVerdict": {"status": "PASS"},
            "dkimVerdict": {"status": "PASS"},
            "dmarcVerdict": {"status": "PASS"},
            "action": {"type": "Lambda", "invocationType": "RequestResponse"},
        },
    },
}
GONE = object()
EVERYTHING = Ruleset(
    [
        read_rule(
            "every-field",
            """
            when:
              any:
                - {sender: "*x*", from: "*x*", to: "*x*", cc: "*x*", reply_to: "*x*"}
                - {subject: {regex: "x+"}, helo: "*x*", source_ip: 192.0.2.0/24}
                - {header: {x-any: {contains: x}, received: {contains: y}}, recipients: {over: 9}}
                - {from_domain: .x.example, sender_domain: x.example, spf: fail}
                - {recipient: "x@*", recipient_domain: .x.example, dmarc_policy: reject}
                - {time: {between: ["00:00", "00:01"]}, to: {ends_with: x}, subject: {contains: x}}
            reject: {type: Undefined}
            """,
        )
    ]
)


def event(mail: Mapping[str, Any] | None = None, **receipt: object) -> dict[str, Any]:
    """SES's event with some members changed; GONE removes one."""
    ses = RECORD["ses"]
    record = {
        **RECORD,
        "ses": {
            "mail": {**ses["mail"], **(mail or {})},
            "receipt": {**ses["receipt"], **receipt},
        },
    }
    for part in record["ses"].values():
        for key in [key for key, value in part.items() if value is GONE]:
            del part[key]
    return {"Records": [json.loads(json.dumps(record))]}


def read(mail: Mapping[str, Any] | None = None, **receipt: object) -> Message:
    """The one message in such an event."""
    (message,) = read_event(event(mail, **receipt))
    return message


def headers(*pairs: tuple[str, str]) -> dict[str, Any]:
    """A mail with these headers only."""
    listed = [{"name": name, "value": value} for name, value in pairs]
    return {"headers": listed, "commonHeaders": GONE}


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


@pytest.mark.parametrize(
    ("strange", "words"),
    [
        (None, "not a JSON object"),
        ("x", "not a JSON object"),
        ([], "a list"),
        ({}, "an empty object"),
        ({"a": 1, "b": 2}, "the keys a, b"),
        ({"\u202e" + "x" * 500: 1}, "the keys xxx"),
        ({"Records": None}, "the keys Records"),
        ({"Records": []}, "the keys Records"),
        ({"Records": {}}, "the keys Records"),
        ({"Records": [None]}, "not a JSON object"),
        ({"Records": [{}]}, "an empty object"),
        ({"Records": [{"ses": None}]}, "the keys ses"),
        ({"Records": [{"ses": {"mail": []}}]}, "the keys ses"),
        ({"Records": [{"s3": {}}]}, "an S3 event"),
        ({"Records": [{"Sns": {"Message": "{}"}}]}, "an SNS event"),
        ({"Records": [{"body": "{}", "receiptHandle": "x"}]}, "an SQS event"),
        ({"Type": "SubscriptionConfirmation", "SubscribeURL": "x"}, "an SNS subscription"),
        ({"notificationType": "Delivery", "mail": {}}, "a sending notification"),
        ({"eventType": "Bounce"}, "a sending event"),
        (event({"messageId": GONE}), "no mail.messageId"),
        (event({"messageId": " "}), "no mail.messageId"),
        (event({"messageId": 7}), "no mail.messageId"),
        (event({"messageId": "AMAZON_SES_SETUP_NOTIFICATION"}), "AMAZON_SES_SETUP_NOTIFICATION"),
        (event({"messageId": "in/AMAZON_SES_SETUP_NOTIFICATION"}), "when a rule is made"),
    ],
)
def test_what_is_no_mail_is_said_to_be_what_it_is(strange: object, words: str) -> None:
    """Anything else raises one error that names what was found, short and printable."""
    with pytest.raises(UnreadableEventError) as caught:
        read_event(strange)
    assert words in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 250


def test_deeply_nested_strangers_are_refused() -> None:
    """A value that is not an event is refused in the same way, however deep it nests."""
    nested: dict[str, Any] = {}
    for _ in range(5_000):
        nested = {"Records": [nested]}
    with pytest.raises(UnreadableEventError):
        read_event(nested)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "Records",
                    "ses",
                    "mail",
                    "receipt",
                    "messageId",
                    "source",
                    "headers",
                    "name",
                    "value",
                    "commonHeaders",
                    "to",
                    "subject",
                    "recipients",
                    "spfVerdict",
                    "status",
                    "timestamp",
                    "headersTruncated",
                    "body",
                    "Sns",
                    "s3",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
MAIL_MEMBERS = [*RECORD["ses"]["mail"]]
RECEIPT_MEMBERS = [*RECORD["ses"]["receipt"], "dmarcPolicy"]


def exercise(message: Message) -> None:
    """Everything anybody may ask of a message."""
    for name in ("subject", "from_", "to", "cc", "reply_to", "helo", "source_ip"):
        getattr(message, name)
    for recipient in (*message.recipients, "ann@example.com"):
        EVERYTHING.decide(message, recipient)


@given(JSON)
def test_no_event_raises_anything_else(strange: object) -> None:
    """Any JSON value is read or refused."""
    for candidate in (strange, {"Records": [strange]}, {"Records": [{"ses": {"mail": strange}}]}):
        try:
            messages = read_event(candidate)
        except UnreadableEventError:
            continue
        for message in messages:
            exercise(message)


@settings(max_examples=50)
@given(
    st.dictionaries(st.sampled_from(MAIL_MEMBERS[:2] + MAIL_MEMBERS[3:]), JSON),
    st.dictionaries(st.sampled_from(RECEIPT_MEMBERS), JSON),
)
def test_no_member_makes_a_mail_unreadable(mail: dict[str, Any], receipt: dict[str, Any]) -> None:
    """With a message id there is a message, whatever else is in the event."""
    if not isinstance(mail.get("messageId", ID), str):
        mail.pop("messageId")
    try:
        exercise(read(mail, **receipt))
    except UnreadableEventError:
        assert not mail["messageId"].strip()


@given(st.lists(st.tuples(st.text(st.characters(codec=None)), st.text(st.characters(codec=None)))))
def test_any_header_is_read(pairs: list[tuple[str, str]]) -> None:
    """NUL, bidi characters, lone surrogates: no header text stops a decision."""
    named = [(name, value) for name, value in pairs]
    for name in ("Subject", "To", "X-Any"):
        named += [(name, value) for _, value in pairs]
    exercise(read(headers(*named)))


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
