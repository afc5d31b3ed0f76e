"""A SendBounce call as values, and the checks that need nothing but the call itself.

Values that SES documents as wrong are refused here. Checks that need the received mail or the
verified identities are in ses_account.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bouncer_sim.fake_ses import syntax
from bouncer_sim.fake_ses.form import Parameters
from bouncer_sim.fake_ses.refusal import ErrorCode, SesError, unsatisfied

_MAX_RECIPIENTS = 50


class BounceType(StrEnum):
    """SES's six ready-made reasons."""

    DOES_NOT_EXIST = "DoesNotExist"
    MESSAGE_TOO_LARGE = "MessageTooLarge"
    EXCEEDED_QUOTA = "ExceededQuota"
    CONTENT_REJECTED = "ContentRejected"
    UNDEFINED = "Undefined"
    TEMPORARY_FAILURE = "TemporaryFailure"


class DsnAction(StrEnum):
    """The action taken for a recipient (RFC 3464 2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionField:
    """One additional DSN field."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDsn:
    """The fields of the DSN that concern the message as a whole; times are UTC."""

    reporting_mta: str
    arrival_date: datetime | None
    extension_fields: tuple[ExtensionField, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientDsnFields:
    """The DSN fields of one recipient, where no bounce type supplies them; times are UTC."""

    action: DsnAction
    status: str
    final_recipient: str | None
    diagnostic_code: str | None
    remote_mta: str | None
    last_attempt_date: datetime | None
    extension_fields: tuple[ExtensionField, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BouncedRecipient:
    """One recipient and why: a bounce type, or DSN fields of the caller's own."""

    recipient: str
    reason: BounceType | RecipientDsnFields

    @property
    def final_recipient(self) -> str:
        """The address the message ultimately went to: the recipient unless the call says else."""
        given = self.reason.final_recipient if isinstance(self.reason, RecipientDsnFields) else None
        return given or self.recipient


@dataclass(frozen=True, slots=True, kw_only=True)
class SendBounceRequest:
    """One SendBounce call, well-formed; ARNs were checked and are not kept."""

    original_message_id: str
    bounce_sender: str
    explanation: str | None
    message_dsn: MessageDsn | None
    recipients: tuple[BouncedRecipient, ...]


def parse(form: Mapping[str, str]) -> SendBounceRequest:
    """Read a SendBounce call from the parameters of its form; SesError for the first fault found.

    `form` is what the wire carried, `Action` and `Version` included.
    """
    given = Parameters(form)
    explanation = given.optional("Explanation")
    _arn(given, "BounceSenderArn")
    request = SendBounceRequest(
        original_message_id=syntax.line("OriginalMessageId", given.required("OriginalMessageId")),
        bounce_sender=syntax.mailbox("BounceSender", given.required("BounceSender")),
        explanation=syntax.text("Explanation", explanation) if explanation else None,
        message_dsn=_message_dsn(given),
        recipients=_recipients(given),
    )
    given.refuse_rest()
    return request


def _message_dsn(given: Parameters) -> MessageDsn | None:
    if not given.has("MessageDsn"):
        return None
    mta, arrival = "MessageDsn.ReportingMta", "MessageDsn.ArrivalDate"
    return MessageDsn(
        reporting_mta=syntax.mta(mta, given.required(mta)),
        arrival_date=_instant(given, arrival),
        extension_fields=_extension_fields(given, "MessageDsn.ExtensionFields"),
    )


def _recipients(given: Parameters) -> tuple[BouncedRecipient, ...]:
    name = "BouncedRecipientInfoList"
    places = given.members(name)
    if not places:
        raise unsatisfied(name, "[]", "Member must have length greater than or equal to 1")
    if len(places) > _MAX_RECIPIENTS:
        # No maximum is documented for this list; 50 is SES's for any mail, sent or received.
        raise SesError(ErrorCode.INVALID_PARAMETER_VALUE, "Recipient count exceeds 50.")
    return tuple(_recipient(given, place) for place in places)


def _recipient(given: Parameters, place: str) -> BouncedRecipient:
    recipient = given.required(f"{place}.Recipient")
    _arn(given, f"{place}.RecipientArn")
    return BouncedRecipient(
        recipient=syntax.address(f"{place}.Recipient", recipient), reason=_reason(given, place)
    )


def _reason(given: Parameters, place: str) -> BounceType | RecipientDsnFields:
    bounce_type = given.optional(f"{place}.BounceType")
    fields = given.has(f"{place}.RecipientDsnFields")
    if (bounce_type is not None) == fields:
        # Documented: "either". What SES does with both, or with neither, is not known, so neither
        # passes here: a caller who relies on one of them finds out in a test.
        raise SesError(
            ErrorCode.INVALID_PARAMETER_VALUE,
            f"{place}: expected exactly one of BounceType and RecipientDsnFields.",
        )
    if bounce_type is not None:
        return syntax.word(f"{place}.BounceType", bounce_type, BounceType)
    return _recipient_dsn_fields(given, f"{place}.RecipientDsnFields")


def _recipient_dsn_fields(given: Parameters, place: str) -> RecipientDsnFields:
    final, diagnostic, remote = (
        given.optional(f"{place}.{name}")
        for name in ("FinalRecipient", "DiagnosticCode", "RemoteMta")
    )
    action, status = (given.required(f"{place}.{name}") for name in ("Action", "Status"))
    return RecipientDsnFields(
        action=syntax.word(f"{place}.Action", action, DsnAction),
        status=syntax.status(f"{place}.Status", status),
        final_recipient=None if final is None else syntax.address(f"{place}.FinalRecipient", final),
        diagnostic_code=syntax.line(f"{place}.DiagnosticCode", diagnostic) if diagnostic else None,
        remote_mta=None if remote is None else syntax.mta(f"{place}.RemoteMta", remote),
        last_attempt_date=_instant(given, f"{place}.LastAttemptDate"),
        extension_fields=_extension_fields(given, f"{place}.ExtensionFields"),
    )


def _extension_fields(given: Parameters, name: str) -> tuple[ExtensionField, ...]:
    return tuple(
        ExtensionField(
            name=syntax.extension_name(f"{place}.Name", given.required(f"{place}.Name")),
            value=syntax.line(f"{place}.Value", given.required(f"{place}.Value")),
        )
        for place in given.members(name)
    )


def _instant(given: Parameters, place: str) -> datetime | None:
    value = given.optional(place)
    return None if value is None else syntax.instant(place, value)


def _arn(given: Parameters, place: str) -> None:
    """Sending authorization is not modelled: an ARN only has to look like one."""
    value = given.optional(place)
    if value is not None:
        syntax.arn(place, value)
