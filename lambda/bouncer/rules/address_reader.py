"""Reads addresses and host names out of a document, with one error text for each kind."""

import re

from bouncer.mail.address import is_address, is_mailbox
from bouncer.rules.document import Node

_HOST = re.compile(
    r"(?=.{1,253}$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)


def read_mailbox(node: Node) -> str | None:
    """Return an address with or without a display name: `Mail system <bounces@example.com>`."""
    if isinstance(node.value, str) and is_mailbox(node.value):
        return node.value
    refuse(node, "an address such as bounces@example.com")
    return None


def read_address(node: Node) -> str | None:
    """Return a bare address."""
    if isinstance(node.value, str) and is_address(node.value):
        return node.value
    refuse(node, "an address such as ann@example.com")
    return None


def read_mta(node: Node) -> str | None:
    """Return a host as RFC 3464 names an MTA, `dns; host`; the document may have the host alone."""
    text = node.value if isinstance(node.value, str) else ""
    host = re.sub(r"^dns;\s*", "", text)
    if _HOST.fullmatch(host):
        return f"dns; {host}"
    node.fault("a host name such as mx.example.com")
    return None


def refuse(node: Node, expected: str) -> None:
    """Refuse a value that is not the expected name; say how to write one that is not ASCII."""
    beyond = isinstance(node.value, str) and not node.value.isascii()
    node.fault(f"{expected}, an international domain in its xn-- form" if beyond else expected)
