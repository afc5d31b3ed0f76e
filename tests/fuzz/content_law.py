"""The law of contents: every name that the standard library finds is found, or may be missing."""

from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message

from bouncer.mail.content import Content
from bouncer.mail.mime_structure import mail_start
from bouncer.rules.fields import COPIED

_MOST_BYTES = 4_000  # the library's own reading of headers is quadratic
_NOT_FILES = (".png", ".jpg", ".jpeg", ".jfif", ".gif", ".webp", ".p7s", ".asc", ".sig")


def check_content(raw: bytes) -> None:
    """Each field has an answer, and `attachment_name` is whole only if it has all names."""
    content = Content(raw)
    found = {field: content.of(field) for field in COPIED}
    assert "error" not in content.bounds, content.bounds
    names = found["attachment_name"]
    if names.whole and len(raw) <= _MOST_BYTES:
        seen = set(map(_plain, names.values))
        for name in _names(message_from_bytes(raw[mail_start(raw) :])):
            assert not _plain(name) or _plain(name) in seen, (
                f"name: {name!a} not in {names.values!a}"
            )


def _names(part: Message) -> Iterator[str]:
    """Yield the names of files as the library finds them, those it can be compared by."""
    if part.get_content_maintype() == "multipart" and part.is_multipart():
        for each in part.get_payload():
            assert isinstance(each, Message)
            yield from _names(each)
        return
    try:
        name = part.get_filename() or ""
    except (TypeError, ValueError, LookupError):  # pieces with and without numbers
        return
    comparable = name.isascii() and name.isprintable() and not set("%'") & set(name)
    encoded = "=?" in name or r"\ufffd" in name  # the library's word for a byte beyond ASCII
    if comparable and not encoded and not name.lower().endswith(_NOT_FILES):
        yield name


def _plain(name: str) -> str:
    """Return a name without what programs leave out of it, each in its own way."""
    return "".join(char for char in name if char not in "\"\\'").strip(" .")
