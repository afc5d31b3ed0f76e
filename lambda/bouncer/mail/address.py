"""Addresses, domains and identities as operators write them: ASCII, as in RFC 5321 section 4.1.2.

Strangers' addresses are not held against this: they are whatever came in the mail.
"""

import re

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = rf"(?:{_LABEL}\.)+(?![0-9]+\b){_LABEL}"
_ATOM = r"[!#-'*+\-/-9=?A-Z^-~]+"
_ADDRESS = rf"(?=[^@]{{1,64}}@)(?=[^>]{{3,254}}(?:>|$)){_ATOM}(?:\.{_ATOM})*@{_DOMAIN}"
_MAILBOX = re.compile(rf"([ !#-;=?A-Z^-~]* <)?({_ADDRESS})(?(1)>)")


def is_domain(text: str) -> bool:
    """Whether it is a full domain name, such as `example.com`."""
    return len(text) <= 253 and bool(re.fullmatch(_DOMAIN, text))  # noqa: PLR2004  # RFC 1035


def is_address(text: str) -> bool:
    """Whether it is a bare address."""
    return bool(re.fullmatch(_ADDRESS, text))


def is_mailbox(text: str) -> bool:
    """Tell whether a text is an address, with or without a display name before it."""
    return bool(_MAILBOX.fullmatch(text))


def mailbox_address(mailbox: str) -> str:
    """Return the bare address of a mailbox."""
    match = _MAILBOX.fullmatch(mailbox)
    return match[2] if match else mailbox


def canonical(name: str) -> str:
    """An address or a domain as SES names an identity: the domain in lower case."""
    local, at, domain = name.rpartition("@")
    return f"{local}{at}{domain.lower()}"


def identities(address: str) -> list[str]:
    """What SES may verify an address by: itself, its domain, and the domains above that."""
    labels = address.rpartition("@")[2].lower().split(".")
    domains = [".".join(labels[start:]) for start in range(len(labels) - 1)]
    return [canonical(address), *domains]
