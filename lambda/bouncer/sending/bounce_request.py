"""The parameters of the SendBounce call that a job asks for, as boto3 takes them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bouncer.jobs.job import DsnFields, Fields, Job, Refusal
from bouncer.mail.quoted_mailbox import quoted_mailbox
from bouncer.rules.rejection import REFERENCE_FIELD


def bounce_request(job: Job) -> dict[str, Any]:
    """The parameters of the SendBounce call, for boto3."""
    call: dict[str, Any] = {
        "OriginalMessageId": job.message_id,
        "BounceSender": quoted_mailbox(job.bounce_sender),
        "MessageDsn": {
            "ReportingMta": job.reporting_mta,
            "ArrivalDate": job.received_at,
            "ExtensionFields": _api_fields(
                ((REFERENCE_FIELD, job.reference), *job.extension_fields)
            ),
        },
        "BouncedRecipientInfoList": [_recipient_info(refusal) for refusal in job.refusals],
    }
    return call | _present(
        {"Explanation": job.explanation, "BounceSenderArn": job.bounce_sender_arn}
    )


def _recipient_info(refusal: Refusal) -> dict[str, Any]:
    info: dict[str, Any] = {"Recipient": refusal.recipient}
    info |= _present({"RecipientArn": refusal.recipient_arn, "BounceType": refusal.bounce_type})
    if refusal.dsn is not None:
        info["RecipientDsnFields"] = _dsn_info(refusal.dsn)
    return info


def _dsn_info(dsn: DsnFields) -> dict[str, Any]:
    fields: dict[str, Any] = {"Action": dsn.action, "Status": dsn.status}
    last = datetime.fromisoformat(dsn.last_attempt_date) if dsn.last_attempt_date else None
    return fields | _present(
        {
            "DiagnosticCode": dsn.diagnostic_code,
            "FinalRecipient": dsn.final_recipient,
            "RemoteMta": dsn.remote_mta,
            "LastAttemptDate": last,
            "ExtensionFields": _api_fields(dsn.extension_fields) or None,
        }
    )


def _api_fields(fields: Fields) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in fields]


def _present(members: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in members.items() if value is not None}
