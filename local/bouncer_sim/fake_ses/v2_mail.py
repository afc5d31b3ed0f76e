"""SendEmail of SES's second API as a value: a JSON document.

Templates and attachments are not modelled: a call with them is refused.
"""

import binascii
import json
import re
from base64 import b64decode
from typing import Any

from bouncer_sim.fake_ses import syntax
from bouncer_sim.fake_ses.outgoing_mail import (
    OutgoingMail,
    RawMessage,
    Tags,
    checked_recipients,
    checked_tags,
    composed,
    raw_message,
)
from bouncer_sim.fake_ses.refusal import ErrorCode, SesError, shown, unsatisfied

MOST_BYTES = 40 * 1024 * 1024
_MOST_HEADERS = 15
_HEADER_NAME = re.compile(r"[!-9;-@A-~]{1,126}")
_HEADER_VALUE = re.compile(r"[ -~]{1,995}")
_MEMBERS = {
    "FromEmailAddress",
    "FromEmailAddressIdentityArn",
    "Destination",
    "ReplyToAddresses",
    "FeedbackForwardingEmailAddress",
    "FeedbackForwardingEmailAddressIdentityArn",
    "Content",
    "EmailTags",
    "ConfigurationSetName",
}


def parse(body: bytes) -> OutgoingMail:
    """Read a call; SesError for the first fault found."""
    call = _document(body)
    for name in ("FromEmailAddressIdentityArn", "FeedbackForwardingEmailAddressIdentityArn"):
        if name in call:
            syntax.arn(name, _text(call, name))
    message = _message(call)
    source = _text(call, "FromEmailAddress") or message.first(b"from")
    feedback = _text(call, "FeedbackForwardingEmailAddress")
    tags = _tags(call)
    return OutgoingMail(
        source=syntax.mailbox("FromEmailAddress", source),
        destinations=checked_recipients("Destination", _destinations(call, message)),
        identities=tuple(filter(None, (source, message.first(b"from"), feedback))),
        tags=tags or checked_tags(message.own_tags),
        configuration_set=_text(call, "ConfigurationSetName") or message.own_set,
        message=message.sent(),
    )


def _document(body: bytes) -> dict[str, Any]:
    try:
        call = json.loads(body)
    except (ValueError, RecursionError):
        raise SesError(ErrorCode.SERIALIZATION, "The request body is not JSON.") from None
    if not isinstance(call, dict):
        raise SesError(ErrorCode.SERIALIZATION, "The request body is not a JSON object.")
    if unknown := set(call) - _MEMBERS:
        raise _wrong(f"Unexpected member {shown(min(unknown))}: not modelled by the fake SES.")
    return call


def _message(call: dict[str, Any]) -> RawMessage:
    content = _mapping(call, "Content")
    if set(content) == {"Raw"}:
        data = _text(_mapping(content, "Raw"), "Data")
        try:
            return raw_message(b64decode(data, validate=True), most_bytes=MOST_BYTES)
        except binascii.Error:
            raise _wrong("Content.Raw.Data is not Base64.") from None
    if set(content) != {"Simple"}:
        raise _wrong("Content: expected one of Simple and Raw; the fake SES has no templates.")
    return raw_message(_simple(call, _mapping(content, "Simple")), most_bytes=MOST_BYTES)


def _simple(call: dict[str, Any], simple: dict[str, Any]) -> bytes:
    if "Attachments" in simple:
        raise _wrong("Content.Simple.Attachments: not modelled by the fake SES.")
    groups = _mapping(call, "Destination")
    fields = {
        "From": _text(call, "FromEmailAddress"),
        "Subject": _text(_mapping(simple, "Subject"), "Data"),
        "To": ", ".join(_texts(groups, "ToAddresses")),
        "Cc": ", ".join(_texts(groups, "CcAddresses")),
        "Reply-To": ", ".join(_texts(call, "ReplyToAddresses")),
    }
    fields |= _headers(simple)
    body = _mapping(simple, "Body")
    parts = {name: _mapping(body, name) for name in ("Text", "Html") if name in body}
    texts = {name: _text(part, "Data") for name, part in parts.items()}
    kept = {name: value for name, value in fields.items() if value or name == "Subject"}
    return composed(kept, text=texts.get("Text"), html=texts.get("Html"))


def _headers(simple: dict[str, Any]) -> dict[str, str]:
    given = _list(simple, "Headers")
    if len(given) > _MOST_HEADERS:
        raise _wrong(f"Header count exceeds {_MOST_HEADERS}.")
    found: dict[str, str] = {}
    for index, each in enumerate(given, 1):
        name, value = _text(each, "Name"), _text(each, "Value")
        if not _HEADER_NAME.fullmatch(name):
            raise unsatisfied(f"Headers.member.{index}.Name", name, "Member must be a header name")
        if not _HEADER_VALUE.fullmatch(value):
            raise unsatisfied(f"Headers.member.{index}.Value", value, "Member must be one line")
        found[name] = value
    return found


def _destinations(call: dict[str, Any], message: RawMessage) -> list[str]:
    groups = _mapping(call, "Destination") if "Destination" in call else {}
    named = [each for name in ("To", "Cc", "Bcc") for each in _texts(groups, f"{name}Addresses")]
    headers = (message.first(name) for name in (b"to", b"cc", b"bcc"))
    return named or [each.strip() for text in headers for each in text.split(",") if each.strip()]


def _tags(call: dict[str, Any]) -> Tags:
    pairs = ((_text(tag, "Name"), _text(tag, "Value")) for tag in _list(call, "EmailTags"))
    return checked_tags(pairs)


def _mapping(members: object, name: str) -> dict[str, Any]:
    found = members.get(name) if isinstance(members, dict) else None
    if not isinstance(found, dict):
        raise unsatisfied(name, None, "Member must not be null")
    return found


def _list(members: dict[str, Any], name: str) -> list[Any]:
    found = members.get(name) or []
    if not isinstance(found, list):
        raise _wrong(f"{name}: expected a list.")
    return found


def _text(members: object, name: str) -> str:
    found = members.get(name) if isinstance(members, dict) else None
    if found is not None and not isinstance(found, str):
        raise _wrong(f"{name}: expected a text.")
    return found or ""


def _texts(members: dict[str, Any], name: str) -> list[str]:
    found = _list(members, name)
    if not all(isinstance(each, str) for each in found):
        raise _wrong(f"{name}: expected texts.")
    return found


def _wrong(text: str) -> SesError:
    return SesError(ErrorCode.INVALID_PARAMETER_VALUE, text)
