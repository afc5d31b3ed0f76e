"""A reply as the body of a queue message: ASCII JSON, with its version as `v` and kind `reply`."""

import json
from datetime import UTC, datetime
from typing import Any

from bouncer.jobs.job import JobError
from bouncer.jobs.reply import Reply

VERSION = 1
KIND = "reply"


def to_json(reply: Reply) -> str:
    """Return the reply as a queue message body."""
    members = {
        "v": VERSION,
        "kind": KIND,
        "message_id": reply.message_id,
        "received_at": reply.received_at.isoformat(),
        "reference": reply.reference,
        "sender": reply.sender,
        "recipients": reply.recipients,
        "rule": reply.rule,
        "from": reply.from_,
        "from_arn": reply.from_arn,
        "subject": reply.subject,
        "text": reply.text,
        "once_per_s": reply.once_per_s,
        "in_reply_to": reply.in_reply_to,
        "references": reply.references,
        "reply_to": reply.reply_to,
    }
    return json.dumps(members, separators=(",", ":"))


def from_json(text: str) -> Reply:
    """Return the reply in a queue message body; raises `JobError` for every other body."""
    try:
        members = json.loads(text)
    except (ValueError, RecursionError):
        raise JobError("found a body that is not JSON, expected a reply") from None
    if (
        not isinstance(members, dict)
        or members.pop("v", None) != VERSION
        or members.pop("kind", None) != KIND
    ):
        raise JobError(f"found another kind of body, expected a reply of version {VERSION}")
    try:
        return _reply(members)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise JobError(
            f"found a reply with unreadable members ({error!r:.200}), expected a whole one"
        ) from error


def _reply(members: dict[str, Any]) -> Reply:
    return Reply(
        received_at=datetime.fromisoformat(members.pop("received_at")).astimezone(UTC),
        recipients=_texts(members.pop("recipients")),
        from_=members.pop("from"),
        references=_texts(members.pop("references")),
        **members,
    )


def _texts(items: object) -> tuple[str, ...]:
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise TypeError("a list of texts is another value")
    return tuple(items)
