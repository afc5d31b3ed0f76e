"""Reads a rule from its document, which looks like this:

    description: People who left; tell senders whom to write instead.
    mode: enforce | shadow | off        # default enforce
    from: 2026-12-01                    # ISO date or time, UTC unless it has an offset
    until: 2027-01-31                   # a date means to the end of that day
    share: 10%                          # acts on this share of correspondents
    at_most: {bounces: 100, per: 1h}    # bounces; beyond them it acts as in shadow
    when: {...}                         # every key must hold; see condition_reader
    unless: {...}                       # same language; if it holds, the rule does not match
    accept: {} | drop: {} | reject: {...} | reply: {...}

A rule has exactly one of the four actions; without `when` it means every message. A document is
read whole, so that all of its problems are reported at once.
"""

import re
from datetime import UTC, date, datetime, timedelta

from bouncer.errors import DocumentError
from bouncer.rules.condition import All, Condition, Not
from bouncer.rules.condition_reader import read_condition
from bouncer.rules.document import Node, show
from bouncer.rules.document_parser import read_document
from bouncer.rules.limit_reader import read_at_most, read_share
from bouncer.rules.list_placeholders import with_columns
from bouncer.rules.rejection import Rejection
from bouncer.rules.rejection_reader import read_rejection
from bouncer.rules.reply_form import ReplyForm
from bouncer.rules.reply_reader import read_reply
from bouncer.rules.rule import Action, Mode, Rule

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")  # what SSM and file systems both allow
_DONE = {Action.REJECT: "rejected", Action.DROP: "dropped", Action.REPLY: "replied to"}
_PARTS = ("description", "mode", "from", "until", "share", "at_most", "when", "unless")
_KEYS = (*_PARTS, *map(str, Action))

_Sent = Rejection | ReplyForm  # what an action sends to the sender of a mail


def read_rule(name: str, text: str, *, document: str | None = None) -> Rule:
    """Return the rule called `name`; raise `DocumentError` with all problems of `document`."""
    root = read_document(document or name, text)
    if not NAME.fullmatch(name):
        expected = "letters, digits, dot, dash and underscore, at most 100"
        root.fault(expected, found=f"the rule name {show(name)}")
    entries = root.members(_KEYS, "a rule (a mapping with accept, reject, drop or reply)")
    action, sent = _action(root, entries)
    mode = entries["mode"].word(tuple(map(str, Mode))) if "mode" in entries else Mode.ENFORCE
    description = entries["description"].text() if "description" in entries else ""
    starts, ends = _period(entries)
    share = read_share(entries["share"]) if "share" in entries else None
    at_most = read_at_most(entries["at_most"]) if "at_most" in entries else None
    condition = _condition(entries)
    if sent:
        condition = with_columns(condition, sent.texts, entries[str(action)])
    _doubt_scope(root, entries, action)
    _doubt_share(entries, mode, share)
    if action and "reject" not in entries and "at_most" in entries:
        entries["at_most"].doubt("reject: only that sends bounces", found=f"at_most with {action}")
    root.report.settle()
    if action is None or mode is None:  # never: each is a problem, and settle() raises for those
        raise DocumentError(())
    return Rule(
        name=name,
        description=description or "",
        mode=Mode(mode),
        starts=starts,
        ends=ends,
        share=share,
        at_most=at_most,
        condition=condition,
        action=action,
        rejection=sent if isinstance(sent, Rejection) else None,
        reply=sent if isinstance(sent, ReplyForm) else None,
        document=root.report.document,
        warnings=tuple(sorted(root.report.warnings, key=lambda warning: warning.line or 0)),
    )


def _doubt_scope(root: Node, entries: dict[str, Node], action: Action | None) -> None:
    """Warn about a rule that stops or answers every mail."""
    if "when" not in entries and action in _DONE:
        scope = "all mail but that of unless" if "unless" in entries else "every mail"
        expected = 'a condition (when: {recipient: "*"} if every mail is meant)'
        root.doubt(expected, found=f"no when, so that {scope} is {_DONE[action]}")


def _doubt_share(entries: dict[str, Node], mode: str | None, share: int | None) -> None:
    """Warn about a share that makes no difference."""
    if share is None:
        return
    if mode != Mode.ENFORCE:
        expected = "mode: enforce, or no share: the rule does not act on anybody"
        entries["share"].doubt(expected, found=f"a share in mode {mode}")
    elif share == 0:
        entries["share"].doubt("1% to 99%, or mode: shadow: the rule does not act on anybody")
    elif share == 100:  # noqa: PLR2004  # percent
        entries["share"].doubt("1% to 99%, or no share: the rule acts on everybody")


def _action(root: Node, entries: dict[str, Node]) -> tuple[Action | None, _Sent | None]:
    found = [action for action in Action if action in entries]
    if len(found) != 1:
        if isinstance(root.value, dict):
            expected = "exactly one of accept, reject, drop and reply"
            root.fault(expected, found=" and ".join(found) or "no action")
        for action in found:
            _one_action(action, entries[action])
        return None, None
    return found[0], _one_action(found[0], entries[found[0]])


def _one_action(action: Action, node: Node) -> _Sent | None:
    if action is Action.REJECT:
        return read_rejection(node)
    if action is Action.REPLY:
        return read_reply(node)
    if node.value not in ({}, None):
        node.fault("an empty mapping, {}")
    return None


def _condition(entries: dict[str, Node]) -> Condition | None:
    when = read_condition(entries["when"]) if "when" in entries else None
    unless = read_condition(entries["unless"]) if "unless" in entries else None
    if unless is None:
        return when
    return Not(unless) if when is None else All((when, Not(unless)))


def _period(entries: dict[str, Node]) -> tuple[datetime | None, datetime | None]:
    starts = _moment(entries["from"], end=False) if "from" in entries else None
    ends = _moment(entries["until"], end=True) if "until" in entries else None
    if starts and ends and ends <= starts:
        entries["until"].fault("a time after from")
    return starts, ends


def _moment(node: Node, *, end: bool) -> datetime | None:
    text = node.value if isinstance(node.value, str) else ""
    try:
        moment = datetime.fromisoformat(text)
        if end and _is_date(text):
            moment += timedelta(days=1)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        node.fault("an ISO date or time such as 2026-12-01 or 2026-12-01T08:00+01:00")
        return None


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
