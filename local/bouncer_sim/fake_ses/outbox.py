"""Keeps sent bounces and mails, one file each in a folder, or in memory if no folder is given.

It names and keeps them in order of sending and decides nothing about them.
"""

import re
import threading
import uuid
from dataclasses import dataclass, field
from pathlib import Path

_NUMBERED = re.compile(r"(\d{6,})-.+\.eml")


@dataclass(frozen=True, slots=True, kw_only=True)
class SentBounce:
    """One bounce that was sent: its id, the original's, whom it concerns, when (epoch seconds).

    A mail that is not a bounce has no original, "", and its recipients.

    `path` is its file, None if it is kept in memory.
    """

    message_id: str
    original_message_id: str
    recipients: tuple[str, ...]
    at: float
    path: Path | None
    kept: bytes | None = field(repr=False)

    @property
    def dsn(self) -> bytes:
        """The mail itself; read from its file if it has one, so OSError once that is gone."""
        if self.kept is not None:
            return self.kept
        return self.path.read_bytes() if self.path else b""


class Outbox:
    """Sent bounces, oldest first; safe to use from several threads.

    Files are `NNNNNN-<bounce id>.eml`: hexadecimal and dashes, so safe on any file system; numbers
    go on from the highest already in the folder. A file appears whole or not at all.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._sent: list[SentBounce] = []
        self._number = 0
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._number = _highest_number(folder)

    @property
    def sent(self) -> list[SentBounce]:
        """A copy of the list of what was sent and not forgotten."""
        with self._lock:
            return list(self._sent)

    def put(
        self,
        dsn: bytes,
        *,
        message_id: str,
        original_message_id: str,
        recipients: tuple[str, ...],
        at: float,
    ) -> None:
        """Keep a bounce; OSError if its file cannot be written, and then it was not sent."""
        with self._lock:
            self._number += 1
            path = _write(self._folder, f"{self._number:06}-{message_id}.eml", dsn)
            self._sent.append(
                SentBounce(
                    message_id=message_id,
                    original_message_id=original_message_id,
                    recipients=recipients,
                    at=at,
                    path=path,
                    kept=dsn if path is None else None,
                )
            )

    def forget(self, original_message_id: str) -> None:
        """Let go of the records of an original's bounces; their files stay."""
        with self._lock:
            self._sent = [
                sent for sent in self._sent if sent.original_message_id != original_message_id
            ]


def bounce_id(original_message_id: str, call: int, at: float) -> str:
    """Return an id shaped like SES's: milliseconds in hexadecimal, a UUID, six zeros.

    Same arguments, same id; different calls of one server, different ids.
    """
    unique = uuid.uuid5(uuid.NAMESPACE_OID, f"{original_message_id}/{call}/{at!r}")
    return f"0101{int(at * 1000) & 0xFFFFFFFFFFFF:012x}-{unique}-000000"


def _write(folder: Path | None, name: str, dsn: bytes) -> Path | None:
    if folder is None:
        return None
    unfinished, path = folder / f".{name}.part", folder / name
    unfinished.write_bytes(dsn)
    return unfinished.replace(path)


def _highest_number(folder: Path) -> int:
    names = (_NUMBERED.fullmatch(entry.name) for entry in folder.iterdir())
    return max((int(name[1]) for name in names if name), default=0)
