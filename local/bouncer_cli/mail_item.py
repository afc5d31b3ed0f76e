"""One input of a replay, readable or not."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One input: an SES event record (a dict, or whatever stood in its place), or what is wrong.

    `headers` is the header block of a raw mail as it stands; empty for an event.
    """

    source: str
    record: object = None
    headers: bytes = b""
    error: str | None = None
