"""Asks AWS without the SDK, which takes ten times as long to load: mail is waiting.

Only the calls of the intake are here and in `object_client`, in the shape of boto3's clients: the
same arguments, answers and errors (`ClientError`, or another of botocore's), so that a caller can't
tell the two apart.
AWS's JSON protocol and Signature Version 4 are all it takes; tests compare both with botocore's
own. Everything else asks through boto3.
"""

import json
import math
import random
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from http.client import (
    HTTPConnection,
    HTTPException,
    HTTPMessage,
    HTTPResponse,
    HTTPSConnection,
    IncompleteRead,
)
from io import BytesIO
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from bouncer import sdk_errors
from bouncer.aws.signer import Signer
from bouncer.lost_answer import may_have_worked

_CONNECT_TIMEOUT_S = 1
_MOST_ADDRESSES = 2  # of a name that are tried within that second
_READ_TIMEOUT_S = 3
_ATTEMPTS = 2  # SES waits 30 s for the intake
_SENDING_ATTEMPTS = 5  # and what was decided is worth waiting for, while time is left
_LONGEST_PAUSE_S = 1
_PIECE = 65_536  # bytes of a body that are read at once, at most
_KEPT_S = 5  # a connection idle for longer may be dead, above all after a freeze of the function

_THROTTLES = ("Throttling", "ThrottlingException", "RequestThrottled", "TooManyRequestsException")
_OK, _TOO_MANY_REQUESTS, _SERVER_ERROR = 200, 429, 500

Answer = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Surroundings:
    """The environment and the clocks that clients work with, and the end of their time.

    `domain` is that of AWS's endpoints, such as amazonaws.com. `now` is the time of day, `ticks`
    are seconds. From the tick `until` on, no call waits for an answer.
    """

    environ: Mapping[str, str]
    region: str
    domain: str
    now: Callable[[], datetime]
    ticks: Callable[[], float]
    sleep: Callable[[float], None]
    until: float = math.inf

    def left_s(self, most_s: float) -> float:
        """Return the seconds left, at most `most_s`; zero or less when time is up."""
        return min(most_s, self.until - self.ticks())

    @contextmanager
    def sparing(self, seconds: float) -> Iterator[None]:
        """End calls this much earlier, as long as it lasts."""
        until = self.until
        self.until = until - seconds
        try:
            yield
        finally:
            self.until = until

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """End calls after this time, as long as it lasts."""
        until = self.until
        self.until = min(until, self.ticks() + seconds)
        try:
            yield
        finally:
            self.until = until


class Request(NamedTuple):
    """A request as it is signed and sent; the path needs no further quoting."""

    operation: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


class Response(NamedTuple):
    """A response, read whole."""

    status: int
    headers: HTTPMessage
    body: bytes


