"""Requests no SDK sends: each gets an error or a closed connection, and the server lives on."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bouncer_sim.fake_ses.server import FakeSes
    from tests.unit.ses.conftest import Client

SIGNED = b"Authorization: AWS4-HMAC-SHA256 Credential=t/20260131/eu-west-1/ses/aws4_request\r\n"


def _exchange(ses: FakeSes, request: bytes) -> bytes:
    """Send raw bytes, hang up our side, and return everything that comes back."""
    host, port = ses.endpoint.removeprefix("http://").split(":")
    received = b""
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        with contextlib.suppress(ConnectionError, BrokenPipeError):  # the server hung up first
            connection.sendall(request)
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while chunk := connection.recv(65536):
                received += chunk
    return received


def test_unsigned_request_is_refused(client: Client, full_body: bytes) -> None:
    """Without a signature SES does not even look."""
    reply = client.post(full_body, None)
    assert (reply.status, reply.code) == (403, "MissingAuthenticationToken")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"Action=SendTemplatedEmail&Version=2010-12-01", "InvalidAction"),
        (b"Action=SendEmail&Version=2010-12-01", "ValidationError"),
        (b"Action=SendBounce&Version=2011-01-01", "InvalidAction"),
        (b"Action=%3Cx%3E%00", "InvalidAction"),
        (b"", "InvalidAction"),
        (b"Action", "MalformedQueryString"),
        (b"\xff\xfe\x00", "MalformedQueryString"),
        (b"Action=SendBounce&Explanation=%ff", "MalformedQueryString"),
        (b"Action=SendBounce&Action=SendBounce", "MalformedQueryString"),
        (b"a=1&" * 20_000, "MalformedQueryString"),
        (b'{"Action": "SendBounce"}', "MalformedQueryString"),
        (b"Action=SendBounce&OriginalMessageId=%00%3C", "InvalidParameterValue"),
    ],
)
def test_garbage_is_refused(body: bytes, code: str, ses: FakeSes, client: Client) -> None:
    """A body that is not a call gets a code in well-formed XML, on a connection that goes on."""
    assert client.post(body).code == code
    assert client.post(b"Action=X").code == "InvalidAction"
    assert ses.sent == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"", b"411"),
        (b"Content-Length: many\r\n", b"411"),
        (b"Content-Length: -1\r\n", b"411"),
        (b"Content-Length: \xb2\r\n", b"411"),
        (b"Content-Length: 5\r\nContent-Length: 6\r\n", b"411"),
        (b"Transfer-Encoding: chunked\r\n", b"411"),
        (b"Content-Length: 67108865\r\n", b"413"),
        (b"Content-Length: " + b"9" * 5000 + b"\r\n", b"413"),
        (b"X: y\r\n" * 200, b"431"),
    ],
)
def test_impossible_length_is_refused(headers: bytes, status: bytes, ses: FakeSes) -> None:
    """A body of unknown or absurd size is not read, and the connection ends."""
    request = b"POST / HTTP/1.1\r\n" + SIGNED + headers + b"\r\nAction=SendBounce"
    assert _exchange(ses, request).startswith(b"HTTP/1.1 " + status)


def test_truncated_body_is_no_call(ses: FakeSes, full_body: bytes) -> None:
    """A request whose client closed the connection early is not acted upon."""
    length = b"Content-Length: %d\r\n\r\n" % (len(full_body) + 1)
    assert _exchange(ses, b"POST / HTTP/1.1\r\n" + SIGNED + length + full_body) == b""
    assert ses.calls == []


@pytest.mark.parametrize(
    "request_", [b"", b"\0" * 100, b"\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"x" * 100_000]
)
def test_non_requests_do_no_harm(
    request_: bytes,
    ses: FakeSes,
    client: Client,
    full_body: bytes,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """For any bytes that arrive, nothing is logged and the next caller is served."""
    with contextlib.suppress(ConnectionError):  # hung up on while still talking
        _exchange(ses, request_)
    assert client.post(full_body).status == 200
    assert capfd.readouterr() == ("", "")
