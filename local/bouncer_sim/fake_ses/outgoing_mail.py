"""A mail that a caller asks SES to send, and the checks of the raw message in it.

Sources: SES API reference, SendRawEmail; Developer Guide, "Amazon SES header fields" and "Service
quotas". How SES takes a message with some bare line feeds is not known: here it is refused, so that
a caller who writes one finds out in a test.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bouncer_sim.fake_ses import syntax
from bouncer_sim.fake_ses.refusal import ErrorCode, SesError, shown

MOST_RECIPIENTS = 50
_LONGEST_LINE = 998  # octets without line end (RFC 5322 section 2.1.1)
_LONGEST_TAG = 256
_TAG = re.compile(r"[A-Za-z0-9_-]+")
_FIELD = re.compile(rb"([!-9;-~]+):(.*)", re.DOTALL)
_SET_FIELD, _TAGS_FIELD = b"x-ses-configuration-set", b"x-ses-message-tags"

# Fields that may stand in a message once only, by the list of the Developer Guide.
_ONCE = frozenset(
    b"""accept-language archived-at auto-submitted bounces-to comments content-alternative
    content-base content-class content-description content-disposition content-duration content-id
    content-language content-length content-location content-md5 content-transfer-encoding
    content-type date delivered-to disposition-notification-options disposition-notification-to
    dkim-signature domainkey-signature errors-to from importance in-reply-to keywords list-archive
    list-help list-id list-owner list-post list-subscribe list-unsubscribe list-unsubscribe-post
    message-context message-id mime-version organization original-from original-message-id
    original-recipient original-subject precedence priority references reply-to return-path
    return-receipt-to sender solicitation sensitivity subject thread-index thread-topic user-agent
    vbr-info""".split()
)

Tags = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMail:
    """One mail to be sent: the mailbox `source`, whom it goes to, and the message with CR LF.

    `identities` are all addresses that SES must have verified.
    """

    source: str
    destinations: tuple[str, ...]
    identities: tuple[str, ...]
    tags: Tags
    configuration_set: str | None
    message: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RawMessage:
    """A raw message that was checked: its header fields, in order, and its body."""

    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def first(self, name: bytes) -> str:
        """Return the first value of a field, unfolded, or "" where it is missing."""
        values = (value for each, value in self.fields if each.lower() == name)
        unfolded = re.sub(rb"\r\n([ \t])", rb"\1", next(values, b""))
        return unfolded.decode("ascii", "replace").strip()

    @property
    def own_tags(self) -> Tags:
        """The tags of SES's header field, which a caller without the API's tags sets."""
        pairs = (each.partition("=") for each in self.first(_TAGS_FIELD).split(",") if each.strip())
        return tuple((name.strip(), value.strip()) for name, _, value in pairs)

    @property
    def own_set(self) -> str | None:
        """The configuration set of SES's header field."""
        return self.first(_SET_FIELD) or None

    def sent(self, **replaced: str) -> bytes:
        """Return the message without SES's own fields, and with others in place of its own."""
        gone = {_SET_FIELD, _TAGS_FIELD, *(name.replace("_", "-").encode() for name in replaced)}
        kept = [(name, value) for name, value in self.fields if name.lower() not in gone]
        new = [
            (name.replace("_", "-").title().encode(), b" " + value.encode("ascii"))
            for name, value in replaced.items()
        ]
        lines = b"".join(name + b":" + value + b"\r\n" for name, value in (*kept, *new))
        return lines + b"\r\n" + self.body


def raw_message(data: bytes, *, most_bytes: int) -> RawMessage:
    """Read a raw message; raises `SesError` for what SES documents as wrong."""
    if len(data) > most_bytes:
        raise _wrong(f"Message length is more than {most_bytes} bytes long: '{len(data)}'.")
    text = _with_crlf(data)
    if any(len(line) > _LONGEST_LINE for line in text.split(b"\r\n")):
        raise _wrong(f"A line of the message is longer than {_LONGEST_LINE} bytes.")
    head, blank, body = (b"\r\n" + text).partition(b"\r\n\r\n")
    if not blank:
        raise _wrong("Missing the blank line between header fields and body.")
    fields = tuple(map(_field, re.split(rb"\r\n(?![ \t])", head.removeprefix(b"\r\n"))))
    counts = Counter(name.lower() for name, _ in fields)
    for name, count in counts.items():
        if count > 1 and name in _ONCE:
            raise _wrong(f"Duplicate header '{name.decode('ascii').title()}'.")
    if not counts[b"from"]:
        raise _wrong("Missing required header 'From'.")
    return RawMessage(fields=fields, body=body)


def _with_crlf(data: bytes) -> bytes:
    """Return a message whose lines end with CR LF; one with LF alone throughout is taken, too."""
    if re.search(rb"\r(?!\n)", data):
        raise _wrong("Bare <CR> in the message.")
    if b"\r\n" not in data:
        return data.replace(b"\n", b"\r\n")
    if re.search(rb"(?<!\r)\n", data):
        raise _wrong("Bare <LF> in a message whose other lines end with <CR><LF>.")
    return data


def _field(line: bytes) -> tuple[bytes, bytes]:
    match = _FIELD.fullmatch(line)
    if match is None:
        raise _wrong(f"Invalid header field {shown(line.decode('ascii', 'replace'))}.")
    if not line.isascii():
        raise _wrong(f"Header field {shown(match[1].decode('ascii'))} has letters beyond ASCII.")
    return match[1], match[2]


def checked_tags(tags: Iterable[tuple[str, str]]) -> Tags:
    """Return message tags; raises `SesError` for characters that SES does not take."""
    found = tuple(tags)
    for kind, texts in zip(("name", "value"), zip(*found, strict=True), strict=False):
        for text in texts:
            if not _TAG.fullmatch(text) or len(text) > _LONGEST_TAG:
                raise _wrong(
                    f"Invalid tag {kind} <{shown(text)[1:-1]}>, only alphanumeric ASCII "
                    "characters, '_', or '-' are allowed, at most 256."
                )
    if len({name for name, _ in found}) < len(found):
        raise _wrong("Duplicate tag names.")
    return found


def checked_recipients(place: str, values: Iterable[str]) -> tuple[str, ...]:
    """Return the bare addresses of mailboxes, 1 to 50 of them; raises `SesError`."""
    found = tuple(syntax.split_mailbox(syntax.mailbox(place, each))[1] for each in values)
    if not found:
        raise _wrong("Missing final '@domain'")
    if len(found) > MOST_RECIPIENTS:
        raise _wrong(f"Recipient count exceeds {MOST_RECIPIENTS}.")
    return found


def composed(fields: Mapping[str, str], *, text: str | None, html: str | None) -> bytes:
    """Return the raw message of a call that names subject and body apart."""
    from email.message import EmailMessage  # noqa: PLC0415  # takes a while, for few calls
    from email.policy import SMTP  # noqa: PLC0415

    mail = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    try:
        for name, value in fields.items():
            mail[name] = value
    except ValueError as error:
        raise _wrong(f"Invalid header field: {error}.") from error
    if text is not None or html is None:
        mail.set_content(text or "")
        if html is not None:
            mail.add_alternative(html, subtype="html")
    else:
        mail.set_content(html, subtype="html")
    return mail.as_bytes()


def _wrong(text: str) -> SesError:
    return SesError(ErrorCode.INVALID_PARAMETER_VALUE, text)
