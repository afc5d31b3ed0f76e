"""Digests that stand for strangers' texts in the keys and values of the ledger.

Message ids and addresses are written by strangers, at any length, and belong to people: the ledger
has neither. What it keeps about a sender goes by a digest with a salt of the table, so that nobody
who reads one table can look for a known address without its salt, or compare two tables.
"""

from dataclasses import dataclass
from hashlib import sha256


def digest(*parts: str) -> str:
    """Return the digest of texts: 40 characters, 0-9 and a-f; a line break parts the texts."""
    return sha256("\n".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:40]


@dataclass(frozen=True, slots=True)
class Salt:
    """The salt of one table, a text that nobody can guess."""

    value: str

    def digest(self, *parts: str) -> str:
        """Return the digest of texts with the salt before them."""
        return digest(self.value, *parts)
