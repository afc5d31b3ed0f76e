"""Reads addresses and domains out of a document: one sentence for whatever is not one."""

from bouncer.mail.address import is_address, is_mailbox
from bouncer.rules.document import Node


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


def refuse(node: Node, expected: str) -> None:
    """Refuse a value that is not such a name; one beyond ASCII gets the hint how to write it."""
    beyond = isinstance(node.value, str) and not node.value.isascii()
    node.fault(f"{expected}, an international domain in its xn-- form" if beyond else expected)
