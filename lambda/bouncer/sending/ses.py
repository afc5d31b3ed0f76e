"""Calls SendBounce and turns each failure of SES into an error that names the next step.

`ses_errors` has a row for each of SES's errors. A refusal is final if it is the bounce's own fault;
a job that an operator may save within the 24 hours becomes a dead letter. A throttle, an outage or
a paused account means SES surely did not accept, so the pacer may try again. When it is not known
whether SES accepted (no answer came), nothing is sent again: a lost bounce is better than a double
one. The SDK's own retries are off, because they would send calls that the pacer does not know of.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

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
from bouncer.sending.ses_errors import (
    DeadLetterError,
    LostAnswerError,
    RefusedError,
    UnavailableError,
    UnreachableError,
    row_of,
)

CONNECT_TIMEOUT_S = 3
READ_TIMEOUT_S = 10

CONFIG = Config(
    connect_timeout=CONNECT_TIMEOUT_S,
    read_timeout=READ_TIMEOUT_S,
    retries={"total_max_attempts": 1},
    max_pool_connections=1,
)


class BounceClient(Protocol):
    """A client of SES that can bounce: boto3's, or a fake."""

    @property
    def send_bounce(self) -> Callable[..., Mapping[str, Any]]:
        """Send one bounce."""

    def close(self) -> None:
        """Close the connection."""


class Sender:
    """Sends jobs through one SES client, made with `CONFIG`."""

    def __init__(self, client: BounceClient) -> None:
        self._client = client

    def send(self, job: Job) -> str:
        """Send one bounce and return its message id.

        Raises an error of `ses_errors` for every failure, never one of the SDK's.
        """
        with asking():
            return str(self._client.send_bounce(**bounce_request(job))["MessageId"])

    def close(self) -> None:
        """Close the connection: one kept while the function was frozen would be dead."""
        self._client.close()


@contextmanager
def asking() -> Iterator[None]:
    """Turn the SDK's errors of a call of SES into those of `ses_errors`."""
    try:
        yield
    except ClientError as error:
        raise _meaning(error) from error
    except ParamValidationError as error:
        raise RefusedError(f"ParamValidation: {error}") from error
    except (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError) as error:
        raise UnreachableError(f"SES can't be reached ({type(error).__name__})") from error
    except (NoCredentialsError, CredentialRetrievalError) as error:
        raise UnavailableError("the function has no credentials") from error
    except BotoCoreError as error:  # a broken connection, TLS in the answer, no answer at all
        raise LostAnswerError(f"no answer from SES ({type(error).__name__})") from error


def _meaning(error: ClientError) -> BouncerError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    text = str(error.response.get("Error", {}).get("Message", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    row = row_of(code, text, status)
    outcome = row.outcome(f"{code}: {text}")
    if isinstance(outcome, DeadLetterError):
        outcome.scope = row.scope
    return outcome
