"""Calls SendBounce and tells apart what its failures mean for the next step.

A refusal is final, unless a permission or a verification is missing that an operator may give
within the 24 hours. A throttle or an outage means SES surely did not accept, so the pacer may try
again. When it is not known whether SES accepted (no answer came), nothing is sent again: a lost
bounce is better than a double one. The SDK's own retries are off, or they would break the pace
unseen.
"""

import re
from typing import TYPE_CHECKING

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ProxyConnectionError,
)

from bouncer.errors import BouncerError
from bouncer.jobs.job import Job
from bouncer.sending.bounce_request import bounce_request
from bouncer.sending.pacer import NotAcceptedError

if TYPE_CHECKING:
    from mypy_boto3_ses import SESClient

CONNECT_TIMEOUT_S = 3
READ_TIMEOUT_S = 10

CONFIG = Config(
    connect_timeout=CONNECT_TIMEOUT_S,
    read_timeout=READ_TIMEOUT_S,
    retries={"total_max_attempts": 1},
    max_pool_connections=1,
)

# The codes by which AWS services throttle, as botocore knows them.
_THROTTLES = {
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
_PASSING = {
    "AccountSendingPausedException",
    "ConfigurationSetSendingPausedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "ServiceUnavailable",
    "SignatureDoesNotMatch",
}
_FORBIDDEN = {
    "AccessDenied",
    "AccessDeniedException",
    "MailFromDomainNotVerifiedException",
    "OptInRequired",
    "UnauthorizedOperation",
}
# What MessageRejected may mean, by how the sentence begins: farther on it may name an address, and
# strangers choose theirs.
_UNVERIFIED = re.compile(r"email address (is )?not verified", re.IGNORECASE)
_PAUSED = re.compile(r"(email )?(account|sending)\b[a-z ]{0,40}\b(paused|suspended)", re.IGNORECASE)
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500
_UNAVAILABLE = 503


class ThrottledError(NotAcceptedError):
    """SES said the rate is exceeded."""


class UnavailableError(NotAcceptedError):
    """SES could not be reached, or said it can't serve now."""


class RefusedError(BouncerError):
    """SES refused this bounce for good; the text is SES's code and message."""


class ForbiddenError(RefusedError):
    """SES refused for want of a permission or a verification, which an operator can mend."""


class UnknownOutcomeError(BouncerError):
    """No answer came, or one of an unknown failure: SES may have accepted the bounce or not."""


class Sender:
    """Sends jobs through one SES client, made with `CONFIG`."""

    def __init__(self, client: "SESClient") -> None:
        self._client = client

    def send(self, job: Job) -> str:
        """Send one bounce and return its message id; raises the errors above, none of the SDK's."""
        try:
            return self._client.send_bounce(**bounce_request(job))["MessageId"]
        except ClientError as error:
            raise _meaning(error) from error
        except ParamValidationError as error:
            raise RefusedError(f"ParamValidation: {error}") from error
        except (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError) as error:
            raise UnavailableError(f"SES can't be reached ({type(error).__name__})") from error
        except (NoCredentialsError, CredentialRetrievalError) as error:
            raise UnavailableError("the function has no credentials") from error
        except BotoCoreError as error:  # a broken connection, TLS in the answer, no answer at all
            raise UnknownOutcomeError(f"no answer from SES ({type(error).__name__})") from error

    def close(self) -> None:
        """Let go of the connection: one kept over a freeze of the function would be dead."""
        self._client.close()


def _meaning(error: ClientError) -> BouncerError:
    code = error.response.get("Error", {}).get("Code", "")
    said = str(error.response.get("Error", {}).get("Message", ""))
    text = f"{code}: {said}"
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _THROTTLES or status == _TOO_MANY_REQUESTS:
        return ThrottledError(text)
    if code in _PASSING or status == _UNAVAILABLE or _PAUSED.match(said):
        return UnavailableError(text)
    if status >= _SERVER_ERROR:
        return UnknownOutcomeError(text)
    if code in _FORBIDDEN or _UNVERIFIED.match(said):
        return ForbiddenError(text)
    return RefusedError(text)
