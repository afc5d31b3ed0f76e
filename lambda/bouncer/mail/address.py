"""Addresses and their parts, as they come in a mail and as operators write them.

Addresses in a mail are whatever a stranger put there: `domain`, `local_part` and `without_tag`
take any text; `address_list.py` finds addresses in headers. Addresses, domains and identities that
operators write are checked: ASCII, as in RFC 5321 section 4.1.2.
"""

import re

from bouncer.mail.a_label import a_labels

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = rf"(?:{_LABEL}\.)+(?![0-9]+\b){_LABEL}"
_ATOM = r"[!#-'*+\-/-9=?A-Z^-~]+"
_ADDRESS = rf"(?=[^@]{{1,64}}@)(?=[^>]{{3,254}}(?:>|$)){_ATOM}(?:\.{_ATOM})*@{_DOMAIN}"
# A recipient of SendBounce: SES has no SMTPUTF8 (API reference, Destination), and a DSN only ASCII.
_LONGEST_RECIPIENT = 320
_RECIPIENT = r"""(?:[!#-'*+\--9=?A-Z^-~]+|"[ !#-\[\]-~]+")@[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*"""
# A display name is in quotes, or operators leave them out (RFC 5322 section 3.4).
_NAME = r"""(?:[ !#-;=?A-Z^-~]*|"(?:[ !#-\[\]-~]|\\["\\])*")"""
_MAILBOX = re.compile(rf"({_NAME} <)?({_ADDRESS})(?(1)>)")


def domain(address: str) -> str:
    """Return the domain of an address in ASCII and lower case, without a final dot, or ""."""
    return a_labels(address.rpartition("@")[2]).rstrip(".").lower() if "@" in address else ""


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


def display_name(mailbox: str) -> str:
    """Return the name before the address of a mailbox, without its quotes, or ""."""
    match = _MAILBOX.fullmatch(mailbox)
    name = (match[1] or "").removesuffix("<").strip() if match else ""
    return re.sub(r"\\(.)", r"\1", name[1:-1]) if name.startswith('"') else name


def canonical(name: str) -> str:
    """Return an address or a domain as SES names an identity: the domain in lower case."""
    local, at, host = name.rpartition("@")
    return f"{local}{at}{host.lower()}"


def identities(address: str) -> list[str]:
    """Return the identities that may verify an address in SES: itself, its domain, those above."""
    labels = address.rpartition("@")[2].lower().split(".")
    domains = [".".join(labels[start:]) for start in range(len(labels) - 1)]
    return [canonical(address), *domains]
