"""The document `pushing`, which exists while somebody replaces many documents at once.

    {"id": "4f0c", "by": "arn:aws:iam::1:user/ann", "expires": "2026-11-27T20:30:00+00:00"}

`id` names the push; `by` says whose it is, and may be left out. Until the document is taken away,
or expires, the rules in force stay as they are, so that no half of a new set is ever in force. It
holds them for 30 minutes at most, whatever it says.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from bouncer.errors import DocumentError
from bouncer.rules.document import Node
from bouncer.rules.document_parser import read_document
from bouncer.sources.source import Document

LONGEST = timedelta(minutes=30)
_LONGEST_NAME = 300  # characters of `by`
_A_TIME = "a time with its offset, such as 2026-11-27T20:30:00+00:00"


class Pushing(NamedTuple):
    """A push under way; `by` is "" if the document does not say whose it is."""

    id: str
    by: str
    expires: datetime


def pushing_document(pushing: Pushing) -> str:
    """Return the text of the document; `read_pushing` reads it again."""
    members = {
        "id": pushing.id,
        "by": " ".join(pushing.by.split())[:_LONGEST_NAME],
        "expires": pushing.expires.isoformat(timespec="seconds"),
    }
    return json.dumps({key: value for key, value in members.items() if value})


def pushing_state(document: Document | None, now: datetime) -> tuple[bool, tuple[str, ...]]:
    """Tell whether the rules stay as they are, and say what is wrong with the document.

    One that can't be read counts as one that was written for 30 minutes. `now` is aware.
    """
    if document is None:
        return False, ()
    latest = document.modified + LONGEST if document.modified else None
    problems: tuple[str, ...] = ()
    try:
        expires = read_pushing(document).expires
        ends = min(expires, latest) if latest else expires
    except DocumentError as error:
        problems = tuple(map(str, error.problems))
        ends = latest or now
    if now < ends:
        return True, problems
    found = f"found the end of a push that was due at {ends:%Y-%m-%d %H:%M} UTC"
    expected = "expected none: push again, or delete this parameter"
    return False, (*problems, f"{document.label}: {found}, {expected}")


def read_pushing(document: Document) -> Pushing:
    """Return what the document says; raises `DocumentError`."""
    root = read_document(document.label, document.plain_text)
    entries = root.members(("id", "by", "expires"), "a mapping with id and expires")
    name = _text(_member(root, entries, "id"), "the name of the push")
    by = _text(entries["by"], "the name of who pushes") if "by" in entries else ""
    expires = _time(_member(root, entries, "expires"))
    root.report.settle()
    return Pushing(name, by, expires)


def _text(node: Node, expected: str) -> str:
    if isinstance(node.value, str) and node.value:
        return node.value
    node.fault(expected)
    return ""


def _member(root: Node, entries: Mapping[str, Node], name: str) -> Node:
    return entries.get(name) or root.child(name, None)


def _time(node: Node) -> datetime:
    try:
        found = datetime.fromisoformat(str(node.value))
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):  # also a time before the year 1 in UTC
        pass
    node.fault(_A_TIME)
    return datetime.min.replace(tzinfo=UTC)
