"""A rejection as plain values for JSON; a member that says nothing is left out."""

from dataclasses import fields
from typing import Any

from bouncer.rules.known_members import expect_known
from bouncer.rules.rejection import BounceType, Dsn, Rejection, Template

Values = dict[str, Any]

_MEMBERS = frozenset(field.name for field in fields(Rejection)) - {"reason"} | {"type", "dsn"}
_DSN_MEMBERS = frozenset(field.name for field in fields(Dsn))


def rejection_values(rejection: Rejection) -> Values:
    """Return a rejection as values; `rejection_of` reads them again."""
    reason = rejection.reason
    return _told(
        {
            "type": str(reason) if isinstance(reason, BounceType) else None,
            "dsn": _dsn_values(reason) if isinstance(reason, Dsn) else None,
            "message": _text(rejection.message),
            "keep_copy": rejection.keep_copy,
            "answer": sorted(rejection.answer),
            "sender": rejection.sender,
            "sender_arn": rejection.sender_arn,
            "recipient_arn": rejection.recipient_arn,
            "reporting_mta": rejection.reporting_mta,
            "extension_fields": _lists(rejection.extension_fields),
        }
    )


def rejection_of(values: Values) -> Rejection:
    """Return the rejection that has these values; raises `ValueError` for an unknown member."""
    expect_known(values, _MEMBERS)
    dsn = values.get("dsn")
    return Rejection(
        reason=_dsn_of(dsn) if dsn else BounceType(values["type"]),
        message=_template(values.get("message")),
        keep_copy=values.get("keep_copy", False),
        answer=frozenset(values.get("answer", ())),
        sender=values.get("sender"),
        sender_arn=values.get("sender_arn"),
        recipient_arn=values.get("recipient_arn"),
        reporting_mta=values.get("reporting_mta"),
        extension_fields=_pairs(values.get("extension_fields", ())),
    )


def _dsn_values(dsn: Dsn) -> Values:
    return _told(
        {
            "status": dsn.status,
            "smtp_code": dsn.smtp_code,
            "action": dsn.action,
            "diagnostic": _text(dsn.diagnostic),
            "remote_mta": dsn.remote_mta,
            "final_recipient": dsn.final_recipient,
            "last_attempt_date": dsn.last_attempt_date,
            "extension_fields": _lists(dsn.extension_fields),
        }
    )


def _dsn_of(values: Values) -> Dsn:
    expect_known(values, _DSN_MEMBERS)
    return Dsn(
        status=values["status"],
        smtp_code=values["smtp_code"],
        action=values["action"],
        diagnostic=_template(values.get("diagnostic")),
        remote_mta=values.get("remote_mta"),
        final_recipient=values.get("final_recipient"),
        last_attempt_date=values.get("last_attempt_date", False),
        extension_fields=_pairs(values.get("extension_fields", ())),
    )


def _told(values: Values) -> Values:
    """Leave out what says nothing: None, False and empty lists."""
    return {key: value for key, value in values.items() if value not in (None, False, [])}


def _text(template: Template | None) -> str | None:
    return template.text if template else None


def _template(text: str | None) -> Template | None:
    return None if text is None else Template(text)


def _lists(fields: tuple[tuple[str, str], ...]) -> list[list[str]]:
    return [list(field) for field in fields]


def _pairs(fields: list[list[str]] | tuple[()]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in fields)
