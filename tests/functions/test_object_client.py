"""The intake's own client of S3 asks as the SDK does, and fails as it does."""

import math
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from bouncer.aws.client import Surroundings
from bouncer.aws.object_client import S3
from bouncer.aws.signer import Signer
from tests.embedded_aws import BUCKET, embedded_aws
from tests.front import KEY, SECRET, Reply, front, objects_through_boto3, signature

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
CREDENTIALS = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
EMPTY = sha256(b"").hexdigest()
ACCESS_DENIED = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"


def surroundings(endpoint: str = "") -> Surroundings:
    named = {"AWS_ENDPOINT_URL_S3": endpoint} if endpoint else {}
    return Surroundings(
        environ=CREDENTIALS | named,
        region="eu-west-1",
        domain="amazonaws.com",
        now=lambda: NOW,
        ticks=lambda: 0.0,
        sleep=lambda _: None,
    )


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as entered:
        yield entered


def client(stack: ExitStack, *replies: Reply) -> S3:
    """A client whose requests get these answers, the last for ever."""
    left = list(replies)
    endpoint, _ = stack.enter_context(front(lambda *_: left.pop(0) if len(left) > 1 else left[0]))
    return stack.enter_context(closing(S3(surroundings(endpoint), BUCKET)))


def asked(client: Any, **arguments: str) -> tuple[Any, ...]:
    """The outcome of a call: body and ETag, or code and status of the error."""
    try:
        answer = client.get_object(Bucket=BUCKET, **arguments)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return error.response["Error"]["Code"], status, error.operation_name
    return answer["Body"].read(), answer["ETag"]


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_objects_are_boto3s(stack: ExitStack) -> None:
    """An object, one that is known by its ETag, and one that is missing."""
    stack.enter_context(embedded_aws())
    theirs = boto3.client("s3")
    etag = theirs.put_object(Bucket=BUCKET, Key="revisions/a.json", Body=b"\x00\xffabc")["ETag"]
    endpoint, _ = stack.enter_context(front(objects_through_boto3))
    ours = stack.enter_context(closing(S3(surroundings(endpoint), BUCKET)))
    for arguments in (
        {"Key": "revisions/a.json"},
        {"Key": "revisions/a.json", "IfNoneMatch": etag},
        {"Key": "revisions/a.json", "IfNoneMatch": '"0"'},
        {"Key": "current-v1"},
        {"Key": "current-v1", "IfNoneMatch": etag},
    ):
        assert asked(ours, **arguments) == asked(theirs, **arguments)


@given(
    key=st.from_regex(r"[a-z0-9._-]{1,20}(/[a-f0-9]{1,64}\.json)?", fullmatch=True),
    known=st.none() | st.from_regex(r'"[a-f0-9]{32}(-[0-9]{1,3})?"', fullmatch=True),
    token=st.none() | st.text("ABCabc019+/=", min_size=1, max_size=40),
)
def test_signatures_are_botocores(key: str, known: str | None, token: str | None) -> None:
    """For any key, ETag and token the SDK would have signed the request the same."""
    environ = CREDENTIALS | ({"AWS_SESSION_TOKEN": token} if token else {})
    headers = {"host": "b.s3.eu-west-1.amazonaws.com", "x-amz-content-sha256": EMPTY}
    headers |= {"if-none-match": known} if known else {}
    signer = Signer(environ, service="s3", region="eu-west-1")
    signed = signer.signed(headers, b"", now=NOW, method="GET", path=f"/{key}")
    authorization = signed.pop("authorization")
    expected = signature(
        signed, b"", service="s3", region="eu-west-1", method="GET", path=f"/{key}"
    )
    assert authorization == expected


def test_the_endpoint_is_boto3s() -> None:
    """The bucket is part of the host, unless the environment names an endpoint."""
    urls: list[str] = []
    keys = {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET}
    theirs = boto3.client("s3", region_name="eu-west-1", **keys)  # type: ignore[call-overload]  # by name

    def note(request: Any, **_: object) -> None:
        urls.append(request.url)
        raise InterruptedError

    theirs.meta.events.register("before-send.s3", note)
    with pytest.raises(InterruptedError):
        theirs.get_object(Bucket=BUCKET, Key="current-v1")
    assert urls == [f"{S3(surroundings(), BUCKET).endpoint}/current-v1"]
    assert S3(surroundings("http://127.0.0.1:1"), BUCKET).endpoint == "http://127.0.0.1:1"


def test_a_failure_that_may_pass_is_tried_again(stack: ExitStack) -> None:
    """Once; what S3 refuses is final."""
    slow = (503, b"<Error><Code>SlowDown</Code></Error>")
    assert asked(client(stack, slow, (200, b"x")), Key="a")[0] == b"x"
    assert asked(client(stack, slow), Key="a")[:2] == ("SlowDown", 503)
    refused = client(stack, (403, ACCESS_DENIED), (200, b"x"))
    assert asked(refused, Key="a")[:2] == ("AccessDenied", 403)


@pytest.mark.parametrize("body", [b"", b"<html>", b"<Code>" + b"a" * 1000 + b"</Code>", b"\xff"])
def test_an_error_without_a_code_has_the_status(stack: ExitStack, body: bytes) -> None:
    """As from a proxy that is not S3."""
    assert asked(client(stack, (404, body)), Key="a")[:2] == ("404", 404)


def test_a_list_is_read_while_time_is_left(stack: ExitStack) -> None:
    """However long it is; a slow one ends in time, and the next call has a new connection."""
    body = bytes(range(250)) * 10_000
    endpoint, _ = stack.enter_context(front(lambda *_: (200, body)))
    around, ticks = surroundings(endpoint), count()
    around.ticks = lambda: float(next(ticks))
    ours = stack.enter_context(closing(S3(around, BUCKET)))
    assert asked(ours, Key="lists/a")[0] == body
    around.until = next(ticks) + 3.0  # over between two pieces of the body
    with pytest.raises(ReadTimeoutError):
        ours.get_object(Key="lists/a")
    around.until = math.inf
    assert asked(ours, Key="lists/a")[0] == body


class Cut(BaseHTTPRequestHandler):
    """An answer that ends before the length that it names."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"half of it")

    def log_message(self, *_: object) -> None:
        """Write no access log."""


def test_a_cut_body_is_a_broken_connection() -> None:
    """It is never taken for the whole object."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Cut) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        with pytest.raises(ConnectionClosedError):
            S3(surroundings(endpoint), BUCKET).get_object(Key="a")
        server.shutdown()
