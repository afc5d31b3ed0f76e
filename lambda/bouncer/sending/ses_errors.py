"""The errors SES may answer a call that sends mail with: one row each, and the outcome for the job.

A row also names the scope of the error and who can mend it. The first row that fits an answer
counts; the last one fits every answer.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from bouncer.errors import BouncerError
from bouncer.sending.pacer import NotAcceptedError, UnansweredError


class ThrottledError(NotAcceptedError):
    """SES said that the rate is exceeded: the call may be made again."""


class UnavailableError(NotAcceptedError):
    """SES could not be reached, or can't serve now: the call may be made again."""


class UnreachableError(UnavailableError, UnansweredError):
    """SES could not be reached, so that it did not receive the call."""


class RefusedError(BouncerError):
    """SES refused this bounce for good; the text is SES's code and message."""


class UnknownOutcomeError(BouncerError):
    """It is not known whether SES accepted the bounce, so nothing is sent again."""


class LostAnswerError(UnknownOutcomeError, UnansweredError):
    """SES may have received the call, and no answer came."""


class Scope(StrEnum):
    """The jobs that the same error would stop as well."""

    JOB = "this job"
    IDENTITY = "this sender's identity"
    ACCOUNT = "the account"


class DeadLetterError(RefusedError):
    """SES refused for a cause that may be removed within a day: the job becomes a dead letter.

    `scope` says which other jobs the same cause stops.
    """

    scope = Scope.JOB


class Mender(StrEnum):
    """The party that can remove the cause of an error."""

    NOBODY = "nobody"
    OPERATOR = "the operator"
    AWS = "AWS"


class ErrorRow(NamedTuple):
    """One error of SES: a `code`, the beginning of the text, an HTTP status, or any answer.

    A code is compared without the word Exception at its end, which not every API of SES writes.
    `text` is compared with the beginning of SES's sentence alone: farther on it may name an
    address, and strangers choose theirs.
    """

    outcome: type[BouncerError]
    scope: Scope
    mended_by: Mender
    code: str | None = None
    text: re.Pattern[str] | None = None
    status: range | None = None

    def fits(self, code: str, text: str, status: int) -> bool:
        """Tell whether an answer of SES is this error."""
        return (
            (self.code is None or self.code == code.removesuffix("Exception"))
            and (self.text is None or self.text.match(text) is not None)
            and (self.status is None or status in self.status)
        )


def _codes(
    outcome: type[BouncerError], scope: Scope, mended_by: Mender, codes: Iterable[str]
) -> list[ErrorRow]:
    return [ErrorRow(outcome, scope, mended_by, code) for code in codes]


def _beginning(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_NOT_VERIFIED = _beginning("email address (is )?not verified")
_NO_SET = _beginning(r"configuration set\b")
_IDENTITY_PAUSED = _beginning(
    r"(email )?sending\b[a-z ]{0,60}\b(configuration set|identity|domain)\b"
)
_PAUSED = _beginning(r"(email )?(account|sending)\b[a-z ]{0,40}\b(paused|suspended|disabled)")
_TOO_MANY_REQUESTS = range(429, 430)
_UNAVAILABLE = range(503, 504)
_SERVER_ERRORS = range(500, 1000)

# The scope decides: what every job would meet is tried again, so that none is lost and none passes
# another; what jobs of one identity would meet becomes a dead letter, so that the others go on.
# Sources: SES API reference, "Common errors" and SendBounce; SES Developer Guide, "Amazon SES email
# sending errors"; the codes by which AWS services throttle as botocore knows them.
ERRORS: tuple[ErrorRow, ...] = (
    *_codes(
        ThrottledError,
        Scope.ACCOUNT,
        Mender.NOBODY,
        (
            "BandwidthLimitExceeded",
            "LimitExceeded",
            "PriorRequestNotComplete",
            "RequestLimitExceeded",
            "RequestThrottled",
            "SlowDown",
            "Throttled",
            "Throttling",
            "TooManyRequests",
        ),
    ),
    ErrorRow(ThrottledError, Scope.ACCOUNT, Mender.NOBODY, status=_TOO_MANY_REQUESTS),
    # The function's credentials, its clock or its signature: Lambda renews the first two.
    *_codes(
        UnavailableError,
        Scope.ACCOUNT,
        Mender.AWS,
        (
            "AuthFailure",
            "ExpiredToken",
            "IncompleteSignature",
            "InvalidClientTokenId",
            "MissingAuthenticationToken",
            "RequestExpired",
            "RequestTimeTooSkewed",
            "ServiceUnavailable",
            "SignatureDoesNotMatch",
            "UnrecognizedClient",
        ),
    ),
    # AWS or the operator stopped the account; the operator resumes sending, or asks AWS to.
    *_codes(
        UnavailableError,
        Scope.ACCOUNT,
        Mender.OPERATOR,
        ("AccountSendingPaused", "AccountSuspended", "OptInRequired", "SendingPaused"),
    ),
    ErrorRow(UnavailableError, Scope.ACCOUNT, Mender.AWS, status=_UNAVAILABLE),
    ErrorRow(UnknownOutcomeError, Scope.JOB, Mender.AWS, status=_SERVER_ERRORS),
    *_codes(
        DeadLetterError,
        Scope.IDENTITY,
        Mender.OPERATOR,
        (
            "AccessDenied",
            "ConfigurationSetDoesNotExist",
            "ConfigurationSetSendingPaused",
            "MailFromDomainNotVerified",
            "UnauthorizedOperation",
        ),
    ),
    # The text may mean the identity of the bounce's sender, or another address of the message.
    ErrorRow(DeadLetterError, Scope.IDENTITY, Mender.OPERATOR, text=_NOT_VERIFIED),
    ErrorRow(DeadLetterError, Scope.IDENTITY, Mender.OPERATOR, text=_NO_SET),
    ErrorRow(DeadLetterError, Scope.IDENTITY, Mender.OPERATOR, text=_IDENTITY_PAUSED),
    ErrorRow(UnavailableError, Scope.ACCOUNT, Mender.OPERATOR, text=_PAUSED),
    # With any other text these are the bounce's own fault.
    *_codes(
        RefusedError,
        Scope.JOB,
        Mender.NOBODY,
        ("MessageRejected", "InvalidParameterValue", "ValidationError"),
    ),
    # An error that nobody knows yet may be anybody's fault: an operator looks at the job.
    ErrorRow(DeadLetterError, Scope.JOB, Mender.OPERATOR),
)


def row_of(code: str, text: str, status: int) -> ErrorRow:
    """Return the row of an answer: its code, its sentence and its HTTP status."""
    return next(row for row in ERRORS if row.fits(code, text, status))
