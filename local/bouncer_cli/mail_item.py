"""One input of a replay: a mail or an event, or the reason why it can't be read."""

from dataclasses import dataclass, replace

from bouncer.mail.message import Message, read_record
from bouncer.mail.stored_copy import StoredCopy


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One input: an SES event record (or any value that stood in its place), or an `error`.

    `source` names the file and the number in it. A raw mail is read already: it has a `message` in
    place of a record, and `headers`, its unchanged header block, which is empty for an event. It is
    its own stored `copy`, which an event has not.
    """

    source: str
    record: object = None
    message: Message | None = None
    headers: bytes = b""
    copy: StoredCopy | None = None
    error: str | None = None

    def without_content(self) -> "Item":
        """Return the item without the content of its mail, which is then not known."""
        if self.message is None or self.message.content is None:
            return self
        return replace(self, message=replace(self.message, content=None), copy=None)

    def read(self) -> Message:
        """Return the mail; raise `UnreadableEventError` if the record is not one of SES."""
        return self.message or read_record(self.record)
