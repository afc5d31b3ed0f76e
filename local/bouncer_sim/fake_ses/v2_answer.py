"""The answers of SES's second API, as JSON: a sent mail, the account, and errors."""

import json
from collections.abc import Mapping
from typing import Any

from bouncer_sim.fake_ses.answer import Answer
from bouncer_sim.fake_ses.refusal import ErrorCode, SesError
from bouncer_sim.fake_ses.sending_limits import SendingLimits

_TYPE = "application/json"
# The second API has other words, and other HTTP statuses, for some of the errors.
_ERRORS: Mapping[ErrorCode, tuple[str, int]] = {
    ErrorCode.MESSAGE_REJECTED: ("MessageRejected", 400),
    ErrorCode.THROTTLING: ("TooManyRequestsException", 429),
    ErrorCode.NO_CONFIGURATION_SET: ("NotFoundException", 404),
    ErrorCode.CONFIGURATION_SET_PAUSED: ("SendingPausedException", 400),
    ErrorCode.ACCOUNT_PAUSED: ("SendingPausedException", 400),
    ErrorCode.SERIALIZATION: ("SerializationException", 400),
    ErrorCode.NOT_FOUND: ("UnknownOperationException", 404),
    ErrorCode.MISSING_AUTHENTICATION_TOKEN: ("MissingAuthenticationTokenException", 403),
    ErrorCode.SERVICE_UNAVAILABLE: ("ServiceUnavailableException", 503),
    ErrorCode.INTERNAL_FAILURE: ("InternalServiceErrorException", 500),
}
_BAD_REQUEST = ("BadRequestException", 400)


def sent(message_id: str, request_id: str) -> Answer:
    """Answer that the mail was accepted under `message_id`."""
    return _answer(200, {"MessageId": message_id}, request_id)


def account(limits: SendingLimits, *, at: float, enabled: bool, request_id: str) -> Answer:
    """Answer what GetAccount tells, as far as the fake has it."""
    return _answer(200, account_members(limits, at=at, enabled=enabled), request_id)


def account_members(limits: SendingLimits, *, at: float, enabled: bool) -> dict[str, Any]:
    """Return the members of an answer of GetAccount."""
    return {
        "DedicatedIpAutoWarmupEnabled": False,
        "EnforcementStatus": "HEALTHY",
        "ProductionAccessEnabled": True,
        "SendQuota": {
            "Max24HourSend": float(limits.of_a_day),
            "MaxSendRate": float(limits.rate),
            "SentLast24Hours": float(limits.used(at)),
        },
        "SendingEnabled": enabled,
    }


def refused(error: SesError, request_id: str) -> Answer:
    """Answer with an error."""
    word, status = _ERRORS.get(error.code, _BAD_REQUEST)
    return _answer(status, {"message": str(error)}, request_id, error=word)


def _answer(status: int, members: object, request_id: str, *, error: str = "") -> Answer:
    body = json.dumps(members).encode()
    return Answer(status=status, body=body, request_id=request_id, content_type=_TYPE, error=error)
