"""The state in which no bounce is sent: since when, by whom and why.

Sending is held by the document `held`, which `bouncer pause` writes and `bouncer resume` removes,
or by `sending: paused` in the settings. Both are one state. Jobs then wait in the queue; after 12
hours the intake makes no further ones and lets mail go on that it would have bounced, because a job
of a later mail would hardly be sent within its 24 hours.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bouncer.rules.document import Node
from bouncer.rules.document_parser import read_document

GOES_ON_AFTER = timedelta(hours=12)  # held for so long, mail goes on that would be bounced

_LONGEST = 300  # characters of `by` and of `why`
_EXPECTED_TIME = "a time with its offset, such as 2026-11-27T08:00:00+00:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One cause for which no bounce is sent; `document` is the parameter that says so.

    `since` is aware. None is a start that nobody knows, and counts as long ago.
    """

    since: datetime | None
    by: str
    why: str
    document: str

    def is_long(self, now: datetime) -> bool:
        """Tell whether mail goes on that would be bounced, as sending is held for 12 hours."""
        return self.since is None or now - self.since >= GOES_ON_AFTER

    def __str__(self) -> str:
        """Return the state in words for an operator."""
        since = f"since {shown_time(self.since)}" if self.since else "since an unknown time"
        return f"sending is held {since} by {self.by}{f' ({self.why})' if self.why else ''}"


def first_held(causes: Iterable[Held]) -> Held | None:
    """Return the cause that began first; one whose start is not known began before all others."""
    long_ago = datetime.min.replace(tzinfo=UTC)
    return min(causes, key=lambda held: held.since or long_ago, default=None)


def shown_time(moment: datetime) -> str:
    """Return a time for people, in UTC and to the minute."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def held_document(*, since: datetime, by: str, why: str) -> str:
    """Return the text of the document `held`; `read_held` reads it again.

    Texts are put on one line and cut where they are too long.
    """
    members = {"since": since.isoformat(timespec="seconds"), "by": _line(by), "why": _line(why)}
    return json.dumps({key: value for key, value in members.items() if value})


def _line(text: str) -> str:
    return " ".join(text.split())[:_LONGEST]


def read_held(text: str, *, document: str) -> Held:
    """Return the state that a document describes; raises `DocumentError`.

    Its members are `since` and `by`, and `why` if a reason was given.
    """
    root = read_document(document, text)
    entries = root.members(("since", "by", "why"), "a mapping with since and by")
    since, by, why = _since(root, entries), _text(root, entries, "by"), ""
    if "why" in entries:
        why = _text(root, entries, "why")
    root.report.settle()
    return Held(since=since, by=by, why=why, document=document)


def _since(root: Node, entries: Mapping[str, Node]) -> datetime | None:
    node = entries.get("since") or root.child("since", None)
    text = node.value if isinstance(node.value, str) else ""
    if re.fullmatch(r"[0-9T:.+Z -]{16,40}", text):
        try:
            since = datetime.fromisoformat(text)
            if since.tzinfo is not None and since.astimezone(UTC):  # a time that UTC has, too
                return since
        except (ValueError, OverflowError):
            pass
    node.fault(_EXPECTED_TIME)
    return None


def _text(root: Node, entries: Mapping[str, Node], name: str) -> str:
    node = entries.get(name) or root.child(name, None)
    expected = f"text of 1 to {_LONGEST} characters"
    if not isinstance(node.value, str) or not 0 < len(node.value.strip()) <= _LONGEST:
        node.fault(expected)
        return ""
    return node.value
