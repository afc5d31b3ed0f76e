"""Asks AWS services of the JSON kind with the standard library: all that the intake needs of AWS.

Loading the SDK takes longer than everything else in a cold start together (see
docs/decisions/0008-cold-start.md), for two operations. These need Signature Version 4, a time limit
and a few attempts, and get no more: only what may be asked twice belongs here, and the credentials
are those Lambda puts into the environment.
"""

import hashlib
import hmac
import json
import random
import ssl
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, cached_property, reduce
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from bouncer.errors import BouncerError

TIMEOUT_S = 3  # for connecting, and for each wait for an answer
ATTEMPTS = 3

_KEPT_S = 5  # services close what is idle for longer, and a frozen function does not notice
_FIRST_DELAY_S = 0.1
_THROTTLES = ("Throttl", "TooManyRequests")
_SERVER_ERROR = 500
_OK = 200


class ApiError(BouncerError):
    """A service refused, or gave no answer; `code` is its word for it, or our failure's name."""

    def __init__(self, code: str, *, answered: bool) -> None:
        self.code = code
        self.answered = answered
        super().__init__(f"refused: {code}" if answered else f"can't be reached ({code})")

    @property
    def passing(self) -> bool:
        """Is it worth another attempt?"""
        return not self.answered or self.code.startswith(_THROTTLES)


class Api:
    """One service of one region, as the function with this environment may use it."""

    service: str
    target: str  # what X-Amz-Target calls it
    version: str  # of the JSON protocol

    def __init__(self, environ: Mapping[str, str]) -> None:
        named = f"AWS_ENDPOINT_URL_{self.service.upper()}"
        self._region = environ["AWS_REGION"]
        own = f"https://{self.service}.{self._region}.amazonaws.com"
        self._endpoint = urlsplit(environ.get(named) or environ.get("AWS_ENDPOINT_URL") or own)
        self._key_id = environ.get("AWS_ACCESS_KEY_ID", "")
        self._secret = environ.get("AWS_SECRET_ACCESS_KEY", "")
        self._token = environ.get("AWS_SESSION_TOKEN", "")
        self._used = 0.0

    def call(self, operation: str, asked: Mapping[str, Any]) -> Any:
        """The answer to one operation; raises `ApiError`."""
        body = json.dumps(asked).encode()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._ask(operation, body)
            except ApiError as error:
                if attempt == ATTEMPTS or not error.passing:
                    raise
            time.sleep(random.uniform(0, _FIRST_DELAY_S * 2**attempt))  # noqa: S311  # only spreads
        raise AssertionError("unreachable")

    def signed(self, operation: str, body: bytes, now: datetime) -> dict[str, str]:
        """The headers of a request, signed.

        AWS General Reference, "Create a signed AWS API request" (Signature Version 4).
        """
        stamp = now.strftime("%Y%m%dT%H%M%SZ")
        headers = {
            "content-type": f"application/x-amz-json-{self.version}",
            "host": self._endpoint.netloc,
            "x-amz-date": stamp,
            **({"x-amz-security-token": self._token} if self._token else {}),
            "x-amz-target": f"{self.target}.{operation}",
        }  # in the order the signature wants them
        names = ";".join(headers)
        lines = [f"{name}:{value}" for name, value in headers.items()]
        request = "\n".join(("POST", "/", "", *lines, "", names, _digest(body)))
        scope = (stamp[:8], self._region, self.service, "aws4_request")
        text = "\n".join(("AWS4-HMAC-SHA256", stamp, "/".join(scope), _digest(request.encode())))
        key = reduce(_keyed, scope, f"AWS4{self._secret}".encode())
        return headers | {
            "authorization": f"AWS4-HMAC-SHA256 Credential={self._key_id}/{'/'.join(scope)}, "
            f"SignedHeaders={names}, Signature={_keyed(key, text).hex()}"
        }

    def close(self) -> None:
        """Give up the connection; the next call makes a new one."""
        self._connection.close()

    @cached_property
    def _connection(self) -> HTTPConnection:
        if self._endpoint.scheme == "http":
            return HTTPConnection(self._endpoint.netloc, timeout=TIMEOUT_S)
        return HTTPSConnection(self._endpoint.netloc, timeout=TIMEOUT_S, context=_trust())

    def _ask(self, operation: str, body: bytes) -> Any:
        if time.monotonic() - self._used > _KEPT_S:
            self.close()
        try:
            headers = self.signed(operation, body, datetime.now(UTC))
            self._connection.request("POST", "/", body, headers)
            with self._connection.getresponse() as response:
                answer = response.read()
            self._used = time.monotonic()
            if response.status == _OK:
                return json.loads(answer)
        except (OSError, HTTPException, ValueError) as error:
            self.close()
            raise ApiError(type(error).__name__, answered=False) from error
        raise ApiError(_code(response.status, answer), answered=response.status < _SERVER_ERROR)


class Ssm(Api):
    """Parameters; operations take and give what boto3's do."""

    service, target, version = "ssm", "AmazonSSM", "1.1"

    def get_parameters_by_path(self, **asked: Any) -> Any:
        """One page of the parameters below a path."""
        return self.call("GetParametersByPath", asked)

    def get_parameter_history(self, **asked: Any) -> Any:
        """One page of a parameter's versions."""
        return self.call("GetParameterHistory", asked)


class Sqs(Api):
    """Queues; operations take and give what boto3's do."""

    service, target, version = "sqs", "AmazonSQS", "1.0"

    def send_message(self, **asked: Any) -> Any:
        """Put a message on a FIFO queue, which knows it by its deduplication id."""
        return self.call("SendMessage", asked)


def errors() -> tuple[type[Exception], ...]:
    """What a client raises, ours or the SDK's; the SDK is not loaded for this."""
    sdk = sys.modules.get("botocore.exceptions")
    return (ApiError, sdk.ClientError, sdk.BotoCoreError) if sdk else (ApiError,)


def explained(error: Exception) -> str:
    """What became of a call that raised one of `errors`."""
    if isinstance(error, ApiError):
        return str(error)
    answer = getattr(error, "response", None) or {}
    code = answer.get("Error", {}).get("Code")
    return f"refused: {code}" if code else f"can't be reached ({type(error).__name__})"


@cache
def _trust() -> ssl.SSLContext:
    """Whom to believe; reading it takes longer than a whole mail, so all services share it."""
    return ssl.create_default_context()


def _code(status: int, answer: bytes) -> str:
    """The error's name in an answer, or its status where something else answered than AWS."""
    try:
        return str(json.loads(answer)["__type"]).rpartition("#")[2]
    except (ValueError, TypeError, LookupError):
        return str(status)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _keyed(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
