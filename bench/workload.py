"""The rules and mails of all benchmarks: the mix that a large receiver of mail may have.

Of N rules 25 % ask for an exact recipient, 20 % for a sender's domain and its subdomains, 20 % for
an exact sender, 10 % for a word in the subject, 8 % for a regex in it, 7 % for a regex in one of 12
headers, 9 % for a network and 1 % for a verdict. About 5 % of the mails match a rule.
"""

import json
import random
from typing import Any

HEADERS = [f"X-Trait-{letter}" for letter in "ABCDEFGHIJKL"]
_WORDS = [
    "invoice",
    "meeting",
    "report",
    "offer",
    "update",
    "order",
    "ticket",
    "project",
    "travel",
    "budget",
    "review",
    "draft",
]
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _word(draw: random.Random, length: int) -> str:
    return "".join(draw.choices(_LETTERS, k=length))


def documents(count: int, seed: int = 1) -> dict[str, dict[str, Any]]:
    """Return `count` rule documents by name."""
    draw = random.Random(seed)
    kinds = ["recipient"] * 25 + ["domain"] * 20 + ["sender"] * 20 + ["word"] * 10
    kinds += ["subject"] * 8 + ["header"] * 7 + ["network"] * 9 + ["verdict"]
    draw.shuffle(kinds)
    return {
        f"{number:06d}": {
            "when": _when(kinds[number % 100], draw),
            "reject": {"type": "ContentRejected"},
        }
        for number in range(count)
    }


def _when(kind: str, draw: random.Random) -> dict[str, Any]:
    name = _word(draw, 7)
    match kind:
        case "recipient":
            return {"recipient": f"{name}@example.com"}
        case "domain":
            return {"sender_domain": [f"{name}.example", f".{name}.example"]}
        case "sender":
            return {"sender": f"{_word(draw, 5)}@{name}.example"}
        case "word":
            return {"subject": {"contains": f"{name}{_word(draw, 2)}"}}
        case "subject":
            return {"subject": {"regex": rf"\b{name}\s+(re)?{_word(draw, 4)}\b"}}
        case "header":
            return {"header": {draw.choice(HEADERS): {"regex": rf"^{name}-\d+"}}}
        case "network":
            octets = [draw.randrange(1, 224), draw.randrange(256), draw.randrange(256)]
            return {"source_ip": ".".join(map(str, octets)) + ".0/24"}
        case _:
            return {"spam": "fail", "sender": f"*@{name}.example"}


def events(count: int, rules: dict[str, dict[str, Any]], seed: int = 2) -> list[str]:
    """Return `count` SES events as JSON text; about 5 % of them match one of the rules."""
    draw = random.Random(seed)
    wanted = list(rules.values())
    return [json.dumps(_event(draw, wanted)) for _ in range(count)]


def event_for(recipients: list[str], seed: int = 3) -> dict[str, Any]:
    """Return one SES event for several recipients."""
    event = _event(random.Random(seed), [{"when": {}}])
    event["Records"][0]["ses"]["receipt"]["recipients"] = recipients
    return event


def _event(draw: random.Random, wanted: list[dict[str, Any]]) -> dict[str, Any]:
    mail = {
        "sender": f"{_word(draw, 6)}@{_word(draw, 9)}.example",
        "recipient": f"{_word(draw, 8)}@example.com",
        "subject": " ".join(draw.sample(_WORDS, 5)) + " " + _word(draw, 6),
        "ip": f"198.51.{draw.randrange(256)}.{draw.randrange(256)}",
        "spam": "PASS",
        "traits": {name: _word(draw, 12) for name in draw.sample(HEADERS, 4)},
    }
    if draw.random() < 0.05:
        _fit(mail, draw.choice(wanted)["when"])
    return _ses_event(mail, draw)


