"""Builders for the tests of message."""

import json
from collections.abc import Mapping
from typing import Any

from bouncer.mail.message import Message, read_event
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


def exercise(message: Message) -> None:
    """Everything anybody may ask of a message."""
    for name in ("subject", "from_", "to", "cc", "reply_to", "helo", "source_ip"):
        getattr(message, name)
    for recipient in (*message.recipients, "ann@example.com"):
        EVERYTHING.decide(message, recipient)
