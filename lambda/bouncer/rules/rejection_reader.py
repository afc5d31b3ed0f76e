"""Reads the `reject` part of a rule: checks every text, code and name before it can reach SES."""

import re
from collections.abc import Callable
from string import Formatter
from typing import TypeVar

from bouncer.rules.address_reader import read_address, read_mailbox, read_mta
from bouncer.rules.answer_reader import read_answer
from bouncer.rules.column_name import column_name
from bouncer.rules.document import Node, show
from bouncer.rules.matcher_reader import LIST_NAME
from bouncer.rules.rejection import (
    ACTIONS,
    DIAGNOSTIC_LIMIT,
    FIELD_VALUE,
    MESSAGE_LIMIT,
    PLACEHOLDERS,
    REFERENCE_FIELD,
    BounceType,
    Dsn,
    Rejection,
    Template,
)

T = TypeVar("T")

_STATUS = re.compile(r"([245])\.[0-9]{1,3}\.[0-9]{1,3}")  # RFC 3463 section 2
_ARN = re.compile(r"arn:[a-z-]+:ses:[a-z0-9-]+:[0-9]{12}:identity/[!-~]+")
_FIELD_NAME = re.compile(r"[Xx]-[A-Za-z0-9-]{1,48}")

_SMTP_CODES = {"2": 250, "4": 450, "5": 550}

_DSN_KEYS = (
    "smtp_code",
    "action",
    "diagnostic",
    "remote_mta",
    "final_recipient",
    "last_attempt_date",
    "recipient_extension_fields",
)
KEYS = (
    "type",
    "status",
    *_DSN_KEYS,
    "message",
    "keep_copy",
    "answer",
    "sender",
    "sender_arn",
    "recipient_arn",
    "reporting_mta",
    "extension_fields",
)


def read_rejection(node: Node) -> Rejection | None:
    """Return the rejection in a `reject` mapping; None after a problem."""
    entries = node.members(KEYS, "a mapping with type or status")
    if not isinstance(node.value, dict):
        return None
    reason = _reason(node, entries)
    rejection = Rejection(
        reason=reason or BounceType.UNDEFINED,
        message=_optional(entries, "message", lambda item: read_template(item, MESSAGE_LIMIT)),
        keep_copy=_optional(entries, "keep_copy", Node.flag) or False,
        answer=_optional(entries, "answer", read_answer) or frozenset(),
        sender=_optional(entries, "sender", read_mailbox),
        sender_arn=_optional(entries, "sender_arn", read_arn),
        recipient_arn=_optional(entries, "recipient_arn", read_arn),
        reporting_mta=_optional(entries, "reporting_mta", read_mta),
        extension_fields=_optional(entries, "extension_fields", _extension_fields) or (),
    )
    return rejection if reason else None


def _optional(entries: dict[str, Node], key: str, read: Callable[[Node], T | None]) -> T | None:
    return read(entries[key]) if key in entries else None


def _reason(node: Node, entries: dict[str, Node]) -> BounceType | Dsn | None:
    if "type" in entries and "status" in entries:
        node.fault("either type or status", found="both")
        return None
    if "status" in entries:
        return _dsn(entries)
    for key in _DSN_KEYS:
        if key in entries:
            expected = f"status instead of type, or no {key} (a type has its own codes)"
            entries[key].fault(expected, found=f"{key} without status")
    if "type" not in entries:
        node.fault("type or status", found="neither")
        return None
    word = entries["type"].word(tuple(map(str, BounceType)))
    return BounceType(word) if word else None


def _dsn(entries: dict[str, Node]) -> Dsn | None:
    status = _status(entries["status"])
    code = _optional(entries, "smtp_code", lambda item: item.number("a number such as 550"))
    action = _optional(entries, "action", lambda item: item.word(tuple(ACTIONS)))
    dsn = Dsn(
        status=status or "5.0.0",
        smtp_code=code or _SMTP_CODES[(status or "5")[0]],
        action=action or ("failed" if status and status[0] in "45" else "delivered"),
        diagnostic=_optional(
            entries, "diagnostic", lambda item: read_template(item, DIAGNOSTIC_LIMIT)
        ),
        remote_mta=_optional(entries, "remote_mta", read_mta),
        final_recipient=_optional(entries, "final_recipient", read_address),
        last_attempt_date=_optional(entries, "last_attempt_date", Node.flag) or False,
        extension_fields=_optional(entries, "recipient_extension_fields", _extension_fields) or (),
    )
    if status is None or not _agree(entries, dsn):
        return None
    return dsn


