"""The received mail as rules see it, read from the event SES hands to the intake.

No other module reads the raw event. Every field may be missing, repeated or of the wrong
type: a value that can't be read is absent. Recipients are the envelope's (`receipt.recipients`),
never To's.
Event shapes: SES Developer Guide, "Contents of events for the Lambda action".
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any

from bouncer.errors import UnreadableEventError
from bouncer.mail.address_list import addresses
from bouncer.mail.field_values import MailContent
from bouncer.mail.mime import decode_words, unfold
from bouncer.mail.text import printable

ABSENT = "absent"
ASSUMABLE = SENDER, RECIPIENTS = "sender", "recipients"
VERDICTS = ("spf", "dkim", "dmarc", "spam", "virus")
_VERDICT_MEMBERS = tuple((name, f"{name}Verdict") for name in VERDICTS)
SETUP_NOTIFICATION = "AMAZON_SES_SETUP_NOTIFICATION"

# SES passes on at most 10 KB of headers. A longer list did not come from SES and is cut here, so
# that a hostile event costs no time.
HEADER_CHARS = 16_384
_HEADER_COST = 4  # colon, space and line end count too, so that empty headers use up the limit

# `from HELO (rdns [IP]) by inbound-smtp.REGION.amazonaws.com with SMTP`, up to ` id <message id> `:
# a sender can't write such a header, because SES makes up the message id on receipt. HELO may have
# parentheses, so this is what stands behind the last ` (`.
_BEHIND_HELO = re.compile(
    r"(?:[^()\[\]]* )?\[(?:IPv6:)?([0-9A-Fa-f.:]+)\]\)"
    r" by inbound-smtp\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)? with \w+",
)

IpAddress = IPv4Address | IPv6Address


@dataclass(frozen=True, kw_only=True)
class Message:
    """One received mail, immutable.

    `sender` is the envelope sender, "" for the null sender; `headers` maps lower-case names to
    unfolded values in their order; `verdicts` maps each of `VERDICTS` to SES's word in lower case
    or `absent`; `received_at` is aware, or None when the event has no readable time. `assumed` has
    the parts of the envelope, of `ASSUMABLE`, that were guessed from the headers of a raw mail; an
    event has its envelope, so nothing in it is. `content` is that of the stored copy, None if there
    is not one at hand.
    """

    message_id: str
    received_at: datetime | None
    sender: str
    recipients: tuple[str, ...]
    headers: Mapping[str, tuple[str, ...]]
    headers_truncated: bool
    verdicts: Mapping[str, str]
    dmarc_policy: str
    assumed: frozenset[str] = frozenset()
    content: MailContent | None = field(default=None, compare=False, repr=False)

    @property
    def sender_unknown(self) -> bool:
        """True if a raw mail does not even let the sender be guessed: it is not the null sender."""
        return not self.sender and SENDER in self.assumed

    @property
    def own_recipients(self) -> tuple[str, ...]:
        """The recipients that are surely ours: those of an envelope that was not guessed."""
        return () if RECIPIENTS in self.assumed else self.recipients

    def header(self, name: str) -> tuple[str, ...]:
        """Return every value of a header as it stands in the mail; `name` is in lower case."""
        return self.headers.get(name, ())

    @cached_property
    def subject(self) -> tuple[str, ...]:
        """The decoded subject; several if the mail has several Subject headers."""
        return tuple(map(decode_words, self.header("subject")))

    @cached_property
    def from_(self) -> tuple[str, ...]:
        """The addresses in From."""
        return addresses(self.header("from"))

    @cached_property
    def to(self) -> tuple[str, ...]:
        """The addresses in To."""
        return addresses(self.header("to"))

    @cached_property
    def cc(self) -> tuple[str, ...]:
        """The addresses in Cc."""
        return addresses(self.header("cc"))

    @cached_property
    def reply_to(self) -> tuple[str, ...]:
        """The addresses in Reply-To."""
        return addresses(self.header("reply-to"))

    @property
    def helo(self) -> str | None:
        """The name the connecting host gave itself, from the `Received` header SES wrote."""
        origin = self._origin()
        return origin[0].removeprefix("from ") if origin else None

    @property
    def source_ip(self) -> IpAddress | None:
        """The address that connected to SES, from the `Received` header SES wrote."""
        origin = self._origin()
        return _ip_address(origin[1]) if origin else None

    def _origin(self) -> tuple[str, str] | None:
        """Return the connecting host as `from HELO`, and its address, both as SES wrote them."""
        received = self.headers.get("received")
        if not received:
            return None
        before, found, _ = received[0].partition(f" id {self.message_id}")
        start, _, rest = before.rpartition(" (")
        match = _BEHIND_HELO.fullmatch(rest) if found and start.startswith("from ") else None
        return (start, match[1]) if match else None


def read_event(event: object) -> tuple[Message, ...]:
    """Return the mails in an event; raise `UnreadableEventError` if it is not a received mail."""
    records = event.get("Records") if isinstance(event, dict) else None
    if not isinstance(records, list) or not records:
        raise UnreadableEventError(f"found {_describe(event)}, expected an SES event with Records")
    return tuple(read_record(record) for record in records)


def read_record(record: object) -> Message:
    """Return the mail in a record of an event; raise `UnreadableEventError` if it has no mail."""
    ses = record.get("ses") if isinstance(record, dict) else None
    mail = ses.get("mail") if isinstance(ses, dict) else None
    if not isinstance(ses, dict) or not isinstance(mail, dict):
        raise UnreadableEventError(f"found {_describe(record)}, expected a record with ses.mail")
    message_id = mail.get("messageId")
    if not isinstance(message_id, str) or not message_id.strip():
        raise UnreadableEventError("found no mail.messageId, expected the id SES gave the mail")
    if message_id.endswith(SETUP_NOTIFICATION):
        raise UnreadableEventError(
            f"found {SETUP_NOTIFICATION}, which SES sends when a rule is made"
        )
    receipt = _mapping(ses.get("receipt"))
    common = _mapping(mail.get("commonHeaders"))
    headers, cut = _headers(mail.get("headers"), common)
    return Message(
        message_id=message_id.strip(),
        received_at=_moment(mail.get("timestamp")) or _moment(receipt.get("timestamp")),
        sender=envelope_address(mail.get("source")),
        recipients=envelope_recipients(receipt.get("recipients")),
        headers=headers,
        headers_truncated=cut or mail.get("headersTruncated") in (True, "true"),
        verdicts={name: _verdict(receipt.get(member)) for name, member in _VERDICT_MEMBERS},
        dmarc_policy=_word(receipt.get("dmarcPolicy")),
    )


def _ip_address(text: str) -> IpAddress | None:
    try:
        if ":" in text:
            return IPv6Address(inet_pton(AF_INET6, text))
        return IPv4Address(inet_pton(AF_INET, text))
    except OSError:
        return None


def _describe(value: object) -> str:
    """Describe an event that is not a received mail, for the journal."""
    if not isinstance(value, dict):
        return "a list" if isinstance(value, list) else "a value that is not a JSON object"
    records = value.get("Records")
    first = records[0] if isinstance(records, list) and records else None
    for candidate in (value, first if isinstance(first, dict) else {}):
        for key, name in _STRANGERS.items():
            if key in candidate:
                return name
    keys = ", ".join(sorted(map(str, value))[:5])
    return f"an object with the keys {printable(keys, 100)}" if value else "an empty object"


_STRANGERS = {
    "SubscribeURL": "an SNS subscription confirmation",
    "notificationType": "a sending notification of SES",
    "eventType": "a sending event of SES",
    "s3": "an S3 event",
    "receiptHandle": "an SQS event",
    "Sns": "an SNS event without received mail",
}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _word(value: object) -> str:
    return (value.strip().lower() or ABSENT) if isinstance(value, str) else ABSENT


def _verdict(value: object) -> str:
    return _word(value.get("status")) if isinstance(value, dict) else _word(value)


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def envelope_address(value: object) -> str:
    """Return an envelope address without angle brackets; "" for every form of the null sender."""
    if not isinstance(value, str):
        return ""
    text = value.strip()
    return text[1:-1].strip() if text.startswith("<") and text.endswith(">") else text


def envelope_recipients(value: object) -> tuple[str, ...]:
    """Return the addresses in one value or a list, as they are written; each once in any case."""
    listed = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    found: dict[str, str] = {}
    for address in filter(None, map(envelope_address, listed)):
        found.setdefault(address.lower(), address)
    return tuple(found.values())


_COMMON = {
    "returnPath": "return-path",
    "from": "from",
    "to": "to",
    "cc": "cc",
    "replyTo": "reply-to",
    "subject": "subject",
}


def _headers(
    listed: object, common: Mapping[str, Any]
) -> tuple[Mapping[str, tuple[str, ...]], bool]:
    """Return the headers by lower-case name, and True if some are missing or unreadable.

    `commonHeaders` fills gaps. An unreadable header counts like one that SES cut off: it may be one
    that forbids a bounce.
    """
    headers, whole = _fitting(listed if isinstance(listed, list) else ())
    if missing := [*_common_pairs(common, headers)]:
        more, all_fit = _fitting(missing)
        headers, whole = headers | more, whole and all_fit
    return headers, not (isinstance(listed, list) and whole)


def by_name(headers: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Return the values of headers by name: names in lower case, values without outer blanks."""
    found: dict[str, tuple[str, ...]] = {}
    repeated: dict[str, list[str]] = {}
    for name, value in headers:
        if name in found:
            repeated.setdefault(name, [*found[name]]).append(value)
        else:
            found[name] = (value,)
    for name, values in repeated.items():
        found[name] = tuple(values)
    return found


def _fitting(pairs: Iterable[Any]) -> tuple[dict[str, tuple[str, ...]], bool]:
    """Return the headers within the limit by lower-case name, and True if these are all."""
    cleaned: list[tuple[str, str]] = []
    room = HEADER_CHARS
    readable = True
    for pair in pairs:
        try:
            name, value = pair["name"], pair["value"]
            room -= len(name) + len(value) + _HEADER_COST
            if room < 0:
                value = value[:room]
            folded = "\n" in value or "\r" in value
            text = unfold(value) if folded else value.strip()
            cleaned.append((name.strip().lower(), text))
        except (TypeError, KeyError, AttributeError):  # not a pair of texts
            readable = False
            continue
        if room < 0:
            break
    return by_name(cleaned), readable and room >= 0


def _common_pairs(common: Mapping[str, Any], headers: Mapping[str, object]) -> Iterable[Any]:
    for member, name in _COMMON.items():
        if name not in headers and member in common:
            value = common[member]
            for item in value if isinstance(value, list) else [value]:
                yield {"name": name, "value": item}
