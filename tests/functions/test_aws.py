"""The intake's own way to AWS: signed as the SDK signs, patient with what passes, not for long."""

import json
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from bouncer import aws
from bouncer.aws import Api, ApiError, Sqs, Ssm

ENVIRON = {
    "AWS_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
}
CUT = (0, b"")  # what makes the service close the connection without an answer


def sdk_signature(headers: dict[str, str], url: str, body: bytes, service: str) -> str:
    """The Authorization header the SDK would write for a request with these headers."""
    request = AWSRequest("POST", url, data=body, headers=headers)
    request.context["timestamp"] = headers["x-amz-date"]
    key = Credentials(ENVIRON["AWS_ACCESS_KEY_ID"], ENVIRON["AWS_SECRET_ACCESS_KEY"])
    auth = SigV4Auth(key, service, ENVIRON["AWS_REGION"])
    text = auth.string_to_sign(request, auth.canonical_request(request))
    names = auth.signed_headers(auth.headers_to_sign(request))
    return (
        f"AWS4-HMAC-SHA256 Credential={auth.scope(request)}, "
        f"SignedHeaders={names}, Signature={auth.signature(text, request)}"
    )


@settings(deadline=None)
@given(
    api=st.sampled_from([Ssm, Sqs]),
    body=st.binary(max_size=200),
    token=st.text("abcXYZ019+/=", max_size=60),
    now=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001  # hypothesis adds the zone
)
def test_signs_as_the_sdk_does(api: type[Api], body: bytes, token: str, now: datetime) -> None:
    """Whatever is asked, whenever, with or without a session token: the signature is the SDK's."""
    client = api({**ENVIRON, "AWS_SESSION_TOKEN": token})
    headers = client.signed("GetParametersByPath", body, now.replace(tzinfo=UTC))
    written = headers.pop("authorization")
    url = f"https://{api.service}.eu-west-1.amazonaws.com/"
    assert headers["host"] == f"{api.service}.eu-west-1.amazonaws.com"
    assert written == sdk_signature(headers, url, body, api.service)


class Service:
    """A service that gives the answers it was told to, in order; `asked` is what arrived."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.answers: deque[tuple[int, bytes]] = deque()
        self.connections: set[tuple[str, int]] = set()

    def serve(self) -> ThreadingHTTPServer:
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.connections.add(self.client_address)
                service.asked.append((self.headers["X-Amz-Target"], json.loads(body)))
                status, answer = service.answers.popleft()
                if not status:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Service, Ssm]]:
    """A service on loopback and the client that asks it, without pauses."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    service = Service()
    server = service.serve()
    Thread(target=server.serve_forever, daemon=True).start()
    ssm = Ssm({**ENVIRON, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}"})
    yield service, ssm
    ssm.close()
    server.shutdown()
    server.server_close()


def refusal(code: str) -> bytes:
    return json.dumps({"__type": f"com.amazonaws.ssm#{code}", "message": "no"}).encode()


def test_calls_of_one_read_share_a_connection(service: tuple[Service, Ssm]) -> None:
    """Pages are asked for over the connection of the first."""
    serving, ssm = service
    serving.answers.extend([(200, b'{"Parameters": [1]}'), (200, b'{"Parameters": [2]}')])
    assert ssm.get_parameters_by_path(Path="/a", Recursive=True) == {"Parameters": [1]}
    assert ssm.get_parameter_history(Name="/a/b") == {"Parameters": [2]}
    assert serving.asked == [
        ("AmazonSSM.GetParametersByPath", {"Path": "/a", "Recursive": True}),
        ("AmazonSSM.GetParameterHistory", {"Name": "/a/b"}),
    ]
    assert len(serving.connections) == 1


@pytest.mark.parametrize(
    "passing",
    [
        CUT,
        (500, b"oops"),
        (503, b"<html>"),
        (200, b"<html>"),
        (400, refusal("ThrottlingException")),
    ],
)
def test_what_passes_is_tried_again(
    service: tuple[Service, Ssm], passing: tuple[int, bytes]
) -> None:
    """A cut connection, an outage and a throttle are no answer yet, though not for ever."""
    serving, ssm = service
    serving.answers.extend([passing, passing, (200, b"{}")])
    assert ssm.get_parameters_by_path(Path="/a") == {}
    serving.answers.extend([passing] * aws.ATTEMPTS)
    with pytest.raises(ApiError):
        ssm.get_parameters_by_path(Path="/a")
    assert not serving.answers


def test_a_refusal_is_final(service: tuple[Service, Ssm]) -> None:
    """What AWS refuses is asked once, and AWS's code is what the error says."""
    serving, ssm = service
    serving.answers.append((400, refusal("AccessDeniedException")))
    with pytest.raises(ApiError, match=r"^refused: AccessDeniedException$"):
        ssm.get_parameters_by_path(Path="/a")
    assert len(serving.asked) == 1


def test_an_unreachable_service_is_an_error_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody there: one sentence, no error of the sockets."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    ssm = Ssm({**ENVIRON, "AWS_ENDPOINT_URL_SSM": "http://127.0.0.1:1"})
    with pytest.raises(ApiError, match=r"^can't be reached \(ConnectionRefusedError\)$"):
        ssm.get_parameters_by_path(Path="/a")
