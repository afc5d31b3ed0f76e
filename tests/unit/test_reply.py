"""A reply: what can't be sent can't be made, and its message has no header of a stranger's."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncer.jobs.job import JobError
from bouncer.jobs.reply import SUBJECT_LIMIT, TEXT_LIMIT, Reply
from bouncer.jobs.reply_json import from_json, to_json
from bouncer.reply_text import mime

NOW = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)
ID = "<1@sender.example>"
REPLY = Reply(
    message_id="m1",
    received_at=datetime(2026, 11, 2, 8, tzinfo=UTC),
    reference="bnc-aaaaaaaaaaaaaaaa",
    sender="bob@sender.example",
    recipients=("ann@example.com",),
    rule="200-departed",
    from_="Example Ltd <no-reply@example.com>",
    from_arn=None,
    subject="Auto: Hello",
    text="Ann has left.\n\nPlease write to Carl.",
    once_per_s=7 * 86400,
    in_reply_to=ID,
    references=("<0@sender.example>", ID),
)


def message(reply: Reply) -> EmailMessage:
    """The message as a receiver reads it."""
    raw = mime(reply, date=NOW)
    read = message_from_bytes(raw, policy=policy.default)
    assert isinstance(read, EmailMessage)
    assert not read.defects
    return read


def text_of(read: EmailMessage) -> str:
    """The text of a message, with line feeds alone between its lines."""
    return str(read.get_content()).replace("\r\n", "\n")


def test_a_reply_survives_the_queue() -> None:
    """It is ASCII JSON with a version and its kind."""
    reply = replace(
        REPLY,
        text="Grüße \U0001f4ec",
        from_arn="arn:aws:ses:x:1:identity/a",
        reply_to="hello@example.com",
    )
    body = to_json(reply)
    assert body.isascii()
    assert (json.loads(body)["v"], json.loads(body)["kind"]) == (1, "reply")
    assert from_json(body) == reply


def test_the_longest_reply_fits_the_queue() -> None:
    """SQS takes 256 KB in every region, and a letter may become twelve bytes."""
    reply = replace(
        REPLY,
        text="\U0001f4ec" * TEXT_LIMIT,
        subject="\U0001f4ec" * SUBJECT_LIMIT,
        recipients=("x" * 308 + "@example.com",) * 50,
        references=(f"<{'x' * 248}>",) * 20,
    )
    assert len(to_json(reply)) < 200_000


@pytest.mark.threat
@pytest.mark.parametrize(
    "change",
    [
        {"subject": "Hello\r\nBcc: eve@evil.example"},
        {"subject": "Hello\nX: y"},
        {"subject": "x" * (SUBJECT_LIMIT + 1)},
        {"subject": " "},
        {"text": ""},
        {"text": "x" * (TEXT_LIMIT + 1)},
        {"text": "a\rb"},
        {"text": "a\x00b"},
        {"text": "a\ud800b"},
        {"sender": ""},
        {"sender": "bob@sender.example, eve@evil.example"},
        {"sender": "bob@sender.example\r\nBcc: eve@evil.example"},
        {"sender": "Bob <bob@sender.example>"},
        {"from_": "no-reply@example.com\r\nBcc: eve@evil.example"},
        {"from_": "a@example.com, b@example.com"},
        {"from_arn": "arn\n"},
        {"reply_to": "hello@example.com\r\nBcc: eve@evil.example"},
        {"reply_to": ""},
        {"in_reply_to": "<1@sender.example>\r\nBcc: eve@evil.example"},
        {"in_reply_to": "1@sender.example"},
        {"references": ("<a b@sender.example>",)},
        {"references": (f"<{'x' * 300}>",)},
        {"references": (ID,) * 21},
        {"recipients": ()},
        {"recipients": ("ann@example.com",) * 51},
        {"recipients": ("ann@example.com\n",)},
        {"rule": "a b"},
        {"rule": "a\n"},
        {"once_per_s": 3599},
        {"once_per_s": 31 * 86400},
        {"once_per_s": True},
        {"received_at": datetime(2026, 11, 2)},  # noqa: DTZ001  # without an offset
        {"received_at": datetime.max.replace(tzinfo=UTC)},
        {"message_id": "m1\n"},
        {"reference": "bnc-\n"},
    ],
    ids=str,
)
def test_a_reply_that_would_be_misread_is_not_made(change: dict[str, Any]) -> None:
    """Line breaks, several addresses, and what is longer than allowed."""
    with pytest.raises(JobError, match=r"^found "):
        replace(REPLY, **change)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("v", 2),
        ("kind", "bounce"),
        ("text", 1),
        ("recipients", "ann@example.com"),
        ("references", [1]),
        ("received_at", "yesterday"),
        ("rule", None),
        ("more", 1),
    ],
)
def test_a_body_that_is_not_a_reply_is_refused(member: str, value: object) -> None:
    """With a sentence, whatever it holds."""
    body = json.loads(to_json(REPLY)) | {member: value}
    with pytest.raises(JobError, match=r"^found "):
        from_json(json.dumps(body))
    for text in ("", "[]", "{", json.dumps({**json.loads(to_json(REPLY)), "text": None})):
        with pytest.raises(JobError, match=r"^found "):
            from_json(text)


def test_the_message_has_what_automatic_replies_have() -> None:
    """RFC 3834 section 3.1; SES adds the Message-ID."""
    read = message(REPLY)
    assert {name: str(value) for name, value in read.items()} == {
        "From": "Example Ltd <no-reply@example.com>",
        "To": "bob@sender.example",
        "Subject": "Auto: Hello",
        "Date": "Mon, 02 Nov 2026 08:30:00 +0000",
        "In-Reply-To": ID,
        "References": f"<0@sender.example> {ID}",
        "Auto-Submitted": "auto-replied",
        "X-Auto-Response-Suppress": "All",
        "X-Bouncer-Reference": "bnc-aaaaaaaaaaaaaaaa",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "7bit",
        "MIME-Version": "1.0",
    }
    assert text_of(read) == "Ann has left.\n\nPlease write to Carl.\n"


def test_answers_go_where_the_rule_says() -> None:
    """Reply-To has the address to which people write who press Reply."""
    read = message(replace(REPLY, reply_to="=?utf-8?Q?B=C3=BCro?= <office@example.com>"))
    (address,) = read["reply-to"].addresses
    assert (address.display_name, address.addr_spec) == ("Büro", "office@example.com")


def test_a_mail_without_an_id_has_no_thread() -> None:
    """An empty header would be a defect."""
    read = message(replace(REPLY, in_reply_to="", references=()))
    assert "In-Reply-To" not in read
    assert "References" not in read


@pytest.mark.parametrize(
    ("mailbox", "name"),
    [
        ("no-reply@example.com", ""),
        ("Example, Ltd: (help) <no-reply@example.com>", "Example, Ltd: (help)"),
        ('"Example, Ltd: (help)" <no-reply@example.com>', "Example, Ltd: (help)"),
        (r'"The \"help\" desk" <no-reply@example.com>', 'The "help" desk'),
        ("=?utf-8?Q?M=C3=BCller,_Ltd?= <no-reply@example.com>", "Müller, Ltd"),
        ("=?utf-8?Q?a=0D=0ABcc:_x?= <no-reply@example.com>", "a Bcc: x"),
        ("What =? <no-reply@example.com>", "What =?"),
    ],
)
def test_a_display_name_is_quoted_if_need_be(mailbox: str, name: str) -> None:
    """So From has one address, whatever an operator called it, in encoded words, too."""
    (address,) = message(replace(REPLY, from_=mailbox))["from"].addresses
    assert (address.display_name, address.addr_spec) == (name, "no-reply@example.com")


@pytest.mark.threat
def test_addresses_and_ids_are_never_encoded() -> None:
    """A stranger's may look like encoded words, and no reader would find them again."""
    odd = "<=?utf-8?q?x?=@sender.example>"
    reply = replace(REPLY, sender="a=?b@sender.example", in_reply_to=odd, references=(ID, odd))
    lines = mime(reply, date=NOW).decode().split("\r\n")
    assert f"To: {reply.sender}" in lines
    assert f"In-Reply-To: {odd}" in lines
    assert f"References: {ID} {odd}" in lines


LINES = st.text(st.characters(blacklist_categories=("C", "Z")) | st.just(" "), max_size=120)


@given(subject=LINES, lines=st.lists(LINES, max_size=20))
def test_any_text_arrives_as_it_was_written(subject: str, lines: list[str]) -> None:
    """Subject and text in any letters: lines are short, ASCII, and end with CR LF."""
    subject = " ".join(f"Auto: {subject}".split())
    text = "\n".join(["Hello", *lines]).rstrip()
    reply = replace(REPLY, subject=subject, text=text)
    raw = mime(reply, date=NOW)
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    read = message(reply)
    assert read["subject"] == subject
    assert text_of(read) == f"{text}\n"
    assert len(read.items()) == 12
