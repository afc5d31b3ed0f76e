"""Digests that stand for strangers' texts in the keys and values of the ledger.

Message ids and addresses are written by strangers, at any length, and belong to people: the ledger
has neither.
"""

from hashlib import sha256


def digest(*parts: str) -> str:
    """Return the digest of texts: 40 characters, 0-9 and a-f; a line break parts the texts."""
    return sha256("\n".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:40]
