"""The fields of the rule language: one row for each.

Reader, index, hints for unknown keys, explanations and the strategies of the tests follow from the
rows. A new field of an existing kind needs its row here, its line in docs/rules.md and its tests.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

from bouncer.mail.address import domain
from bouncer.mail.field_values import Values
from bouncer.mail.list_id import list_ids
from bouncer.mail.message import VERDICTS, Message

T = TypeVar("T")

_NOTHING_KNOWN = Values((), whole=False)
VERDICT_WORDS = ("pass", "fail", "gray", "processing_failed", "disabled", "absent")
POLICY_WORDS = ("none", "quarantine", "reject", "absent")


class Kind(StrEnum):
    """A kind of matcher; the values of a field are of the type its matchers compare."""

    ADDRESS = "address"  # str
    DOMAIN = "domain"  # str
    TEXT = "text"  # str
    HEADER = "header"  # str; the rule names the header
    WORD = "word"  # str, one of the field's `words`
    NETWORK = "network"  # IPv4Address or IPv6Address
    NUMBER = "number"  # int
    SIZE = "size"  # int, in bytes
    WINDOW = "window"  # datetime


class Availability(StrEnum):
    """The source a field's values come from."""

    EVENT = "event"  # the event SES hands to the intake
    HEADERS = "headers"  # the headers, which SES cuts in the event, and the stored copy completes
    COPY = "stored copy"  # the raw mail, which SES keeps in S3 and a replay has at hand


class Field(NamedTuple):
    """One field: its name, its kind of matcher and how its values are read from a message.

    A field about the recipient being decided has `recipient_values` in place of `values`. `words`
    are those of a word field; `may_be_empty` lets a rule ask an address field for "". The values of
    a field of the stored copy may be only some of all: `of_copy` tells.
    """

    name: str
    kind: Kind
    values: Callable[[Message], Iterable[Any]] = lambda _: ()
    recipient_values: Callable[[str], Iterable[str]] | None = None
    words: tuple[str, ...] = ()
    may_be_empty: bool = False
    availability: Availability = Availability.EVENT


def _domains(addresses: Iterable[str]) -> list[str]:
    return [found for address in addresses if (found := domain(address))]


def _if_known(value: T | None) -> tuple[T, ...]:
    return () if value is None else (value,)


def _sender(message: Message) -> tuple[str, ...]:
    return () if message.sender_unknown else (message.sender,)


def _verdict(name: str) -> Field:
    return Field(name, Kind.WORD, lambda message: (message.verdicts[name],), words=VERDICT_WORDS)


def _in_headers(name: str, kind: Kind, values: Callable[[Message], Iterable[Any]]) -> Field:
    return Field(name, kind, values, availability=Availability.HEADERS)


def of_copy(field: Field, message: Message) -> Values:
    """Return the values of a field of the stored copy, and if these are all; () without a copy."""
    return message.content.of(field.name) if message.content else _NOTHING_KNOWN


def _copied(name: str, kind: Kind) -> Field:
    def values(message: Message) -> Iterable[Any]:
        return message.content.of(name).values if message.content else ()

    return Field(name, kind, values, availability=Availability.COPY)


_ROWS = (
    Field("sender", Kind.ADDRESS, _sender, may_be_empty=True),
    Field("recipient", Kind.ADDRESS, recipient_values=lambda recipient: (recipient,)),
    _in_headers("from", Kind.ADDRESS, lambda message: message.from_),
    _in_headers("to", Kind.ADDRESS, lambda message: message.to),
    _in_headers("cc", Kind.ADDRESS, lambda message: message.cc),
    _in_headers("reply_to", Kind.ADDRESS, lambda message: message.reply_to),
    Field("sender_domain", Kind.DOMAIN, lambda message: _domains((message.sender,))),
    Field("recipient_domain", Kind.DOMAIN, recipient_values=lambda found: _domains((found,))),
    _in_headers("from_domain", Kind.DOMAIN, lambda message: _domains(message.from_)),
    _in_headers("subject", Kind.TEXT, lambda message: message.subject),
    Field("header", Kind.HEADER, availability=Availability.HEADERS),
    *map(_verdict, VERDICTS),
    Field("dmarc_policy", Kind.WORD, lambda message: (message.dmarc_policy,), words=POLICY_WORDS),
    Field("source_ip", Kind.NETWORK, lambda message: _if_known(message.source_ip)),
    Field("helo", Kind.TEXT, lambda message: _if_known(message.helo)),
    _in_headers("list_id", Kind.DOMAIN, lambda message: list_ids(message.header("list-id"))),
    Field("recipients", Kind.NUMBER, lambda message: (len(message.recipients),)),
    Field("time", Kind.WINDOW, lambda message: _if_known(message.received_at)),
    _copied("size", Kind.SIZE),
    _copied("body", Kind.TEXT),
    _copied("attachments", Kind.NUMBER),
    _copied("attachment_name", Kind.TEXT),
    _copied("attachment_type", Kind.TEXT),
    _copied("attachment_size", Kind.SIZE),
)
FIELDS: Mapping[str, Field] = {row.name: row for row in _ROWS}
OF_HEADERS = frozenset(row.name for row in _ROWS if row.availability is Availability.HEADERS)
COPIED = frozenset(row.name for row in _ROWS if row.availability is Availability.COPY)
