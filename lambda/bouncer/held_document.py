"""The document `held`, as `bouncer pause` writes it and the publisher reads it."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from bouncer.held import Held
from bouncer.rules.document import Node
from bouncer.rules.document_parser import read_document

_LONGEST = 300  # characters of `by` and of `why`
_EXPECTED_TIME = "a time with its offset, such as 2026-11-27T08:00:00+00:00"


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
