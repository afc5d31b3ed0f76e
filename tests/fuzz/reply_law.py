"""The law of a reply: it survives its queue, and its message has the headers of ours and no others.

The message is read as simply as possible, so that no reader mends what is broken.
"""

from datetime import UTC, datetime

from bouncer.jobs.reply import Reply
from bouncer.jobs.reply_json import from_json, to_json
from bouncer.mail.address import is_recipient, mailbox_address
from bouncer.reply_text import mime

_NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
_ALWAYS = (
    *("From", "To", "Subject", "Date", "Auto-Submitted", "X-Auto-Response-Suppress"),
    *("X-Bouncer-Reference", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"),
)
_OPTIONAL = ("Reply-To", "In-Reply-To", "References")


def check_reply(reply: Reply) -> None:
    """Check a reply and the message that is made of it."""
    assert from_json(to_json(reply)) == reply
    raw = mime(reply, date=_NOW)
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    head = raw.partition(b"\r\n\r\n")[0].decode("ascii")
    names = [line.partition(":")[0] for line in head.split("\r\n") if line[0] not in " \t"]
    assert sorted(name for name in names if name not in _OPTIONAL) == sorted(_ALWAYS), names
    assert len(names) == len(set(names)), names
    headers = dict(line.split(": ", 1) for line in head.replace("\r\n ", " ").split("\r\n"))
    assert headers["To"].strip() == reply.sender
    assert is_recipient(reply.sender), reply.sender  # one address, not two
    address = mailbox_address(reply.from_)
    assert headers["From"] == address or headers["From"].endswith(f" <{address}>"), headers["From"]
    assert headers.get("Reply-To", "").endswith(
        f"{mailbox_address(reply.reply_to)}{'>' * ('<' in reply.reply_to)}"
        if reply.reply_to
        else ""
    )
    assert headers.get("In-Reply-To", "") == reply.in_reply_to
    assert tuple(headers.get("References", "").split()) == reply.references
