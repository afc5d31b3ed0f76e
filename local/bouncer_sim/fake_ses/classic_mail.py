"""SendEmail and SendRawEmail of the classic API as values: forms of the query protocol."""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from itertools import chain

from bouncer_sim.fake_ses import syntax
from bouncer_sim.fake_ses.form import Parameters
from bouncer_sim.fake_ses.outgoing_mail import (
    OutgoingMail,
    Tags,
    checked_recipients,
    checked_tags,
    composed,
    raw_message,
)
from bouncer_sim.fake_ses.refusal import unsatisfied

MOST_BYTES = 10 * 1024 * 1024
ACTIONS = ("SendEmail", "SendRawEmail")
_ARNS = ("SourceArn", "FromArn", "ReturnPathArn")


def parse(form: Mapping[str, str]) -> OutgoingMail:
    """Read a call; SesError for the first fault found.

    `form` is what the wire carried, with its `Action`.
    """
    given = Parameters(form)
    for name in _ARNS:  # sending authorization is not modelled
        if (arn := given.optional(name)) is not None:
            syntax.arn(name, arn)
    mail = _raw(given) if form.get("Action") == "SendRawEmail" else _composed(given)
    given.refuse_rest()
    return mail


def _raw(given: Parameters) -> OutgoingMail:
    data = given.required("RawMessage.Data")
    try:
        message = raw_message(b64decode(data, validate=True), most_bytes=MOST_BYTES)
    except binascii.Error:
        raise unsatisfied("RawMessage.Data", data[:20], "Member must be Base64") from None
    source = given.optional("Source") or message.first(b"from")
    named = [given.required(place) for place in given.members("Destinations")]
    if not named:
        headers = (message.first(name) for name in (b"to", b"cc", b"bcc"))
        named = [each.strip() for header in headers for each in header.split(",") if each.strip()]
    tags = _tags(given)
    return OutgoingMail(
        source=syntax.mailbox("Source", source),
        destinations=checked_recipients("Destinations", named),
        identities=(source, message.first(b"from")),
        tags=tags or checked_tags(message.own_tags),
        configuration_set=given.optional("ConfigurationSetName") or message.own_set,
        message=message.sent(),
    )


def _composed(given: Parameters) -> OutgoingMail:
    source = syntax.mailbox("Source", given.required("Source"))
    groups = {
        name: [given.required(place) for place in given.members(f"Destination.{name}Addresses")]
        for name in ("To", "Cc", "Bcc")
    }
    reply_to = [given.required(place) for place in given.members("ReplyToAddresses")]
    return_path = given.optional("ReturnPath")
    subject = _content(given, "Message.Subject")
    if subject is None:
        raise unsatisfied("Message.Subject", None, "Member must not be null")
    fields = {"From": source, "Subject": subject, "Reply-To": ", ".join(reply_to)}
    fields |= {name: ", ".join(groups[name]) for name in ("To", "Cc")}
    data = composed(
        {name: value for name, value in fields.items() if value or name == "Subject"},
        text=_content(given, "Message.Body.Text"),
        html=_content(given, "Message.Body.Html"),
    )
    return OutgoingMail(
        source=source,
        destinations=checked_recipients("Destination", chain(*groups.values())),
        identities=(source, *([return_path] if return_path else [])),
        tags=_tags(given),
        configuration_set=given.optional("ConfigurationSetName"),
        message=raw_message(data, most_bytes=MOST_BYTES).sent(),
    )


def _content(given: Parameters, place: str) -> str | None:
    """Return a text; its character set says only how SES writes it."""
    given.optional(f"{place}.Charset")
    if not given.has(place):
        return None
    return given.required(f"{place}.Data")


def _tags(given: Parameters) -> Tags:
    places = given.members("Tags")
    pairs = ((given.required(f"{each}.Name"), given.required(f"{each}.Value")) for each in places)
    return checked_tags(pairs)