class Client:
    """Requests to one service at one endpoint; `host` begins its name, if it is not the service."""

    attempts = _ATTEMPTS

    def __init__(self, surroundings: Surroundings, *, service: str, host: str = "") -> None:
        environ, region = surroundings.environ, surroundings.region
        self.named = environ.get(f"AWS_ENDPOINT_URL_{service.upper()}") or environ.get(
            "AWS_ENDPOINT_URL"
        )
        endpoint = self.named or f"https://{host or service}.{region}.{surroundings.domain}"
        self._surroundings = surroundings
        self.endpoint = endpoint
        self._url = urlsplit(endpoint)
        self._signer = Signer(environ, service=service, region=region)
        self._connection: HTTPConnection | None = None
        self._used_at = 0.0

    def ask(self, request: Request, read: Callable[[Response, str], Answer]) -> Answer:
        """Return the service's answer; a failure that may pass is tried again, as the SDK does.

        Of several failures the first is raised whose call may have had its effect, else the last.
        """
        lost: sdk_errors.ClientError | sdk_errors.BotoCoreError | None = None
        for attempt in range(1, self.attempts + 1):
            try:
                return read(self._try(request), request.operation)
            except (sdk_errors.ClientError, sdk_errors.BotoCoreError) as error:
                if lost is None and may_have_worked(error):
                    lost = error
                final = attempt == self.attempts or not _may_pass(error)
                if final or self._surroundings.left_s(1) <= 0:
                    raise lost or error from None
            pause_s = self._surroundings.left_s(_LONGEST_PAUSE_S)
            self._surroundings.sleep(random.uniform(0, pause_s))  # noqa: S311  # no secret
        raise AssertionError  # never reached: the last attempt returns or raises

    def _try(self, request: Request) -> Response:
        headers = {**request.headers, "host": self._url.netloc}
        headers = self._signer.signed(
            headers,
            request.body,
            now=self._surroundings.now(),
            method=request.method,
            path=request.path,
        )
        connection = self._connected()
        try:
            sock = connection.sock
            sock.settimeout(self._timeout(_READ_TIMEOUT_S))
            connection.request(request.method, request.path, request.body or None, headers)
            with connection.getresponse() as response:
                body = self._body(sock, response)
        except TimeoutError as error:
            self.close()
            raise sdk_errors.ReadTimeoutError(endpoint_url=self.endpoint) from error
        except (OSError, HTTPException) as error:
            self.close()
            raise sdk_errors.ConnectionClosedError(endpoint_url=self.endpoint) from error
        self._used_at = self._surroundings.ticks()
        if connection.sock is None:  # the service hung up after its answer
            self.close()
        return Response(response.status, response.headers, body)

    def _body(self, sock: Any, response: HTTPResponse) -> bytes:
        """Return the body, read as it comes, so that a long and slow one ends in time as well.

        `BytesIO` grows in place and gives its bytes away, so that a large one is there once.
        """
        body = BytesIO()
        while body.write(response.read1(_PIECE)) and not response.isclosed():
            left_s = self._surroundings.left_s(_READ_TIMEOUT_S)
            if left_s <= 0:
                raise TimeoutError
            sock.settimeout(left_s)
        if response.length:  # what is missing of the length that was announced
            raise IncompleteRead(b"", response.length)
        return body.getvalue()

    def _connected(self) -> HTTPConnection:
        if self._connection and self._surroundings.ticks() - self._used_at <= _KEPT_S:
            return self._connection
        self.close()
        host, port = self._url.hostname or "", self._url.port
        self._timeout(_CONNECT_TIMEOUT_S)  # raises when time is up: no name is looked up then
        if self._url.scheme == "http":
            connection = HTTPConnection(host, port)
        else:
            connection = HTTPSConnection(host, port, context=_tls())
        connection._create_connection = self._reached  # type: ignore[attr-defined]  # noqa: SLF001
        try:
            connection.connect()
        except OSError as error:
            raise sdk_errors.EndpointConnectionError(endpoint_url=self.endpoint) from error
        self._connection = connection
        return connection

    def _reached(self, address: tuple[str, int], *_: object) -> socket.socket:
        """Connect to one of few addresses in a second in all; the library gives each its own."""
        found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[:_MOST_ADDRESSES]
        each_s = self._timeout(_CONNECT_TIMEOUT_S) / len(found)
        failed = OSError("no address")
        for each in found:
            host, port = each[4][:2]
            try:
                sock = socket.create_connection((str(host), port), each_s)
            except OSError as error:
                failed = error
            else:
                sock.settimeout(max(each_s, self._surroundings.left_s(_CONNECT_TIMEOUT_S)))
                return sock
        raise failed

    def _timeout(self, most_s: float) -> float:
        left = self._surroundings.left_s(most_s)
        if left <= 0:
            raise sdk_errors.ReadTimeoutError(endpoint_url=self.endpoint, never_sent=True)
        return left

    def close(self) -> None:
        """Drop the connection; the next call opens another."""
        if self._connection:
            self._connection.close()
        self._connection = None


class JsonClient(Client):
    """Calls of one service; `target` and `version` are those of its JSON protocol."""

    def __init__(
        self, surroundings: Surroundings, *, service: str, target: str, version: str
    ) -> None:
        super().__init__(surroundings, service=service)
        self._target = target
        self._content_type = f"application/x-amz-json-{version}"

    def call(self, operation: str, arguments: Mapping[str, Any]) -> Answer:
        """Return the service's answer; raises botocore's errors."""
        headers = {
            "content-type": self._content_type,
            "x-amz-target": f"{self._target}.{operation}",
        }
        body = json.dumps(arguments).encode()
        return self.ask(Request(operation, "POST", "/", headers, body), _read)


class SQS(JsonClient):
    """Puts messages on queues; arguments and answers are boto3's."""

    attempts = _SENDING_ATTEMPTS

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings, service="sqs", target="AmazonSQS", version="1.0")

    def send_message(self, **arguments: Any) -> Answer:
        """Put one message on a queue."""
        return self.call("SendMessage", arguments)


def _read(response: Response, operation: str) -> Answer:
    """Return the answer in a response of the JSON protocol; raises `ClientError`."""
    try:
        answer = json.loads(response.body or b"{}")
    except ValueError:
        answer = None
    if response.status == _OK and isinstance(answer, dict):
        return answer
    fault = answer if isinstance(answer, dict) else {}
    code = str(fault.get("__type", "")).rpartition("#")[2] or f"HTTP {response.status}"
    message = fault.get("message") or fault.get("Message") or "the answer is not JSON"
    raise refusal(operation, response.status, code, str(message))


def refusal(operation: str, status: int, code: str, message: str) -> "sdk_errors.ClientError":
    """Return the error that boto3 raises for an answer with this HTTP status and code."""
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return sdk_errors.ClientError(response, operation)


def _may_pass(error: "sdk_errors.ClientError | sdk_errors.BotoCoreError") -> bool:
    if isinstance(error, sdk_errors.BotoCoreError):
        return True
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    throttled = status == _TOO_MANY_REQUESTS or error.response["Error"]["Code"] in _THROTTLES
    return throttled or status >= _SERVER_ERROR


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
