"""SES's error codes, the error that carries one, and how SES words a broken constraint.

Nothing here decides: the check that finds a fault picks the error code.
"""

import re
from enum import StrEnum

from bouncer.errors import BouncerError

_SHOWN = 120


class ErrorCode(StrEnum):
    """The `Code` of an SES error answer; each knows the HTTP status it travels with."""

    MESSAGE_REJECTED = "MessageRejected"
    INVALID_PARAMETER_VALUE = "InvalidParameterValue"
    VALIDATION_ERROR = "ValidationError"
    MALFORMED_QUERY_STRING = "MalformedQueryString"
    INVALID_ACTION = "InvalidAction"
    MISSING_AUTHENTICATION_TOKEN = "MissingAuthenticationToken"  # noqa: S105 - an error's name
    THROTTLING = "Throttling"
    LENGTH_REQUIRED = "MissingContentLength"
    TOO_LARGE = "RequestEntityTooLarge"
    NO_CONFIGURATION_SET = "ConfigurationSetDoesNotExist"
    CONFIGURATION_SET_PAUSED = "ConfigurationSetSendingPausedException"
    ACCOUNT_PAUSED = "AccountSendingPausedException"
    SERIALIZATION = "SerializationException"
    NOT_FOUND = "UnknownOperationException"
    SERVICE_UNAVAILABLE = "ServiceUnavailable"
    INTERNAL_FAILURE = "InternalFailure"

    @property
    def status(self) -> int:
        """The HTTP status: 400 unless the code has its own."""
        return _STATUS.get(self, 400)


_STATUS = {
    ErrorCode.MISSING_AUTHENTICATION_TOKEN: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.LENGTH_REQUIRED: 411,
    ErrorCode.TOO_LARGE: 413,
    ErrorCode.INTERNAL_FAILURE: 500,
    ErrorCode.SERVICE_UNAVAILABLE: 503,
}


class SesError(BouncerError):
    """A request SES answers with an error; `code` is its word for programs, the text for people."""

    def __init__(self, code: ErrorCode, text: str) -> None:
        self.code = code
        super().__init__(text)


def invalid(place: str, value: str, expected: str) -> SesError:
    """Return the refusal of a value SES understands but does not accept."""
    text = f"Invalid value {shown(value)} for {place}: expected {expected}."
    return SesError(ErrorCode.INVALID_PARAMETER_VALUE, text)


def unsatisfied(place: str, value: str | None, constraint: str) -> SesError:
    """Return the refusal of a value outside the service's model, in the words AWS uses for it."""
    found = "null" if value is None else shown(value)
    text = (
        f"1 validation error detected: Value {found} at '{_model_path(place)}' "
        f"failed to satisfy constraint: {constraint}"
    )
    return SesError(ErrorCode.VALIDATION_ERROR, text)


def shown(value: str) -> str:
    """Quote a stranger's text in printable ASCII, cut short: fit for XML and for a terminal."""
    return ascii(value if len(value) <= _SHOWN else value[:_SHOWN] + "...")


def _model_path(place: str) -> str:
    """Turn `List.member.1.Name` into the path AWS shows, `list.1.member.name`."""
    words = (word[:1].lower() + word[1:] for word in place.split("."))
    return re.sub(r"\bmember\.(\d+)", r"\1.member", ".".join(words))
