"""Reads all parameters as they were at one moment, though it takes many calls.

SSM lists ten parameters in a call, and they may change between two calls. So they are read twice:
those that are the same both times were all there in between, when `pushing` was read. If there was
no push then, they are not half of one.
"""

from datetime import datetime
from typing import Protocol

from bouncer.publishing.pushing import pushing_state
from bouncer.sources.source import Document, Documents, Source, SourceError


class PushingReader(Protocol):
    """A reader of the document `pushing`."""

    def read(self) -> Document | None:
        """Return it as it is now; raises `SourceError`."""


class ChangedError(SourceError):
    """Parameters changed while they were read."""


def read_at_one_moment(everything: Source, pushing: PushingReader, now: datetime) -> Documents:
    """Return all documents as they were at one moment; raises `ChangedError` and `SourceError`.

    During a push they are read once, as rules and lists are not taken from them. `now` is aware.
    """
    found = everything.read()
    claim = pushing.read()
    lasts, _ = pushing_state(claim, now)
    if not lasts and everything.read() != found:
        raise ChangedError("parameters changed while they were read; the next run reads them again")
    return found._replace(pushing=claim)
