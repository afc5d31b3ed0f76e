"""Checks of single values of a SendBounce call: addresses, MTA names, dates, status codes.

Each returns the value in the form the DSN needs or refuses it with an SesError. Values are bound
for headers, so all of them are one line of printable ASCII: RFC 3464 fields know no other.
"""

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from bouncer_sim.fake_ses.refusal import SesError, invalid, unsatisfied

_MAX_ADDRESS = 320
_MAX_LINE = 2048
_LINE = re.compile(r"[ -~]*")
_ADDRESS = re.compile(
    r"""(?:[^\s@<>(),;:\\"\[\]]+|"[^"\\]+")@[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?"""
    r"""(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*""",
    re.IGNORECASE,
)
_PHRASE = re.compile(r'[^"<>@,;:()\[\]\\]*|\s*"(?:[^"\\]|\\.)*"\s*')
_MTA = re.compile(r"([a-z][a-z0-9-]*); ?(\S(?:.*\S)?)", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f.:]+\]", re.IGNORECASE)
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}", re.ASCII)
_EXTENSION_NAME = re.compile(r"[A-Za-z0-9-]{1,50}")
_ARN = re.compile(r"arn:[a-z-]+:ses:[a-z0-9-]*:\d*:identity/\S+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

_Word = TypeVar("_Word", bound=StrEnum)


def line(place: str, value: str) -> str:
    """Return a value that is one line of printable ASCII of at most 2048 characters."""
    if len(value) > _MAX_LINE:
        raise invalid(place, value, f"at most {_MAX_LINE} characters")
    if not _LINE.fullmatch(value):
        raise invalid(place, value, "printable ASCII without line breaks")
    return value


def text(place: str, value: str) -> str:
    """Return a value free of control characters other than tabs and line breaks."""
    if _CONTROL.search(value):
        raise invalid(place, value, "no control characters")
    return value


def is_address(value: str) -> bool:
    """Say whether a value is a plain ASCII address, `local@domain`, as SES takes it."""
    return (
        len(value) <= _MAX_ADDRESS
        and bool(_LINE.fullmatch(value))
        and bool(_ADDRESS.fullmatch(value))
    )


def address(place: str, value: str) -> str:
    """Return a plain address, `local@domain`."""
    if not is_address(line(place, value)):
        raise invalid(place, value, "an address such as ann@example.com")
    return value


def mailbox(place: str, value: str) -> str:
    """Return a mailbox, an address with or without a display name, as it was given."""
    phrase, addr = split_mailbox(line(place, value))
    if not is_address(addr) or not _PHRASE.fullmatch(phrase):
        raise invalid(place, value, 'an address such as ann@example.com or "Ann" <ann@example.com>')
    return value


def split_mailbox(value: str) -> tuple[str, str]:
    """Return display name (raw, may be empty) and address of a mailbox."""
    if not value.endswith(">"):
        return "", value
    phrase, _, addr = value[:-1].rpartition("<")
    return phrase, addr


def mta(place: str, value: str) -> str:
    """Return an MTA name as RFC 3464 2.1.3 spells it: `dns; host.example`."""
    parts = _MTA.fullmatch(line(place, value))
    if not parts or (parts[1].lower() == "dns" and not _HOST.fullmatch(parts[2])):
        raise invalid(place, value, "mta-name-type; mta-name, such as dns; mail.example.com")
    return f"{parts[1]}; {parts[2]}"


def status(place: str, value: str) -> str:
    """Return an enhanced status code of RFC 3463 section 2."""
    if not _STATUS.fullmatch(value):
        raise invalid(place, value, "a status code such as 5.1.1")
    return value


def extension_name(place: str, value: str) -> str:
    """Return the name of an extension field: 1 to 50 letters, digits and dashes."""
    if not _EXTENSION_NAME.fullmatch(value):
        raise invalid(place, value, "1 to 50 letters, digits and dashes")
    return value


def arn(place: str, value: str) -> str:
    """Return the ARN of an SES identity."""
    if not _ARN.fullmatch(line(place, value)):
        raise invalid(place, value, "the ARN of an SES identity")
    return value


def word(place: str, value: str, closed: type[_Word]) -> _Word:
    """Return a word of a closed set, which is case-sensitive."""
    try:
        return closed(value)
    except ValueError:
        words = ", ".join(closed)
        raise unsatisfied(place, value, f"Member must satisfy enum value set: [{words}]") from None


def instant(place: str, value: str) -> datetime:
    """Return a point in time, ISO 8601 with date and time, as UTC; without an offset it is UTC."""
    try:
        return _utc(value)
    except (ValueError, OverflowError):
        raise _not_a_time(place, value) from None


def _utc(value: str) -> datetime:
    if "T" not in value.upper():
        raise ValueError
    found = datetime.fromisoformat(value)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _not_a_time(place: str, value: str) -> SesError:
    return invalid(place, value, "a time such as 2026-01-31T12:00:00Z")