def _fit(mail: dict[str, Any], when: dict[str, Any]) -> None:
    """Change a mail so that it matches a rule, for the kinds where that is easy."""
    for field, value in when.items():
        match field:
            case "recipient":
                mail["recipient"] = value
            case "sender":
                mail["sender"] = value.replace("*", "ann")
            case "sender_domain":
                mail["sender"] = f"ann@mail{value[1]}"
            case "subject" if "contains" in value:
                mail["subject"] += " " + value["contains"].upper()
            case "source_ip":
                mail["ip"] = value.replace(".0/24", ".9")
            case "spam":
                mail["spam"] = "FAIL"
            case "header":
                name, matcher = next(iter(value.items()))
                mail["traits"][name] = matcher["regex"][1:8] + "-42"


def _ses_event(mail: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    number = _word(draw, 40)
    stamp = "Mon, 02 Nov 2026 08:00:00 +0000 (UTC)"
    token = "".join(draw.choices(_LETTERS + _LETTERS.upper() + "0123456789+/", k=340))
    headers = {
        "Return-Path": f"<{mail['sender']}>",
        "Received": f"from mx.sender.example (mx.sender.example [{mail['ip']}]) by inbound-smtp."
        f"us-east-1.amazonaws.com with SMTP id {number} for {mail['recipient']}; {stamp}",
        "X-SES-Spam-Verdict": mail["spam"],
        "X-SES-Virus-Verdict": "PASS",
        "Received-SPF": f"pass (spfCheck: domain of sender.example designates {mail['ip']} as "
        f"permitted sender) client-ip={mail['ip']}; envelope-from={mail['sender']};",
        "Authentication-Results": f"amazonses.com; spf=pass client-ip={mail['ip']}; dkim=pass; "
        "dmarc=pass",
        "X-SES-RECEIPT": "AEFBQUFB" + token[:120],
        "X-SES-DKIM-SIGNATURE": f"a=rsa-sha256; q=dns/txt; b={token}; c=relaxed/simple; v=1",
        "DKIM-Signature": "v=1; a=rsa-sha256; c=relaxed/relaxed; d=sender.example; s=s1; "
        f"b={token}",
        "X-Google-DKIM-Signature": f"v=1; a=rsa-sha256; c=relaxed/relaxed; d=1e100.net; b={token}",
        "X-Gm-Message-State": token[:120],
        "MIME-Version": "1.0",
        "From": f"Ann Sender <{mail['sender']}>",
        "Date": "Mon, 2 Nov 2026 09:00:00 +0100",
        "Message-ID": f"<{number[:20]}@sender.example>",
        "Subject": mail["subject"],
        "To": mail["recipient"],
        "Content-Type": 'multipart/alternative; boundary="0000000000004c2b1405f2b0c9d1"',
        **mail["traits"],
    }
    verdict = {"status": "PASS"}
    return {
        "Records": [
            {
                "eventSource": "aws:ses",
                "eventVersion": "1.0",
                "ses": {
                    "mail": {
                        "timestamp": "2026-11-02T08:00:00.000Z",
                        "source": mail["sender"],
                        "messageId": number,
                        "destination": [mail["recipient"]],
                        "headersTruncated": False,
                        "headers": [{"name": key, "value": text} for key, text in headers.items()],
                        "commonHeaders": {
                            "returnPath": mail["sender"],
                            "from": [headers["From"]],
                            "to": [mail["recipient"]],
                            "subject": mail["subject"],
                            "date": headers["Date"],
                            "messageId": headers["Message-ID"],
                        },
                    },
                    "receipt": {
                        "timestamp": "2026-11-02T08:00:00.000Z",
                        "processingTimeMillis": 412,
                        "recipients": [mail["recipient"]],
                        "spamVerdict": {"status": mail["spam"]},
                        "virusVerdict": verdict,
                        "spfVerdict": verdict,
                        "dkimVerdict": verdict,
                        "dmarcVerdict": verdict,
                        "action": {
                            "type": "Lambda",
                            "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:intake",
                            "invocationType": "RequestResponse",
                        },
                    },
                },
            }
        ]
    }
