"""Addresses, domains and identities as operators write them: ASCII, as in RFC 5321 section 4.1.2.

Strangers' addresses are not held against this: they are whatever came in the mail.
"""

import re

from bouncer.document import Node

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


def read_mailbox(node: Node) -> str | None:
    """An address, with or without a display name: `Mail system <bounces@example.com>`."""
    if isinstance(node.value, str) and _MAILBOX.fullmatch(node.value):
        return node.value
    refuse(node, "an address such as bounces@example.com")
    return None


def read_address(node: Node) -> str | None:
    """A bare address."""
    if isinstance(node.value, str) and is_address(node.value):
        return node.value
    refuse(node, "an address such as ann@example.com")
    return None


def refuse(node: Node, expected: str) -> None:
    """Refuse a value that is no such name; who writes beyond ASCII is told of the way to do so."""
    beyond = isinstance(node.value, str) and not node.value.isascii()
    node.fault(f"{expected}, an international domain in its xn-- form" if beyond else expected)


def mailbox_address(mailbox: str) -> str:
    """The bare address of what `read_mailbox` accepted."""
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
