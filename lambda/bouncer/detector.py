"""Finds the signals of machines (signals.py) in a mail.

Everything in a mail is hostile: values are cut before they are compared. Most mail has none of the
signals, so what is looked for in one place is one pattern, and a row is chosen by its header first.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache

from bouncer.mail.address import local_part
from bouncer.mail.message import Message
from bouncer.reasons import Reason
from bouncer.signals import SIGNALS, Place, Signal

_LONGEST_VALUE = 1000  # characters of a header's value that are compared with a signal
_LONGEST_NAME = 60  # characters of a header's name that is looked up
_COMMENT = re.compile(r"\([^()]*\)")
_DEEPEST_COMMENT = 5

# A forwarder's name for a sender, with the original user last: SRS0 and SRS1 (libsrs2), Microsoft's
# `forwarder+SRS=hash=time=domain=user`, and its short form `bounces+SRS=hash=time` without a user.
_SRS = (
    r"srs0[-+=][^=]*=[^=]*=[^=]*=(?P<srs0>.*)|"
    r"srs1[-+=][^=]*=[^=]*=[-+=][^=]*=[^=]*=[^=]*=(?P<srs1>.*)|"
    r"[^+]*\+srs=[^=]*=[^=]*(?:=[^=]*=(?P<microsoft>.*))?"
)

_compiled = cache(re.compile)  # each row when it is first needed: compiling all delays the start


def marked(message: Message, reason: Reason) -> str:
    """Return the text in which a signal of this reason was found, or ""."""
    headers = message.headers
    for signal in _FAMILIES[reason]:
        if found := _in_names(message, signal):
            return found
    for name, signal in _IN_HEADERS[reason]:
        if name in headers and (found := _in_header(message, name, signal)):
            return found
    for search, signal in _ELSEWHERE[reason]:
        if found := search(message, signal):
            return found
    return ""


def is_marked_sender(address: str, reason: Reason) -> bool:
    """Tell whether an envelope sender has a signal of this reason; its mail is not at hand."""
    rows = (signal for _, signal in _ELSEWHERE[reason] if signal.place is Place.SENDER)
    return any(_is_named(address, signal.pattern) for signal in rows)


def comment_free(value: str) -> str:
    """Return a value without its comments (RFC 5322 section 3.2.2), nested ones included."""
    if "(" not in value:
        return value
    for _ in range(_DEEPEST_COMMENT):
        value, found = _COMMENT.subn(" ", value)
        if not found:
            break
    return value


def _in_header(message: Message, name: str, signal: Signal) -> str:
    for value, text in _texts(message, name):
        if _compiled(signal.pattern).fullmatch(text) and _has_beside(message, signal):
            return f"{signal.name}: {value}"
    return ""


def _texts(message: Message, name: str) -> list[tuple[str, str]]:
    """Return each value of a header with the text that is compared; a subject is decoded."""
    if name == "subject":
        return [(value, _folded(value)) for value in message.subject]
    return [(value, _folded(comment_free(value))) for value in message.header(name)]


def _folded(value: str) -> str:
    return " ".join(value[:_LONGEST_VALUE].lower().split())


def _has_beside(message: Message, signal: Signal) -> bool:
    if signal.beside is None:
        return True
    name, pattern = signal.beside
    return _has_value(message, name.lower(), pattern)


def _has_value(message: Message, name: str, pattern: str) -> bool:
    return any(_compiled(pattern).fullmatch(text) for _, text in _texts(message, name))


def _in_names(message: Message, signal: Signal) -> str:
    lines = "\n".join(("", *message.headers, ""))
    if not _line_of(signal.name).search(lines):  # one search in place of one for each name
        return ""
    for name in message.headers:
        known = len(name) <= _LONGEST_NAME and _compiled(signal.name).fullmatch(name)
        if known and _has_value(message, name, signal.pattern):
            return f"header {name}"
    return ""


@cache
def _line_of(pattern: str) -> re.Pattern[str]:
    """Return a pattern that is found wherever one of the lines matches `pattern`."""
    return re.compile(f"\n(?:{pattern})\n")


def _in_sender(message: Message, signal: Signal) -> str:
    return f"sender {message.sender}" if _is_named(message.sender, signal.pattern) else ""


def _in_from(message: Message, signal: Signal) -> str:
    found = (each for each in message.from_ if _is_named(each, signal.pattern))
    return next((f"From {address}" for address in found), "")


def _in_addresses(message: Message, signal: Signal) -> str:
    addresses = (message.sender, *message.from_)
    found = (each for each in addresses if _compiled(signal.pattern).fullmatch(each.lower()))
    return next((f"address {address}" for address in found), "")


def _is_named(address: str, pattern: str) -> bool:
    return any(map(_compiled(pattern).fullmatch, _names_in(address)))


@lru_cache(maxsize=50)  # each reason asks about the sender and From of one mail
def _names_in(address: str) -> frozenset[str]:
    """Return an address's local part as it stands, without its tag, and inside SRS or BATV."""
    local = local_part(address)[:_LONGEST_VALUE]
    if "srs" in local and (rewritten := _compiled(_SRS).fullmatch(local)):
        local = next(filter(None, rewritten.groups()), "")
    return frozenset((local, local.partition("+")[0], local.rpartition("=")[2]))


_SEARCHES: Mapping[Place, Callable[[Message, Signal], str]] = {
    Place.SENDER: _in_sender,
    Place.FROM: _in_from,
    Place.ADDRESS: _in_addresses,
}


def _merged(reason: Reason) -> list[Signal]:
    """Return the signals of a reason; those that stand in the same place become one pattern."""
    found: dict[tuple[Place, str, object], Signal] = {}
    for signal in SIGNALS:
        if signal.reason is reason:
            key = (signal.place, signal.name, signal.beside)
            more = f"{found[key].pattern}|" if key in found else ""
            found[key] = signal._replace(pattern=f"{more}{signal.pattern}")
    return list(found.values())


_FAMILIES = {
    reason: [each for each in _merged(reason) if each.place is Place.NAME] for reason in Reason
}
_IN_HEADERS = {
    reason: [(each.name.lower(), each) for each in _merged(reason) if each.place is Place.HEADER]
    for reason in Reason
}
_ELSEWHERE = {
    reason: [(_SEARCHES[each.place], each) for each in _merged(reason) if each.place in _SEARCHES]
    for reason in Reason
}
