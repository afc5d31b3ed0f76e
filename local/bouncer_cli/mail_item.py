"""One input of a replay: a mail or an event, or the reason why it can't be read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One input: an SES event record (or any value that stood in its place), or an `error`.

    `source` names the file and the number in it. `headers` is the unchanged header block of a raw
    mail; it is empty for an event. `assumed` has the parts of its envelope that are guesses.
    """

    source: str
    record: object = None
    headers: bytes = b""
    assumed: frozenset[str] = frozenset()
    error: str | None = None