def _agree(entries: dict[str, Node], dsn: Dsn) -> bool:
    """Tell whether reply code and action fit the class of the status; note where they do not."""
    sound = True
    if "smtp_code" in entries and not re.fullmatch(
        f"{dsn.status[0]}[0-5][0-9]", str(dsn.smtp_code)
    ):
        expected = (
            f"a reply code {dsn.status[0]}00 to {dsn.status[0]}59, as the status is {dsn.status}"
        )
        entries["smtp_code"].fault(expected)
        sound = False
    if dsn.status[0] not in ACTIONS[dsn.action]:
        fitting = [action for action, classes in ACTIONS.items() if dsn.status[0] in classes]
        expected = f"{' or '.join(fitting)}, as the status is {dsn.status}"
        entries["action"].fault(expected)
        sound = False
    return sound


def _status(node: Node) -> str | None:
    if isinstance(node.value, str) and _STATUS.fullmatch(node.value):
        return node.value
    node.fault('an enhanced status code of class 2, 4 or 5 such as "5.7.1" (RFC 3463)')
    return None


def read_template(node: Node, limit: int) -> Template | None:
    """Return a text with placeholders of at most `limit` characters; None after a problem."""
    text = node.text()
    if text is None:
        return None
    if not text.strip() or len(text) > limit:
        found = f"{len(text)} characters" if text.strip() else "an empty text"
        node.fault(f"1 to {limit} characters", found=found)
        return None
    names = _placeholders(text)
    if names is None:
        node.fault("single braces, and only around a placeholder such as {recipient}")
        return None
    for name in names:
        if expected := _known_placeholder(name):
            node.fault(expected, found=f"the placeholder {show(f'{{{name}}}')}")
            return None
    return Template(text)


def _known_placeholder(name: str) -> str | None:
    """Return what is expected in place of a placeholder; None if it is one."""
    of_list, _, column = name.partition(".")
    known = column_name(column)
    if name in PLACEHOLDERS or (known and known == column and LIST_NAME.fullmatch(of_list)):
        return None
    if known and of_list not in PLACEHOLDERS and LIST_NAME.fullmatch(of_list):
        signs = "a column in lower case, with _ for anything but letters and digits"
        return f"{show(f'{{{of_list}.{known}}}')}: {signs}"
    return f"one of {', '.join(f'{{{known}}}' for known in PLACEHOLDERS)}"


def _placeholders(text: str) -> list[str] | None:
    """Return the names between braces; None if braces don't pair or are doubled."""
    if "{{" in text or "}}" in text:
        return None
    try:
        return [
            f"{name}{'!' + conversion if conversion else ''}{':' + spec if spec else ''}"
            for _, name, spec, conversion in Formatter().parse(text)
            if name is not None
        ]
    except ValueError:
        return None


def read_arn(node: Node) -> str | None:
    """Return the ARN of an identity of SES."""
    if isinstance(node.value, str) and _ARN.fullmatch(node.value):
        return node.value
    node.fault("an ARN such as arn:aws:ses:eu-west-1:123456789012:identity/example.com")
    return None


def _extension_fields(node: Node) -> tuple[tuple[str, str], ...] | None:
    fields = []
    for name, item in node.entries("a mapping of X- names to text").items():
        value = item.text()
        if not _FIELD_NAME.fullmatch(name):
            expected = "X- followed by up to 48 letters, digits or dashes"
            item.fault(expected, found=f"the name {show(name)}")
        elif name.lower() == REFERENCE_FIELD.lower():
            item.fault("another name, as this one carries the reference", found=f"the name {name}")
        elif value is not None and not re.fullmatch(FIELD_VALUE, value):
            item.fault("1 to 2048 printable ASCII characters")
        else:
            fields.append((name, value or ""))
    return tuple(fields)
