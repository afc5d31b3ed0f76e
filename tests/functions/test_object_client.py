"""The intake's own client of S3 asks as the SDK does, and fails as it does."""

import math
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from datetime import UTC, datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import Any

import boto3
import pytest
from botocore.config import Config
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


COPIED = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n\n<CopyObjectResult xmlns="http://s3.amazonaws.com/doc/">'
    b"<ETag>&quot;0&quot;</ETag></CopyObjectResult>"
)
BEHIND_200 = b'<?xml version="1.0"?>\n<Error><Code>InternalError</Code><Message>x</Message></Error>'


def copied(client: Any) -> tuple[Any, ...]:
    """The outcome of a copy: nothing, or code and status of the error."""
    try:
        client.copy_object(
            Bucket=BUCKET,
            Key="stopped/a",
            CopySource=f"{BUCKET}/mail/a",
            MetadataDirective="REPLACE",
            TaggingDirective="REPLACE",
            Metadata={"bouncer": '{"v":1}'},
        )
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return error.response["Error"]["Code"], status, error.operation_name
    return ()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize(
    "reply",
    [
        (200, COPIED),
        (200, b"  \n " + COPIED.partition(b"\n")[2] + b"\n"),  # spaces keep the connection alive
        (200, BEHIND_200),
        (200, b"   " + BEHIND_200.partition(b"\n")[2]),
        (200, COPIED[:-30]),
        (200, b"<html>"),
        (403, ACCESS_DENIED),
        (404, b"<Error><Code>NoSuchKey</Code></Error>"),
        (503, b"<Error><Code>SlowDown</Code></Error>"),
    ],
)
def test_the_end_of_a_copy_is_boto3s(stack: ExitStack, reply: Reply) -> None:
    """S3 may answer 200 before it fails: a cut answer and an error behind it are errors."""
    endpoint, _ = stack.enter_context(front(lambda *_: reply))
    theirs = boto3.client(
        "s3",
        "eu-west-1",
        endpoint_url=endpoint,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        config=Config(retries={"total_max_attempts": 1}),
    )
    ours = stack.enter_context(closing(S3(surroundings(endpoint), BUCKET)))
    expected, found = copied(theirs), copied(ours)
    if found and found[1] == 500 and b"<Code>" not in (reply or (0, b""))[1]:
        found = (expected[0], *found[1:])  # the SDK calls an answer that is not XML by other names
    assert found == expected


def test_an_empty_answer_to_a_copy_is_not_taken_for_one(stack: ExitStack) -> None:
    """It proves nothing; the SDK takes it for a copy."""
    assert copied(client(stack, (200, b"")))[1] == 500


def test_a_copy_that_failed_behind_its_status_is_tried_again(stack: ExitStack) -> None:
    """As any error of the service, once."""
    assert copied(client(stack, (200, BEHIND_200), (200, COPIED))) == ()
    assert copied(client(stack, (200, BEHIND_200)))[:2] == ("InternalError", 500)
    assert copied(client(stack, (403, ACCESS_DENIED), (200, COPIED)))[:2] == ("AccessDenied", 403)


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


@given(
    key=st.from_regex(r"stopped/[0-9-]{10}/[0-9]{6}_[a-z0-9]{40}", fullmatch=True),
    metadata=st.text(
        st.characters(codec="ascii", exclude_categories=("Cc", "Zs")), min_size=1, max_size=200
    ),
)
def test_signatures_of_copies_are_botocores(key: str, metadata: str) -> None:
    """For any key, and any metadata without blanks."""
    headers = {
        "host": "b.s3.eu-west-1.amazonaws.com",
        "x-amz-content-sha256": EMPTY,
        "x-amz-copy-source": "b/mail/a",
        "x-amz-metadata-directive": "REPLACE",
        "x-amz-tagging-directive": "REPLACE",
        "x-amz-meta-bouncer": metadata,
    }
    signer = Signer(CREDENTIALS, service="s3", region="eu-west-1")
    signed = signer.signed(headers, b"", now=NOW, method="PUT", path=f"/{key}")
    authorization = signed.pop("authorization")
    expected = signature(
        signed, b"", service="s3", region="eu-west-1", method="PUT", path=f"/{key}"
    )
    assert authorization == expected


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_a_mail_is_read_and_copied_as_by_boto3(stack: ExitStack) -> None:
    """A range, its size, and a copy with its metadata and without tags arrive at S3 as asked."""
    stack.enter_context(embedded_aws())
    theirs = boto3.client("s3")
    mail = b"From: eve\r\n\r\nHello"
    theirs.put_object(Bucket=BUCKET, Key="mail/a", Body=mail, Tagging="scanned=clean")
    endpoint, _ = stack.enter_context(front(objects_through_boto3))
    ours: Any = stack.enter_context(closing(S3(surroundings(endpoint), BUCKET)))
    expected = theirs.get_object(Bucket=BUCKET, Key="mail/a", Range="bytes=0-3")
    found = ours.get_object(Bucket=BUCKET, Key="mail/a", Range="bytes=0-3")
    assert found["Body"].read() == expected["Body"].read() == b"From"
    assert found["ContentRange"] == "bytes 0-3/*"
    assert copied(ours) == ()
    copy = theirs.get_object(Bucket=BUCKET, Key="stopped/a")
    assert copy["Body"].read() == mail
    assert copy["Metadata"] == {"bouncer": '{"v":1}'}
    assert theirs.get_object_tagging(Bucket=BUCKET, Key="stopped/a")["TagSet"] == []


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


class Dripping(BaseHTTPRequestHandler):
    """An answer of which a byte comes in time again and again; `dripped` counts them."""

    dripped = 0

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "400")
        self.end_headers()
        with suppress(ConnectionError):
            for _ in range(400):
                self.wfile.write(b".")
                self.wfile.flush()
                type(self).dripped += 1
                time.sleep(0.02)

    def log_message(self, *_: object) -> None:
        """Write no access log."""


def test_a_body_that_drips_ends_in_time() -> None:
    """A byte that comes in time does not give the next one the time again."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Dripping) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        around = surroundings(f"http://127.0.0.1:{server.server_port}")
        around.ticks = time.monotonic
        around.until = time.monotonic() + 0.2
        with closing(S3(around, BUCKET)) as ours, pytest.raises(ReadTimeoutError):
            ours.get_object(Key="mail/a")
        server.shutdown()
    assert 0 < Dripping.dripped < 200


def test_a_large_body_is_in_memory_once(stack: ExitStack) -> None:
    """A mail of 40 MB is a sixth of what the function has."""
    body = bytes(8_000_000)
    ours = client(stack, (200, body))
    tracemalloc.start()
    found = ours.get_object(Key="mail/a")["Body"].read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (found == body, peak < 1.5 * len(body)) == (True, True)


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
