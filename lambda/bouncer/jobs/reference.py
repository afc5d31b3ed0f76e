"""The reference of a bounce: short, printable, always the same for a mail and its recipients."""

import re
from base64 import b32encode
from collections.abc import Iterable
from hashlib import sha256

REFERENCE = re.compile(r"\bbnc-[a-z2-7]{16}\b")


def reference(message_id: str, recipients: Iterable[str]) -> str:
    """Return the reference for these recipients of a mail: `bnc-` and 16 letters and digits."""
    digest = sha256(identity(message_id, recipients)).digest()
    return "bnc-" + b32encode(digest[:10]).decode("ascii").lower()


def identity(message_id: str, recipients: Iterable[str]) -> bytes:
    """Return the bytes by which a bounce is known: its mail and the set of rejected recipients."""
    parts = [message_id, *sorted({recipient.lower() for recipient in recipients})]
    return "\n".join(parts).encode("utf-8", "backslashreplace")
