"""The events of SES about mail that it sent: a bounce or a complaint, read from EventBridge's JSON.

Sources: SES Developer Guide, "Monitoring SES events using Amazon EventBridge" and "Examples of
event data"; EventBridge reference, "Amazon Simple Email Service events". Who can send to the queue
may have written one, so nothing but these members is read, and each only as the text it has to be.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bouncer.errors import BouncerError

SOURCE = "aws.ses"
_BOUNCED = "Email Bounced"
_COMPLAINT = "Email Complaint Received"
DETAIL_TYPES = (_BOUNCED, _COMPLAINT)

_LONGEST = 1000  # characters of a text that is read


class Kind(StrEnum):
    """The fate of a mail that an event reports."""

    PERMANENT = "permanent"  # it bounced, and would again
    TRANSIENT = "transient"  # it bounced, and might not another time; or SES does not know
    COMPLAINT = "complaint"  # its receiver reported it as spam

    @property
    def suppresses(self) -> bool:
        """True if the receiver is to get no further bounces for a while."""
        return self is not Kind.TRANSIENT


class BounceEventError(BouncerError):
    """A message that is not an event of a bounce or of a complaint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceEvent:
    """An event about the mail with the SES message id `mail_id`, which came from `source`."""

    kind: Kind
    mail_id: str
    source: str


def read_event(body: str) -> BounceEvent:
    """Read an event from the text that EventBridge wrote; raises `BounceEventError`."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BounceEventError(f"found {body[:60]!r}, expected the JSON of an event") from error
    if _text(event, "source") != SOURCE or _text(event, "detail-type") not in DETAIL_TYPES:
        raise BounceEventError(f"found {body[:60]!r}, expected a bounce or complaint of {SOURCE}")
    detail = _member(event, "detail")
    mail = _member(detail, "mail")
    mail_id = _text(mail, "messageId")
    if not mail_id:
        raise BounceEventError("found no mail.messageId, expected that of the mail")
    return BounceEvent(kind=_kind(event, detail), mail_id=mail_id, source=_text(mail, "source"))


def _kind(event: object, detail: object) -> Kind:
    if _text(event, "detail-type") == _COMPLAINT:
        return Kind.COMPLAINT
    permanent = _text(_member(detail, "bounce"), "bounceType") == "Permanent"
    return Kind.PERMANENT if permanent else Kind.TRANSIENT


def _member(parent: object, name: str) -> object:
    return parent.get(name) if isinstance(parent, Mapping) else None


def _text(parent: object, name: str) -> str:
    value = _member(parent, name)
    return value if isinstance(value, str) and len(value) <= _LONGEST else ""
