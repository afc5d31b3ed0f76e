"""Addresses and their parts, as they come in a mail and as operators write them.

Addresses in a mail are whatever a stranger put there: `addresses`, `domain`, `local_part` and
`without_tag` take any text. Addresses, domains and identities that operators write are checked:
ASCII, as in RFC 5321 section 4.1.2.
"""

import email.utils
import re
from functools import partial

# Newer Pythons return nothing for a list with one malformed address, unless `strict` is False.
_getaddresses = (
    partial(email.utils.getaddresses, strict=False)
    if getattr(email.utils, "supports_strict_parsing", False)
    else email.utils.getaddresses
)

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = rf"(?:{_LABEL}\.)+(?![0-9]+\b){_LABEL}"
_ATOM = r"[!#-'*+\-/-9=?A-Z^-~]+"
_ADDRESS = rf"(?=[^@]{{1,64}}@)(?=[^>]{{3,254}}(?:>|$)){_ATOM}(?:\.{_ATOM})*@{_DOMAIN}"
# A recipient of SendBounce: SES has no SMTPUTF8 (API reference, Destination), and a DSN only ASCII.
_LONGEST_RECIPIENT = 320
_RECIPIENT = r"""(?:[!#-'*+\--9=?A-Z^-~]+|"[ !#-\[\]-~]+")@[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*"""
_MAILBOX = re.compile(rf"([ !#-;=?A-Z^-~]* <)?({_ADDRESS})(?(1)>)")


def addresses(values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the addresses in header values, without display names, comments and other text."""
    if not values:
        return ()
    try:
        found = _getaddresses(values)
    except (ValueError, IndexError, TypeError, RecursionError):  # raised for hostile text
        return ()
    return tuple(address for _, address in found if "@" in address)


def domain(address: str) -> str:
    """Return the domain of an address in lower case, without a final dot; "" without a domain."""
    return address.rpartition("@")[2].rstrip(".").lower() if "@" in address else ""


def local_part(address: str) -> str:
    """Return the part of an address before its last @, in lower case."""
    return address.rpartition("@")[0].lower()


def without_tag(address: str) -> str:
    """Return the address without its plus tag: `ann@example.com` for `ann+news@example.com`."""
    local, at, host = address.rpartition("@")
    return f"{local.partition('+')[0]}{at}{host}" if "+" in local else address


def is_domain(text: str) -> bool:
    """Tell whether a text is a full domain name, such as `example.com`."""
    return len(text) <= 253 and bool(re.fullmatch(_DOMAIN, text))  # noqa: PLR2004  # RFC 1035


def is_address(text: str) -> bool:
    """Tell whether a text is an address without a display name."""
    return bool(re.fullmatch(_ADDRESS, text))


def is_recipient(text: str) -> bool:
    """Tell whether SES takes a text as the recipient whom a bounce is about.

    This is wider than `is_address`: strangers write to local parts that operators would not.
    """
    return len(text) <= _LONGEST_RECIPIENT and bool(re.fullmatch(_RECIPIENT, text))


def is_mailbox(text: str) -> bool:
    """Tell whether a text is an address, with or without a display name before it."""
    return bool(_MAILBOX.fullmatch(text))


def mailbox_address(mailbox: str) -> str:
    """Return the bare address of a mailbox."""
    match = _MAILBOX.fullmatch(mailbox)
    return match[2] if match else mailbox


def canonical(name: str) -> str:
    """Return an address or a domain as SES names an identity: the domain in lower case."""
    local, at, host = name.rpartition("@")
    return f"{local}{at}{host.lower()}"


def identities(address: str) -> list[str]:
    """Return the identities that may verify an address in SES: itself, its domain, those above."""
    labels = address.rpartition("@")[2].lower().split(".")
    domains = [".".join(labels[start:]) for start in range(len(labels) - 1)]
    return [canonical(address), *domains]
