"""The intake's own client asks as the SDK does, and fails as it does."""

import math
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from ssl import CERT_REQUIRED
from threading import Event
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from hypothesis import given
from hypothesis import strategies as st

from bouncer.aws import client as aws
from bouncer.aws.client import SQS, JsonClient, Surroundings
from bouncer.aws.signer import Signer
from tests.embedded_aws import EmbeddedAws, embedded_aws
from tests.front import KEY, SECRET, Reply, front, signature, through_boto3

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
CREDENTIALS = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
FOUND: Reply = (200, b'{"Parameters": []}')


class SSM(JsonClient):
    """A service of the JSON protocol, for what is the same for all of them."""

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings, service="ssm", target="AmazonSSM", version="1.1")

    def get_parameters_by_path(self, **arguments: str) -> dict[str, Any]:
        return self.call("GetParametersByPath", arguments)


class World:
    """A client's surroundings; `replies` are given one after the other, the last for ever."""

    def __init__(self, stack: ExitStack, *replies: Reply | Callable[[], Reply]) -> None:
        self.replies = list(replies)
        self.asked = 0
        self.pauses: list[float] = []
        self.ticks = 0.0
        self.until = math.inf
        self.stack = stack
        self.endpoint, self.server = stack.enter_context(front(self._reply))

    def _reply(self, target: str, body: bytes) -> Reply:
        assert (target, body) == ("AmazonSSM.GetParametersByPath", b'{"Path": "/x"}')
        self.asked += 1
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return reply() if callable(reply) else reply

    def ssm(self, endpoint: str | None = None) -> SSM:
        surroundings = around(endpoint or self.endpoint, self)
        surroundings.until = self.until
        return self.stack.enter_context(closing(SSM(surroundings)))


def around(endpoint: str, world: World | None = None) -> Surroundings:
    return Surroundings(
        environ={**CREDENTIALS, "AWS_ENDPOINT_URL": endpoint},
        region="eu-west-1",
        domain="",
        now=lambda: NOW,
        ticks=lambda: world.ticks if world else 0.0,
        sleep=world.pauses.append if world else lambda _: None,
    )


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as entered:
        yield entered


@pytest.fixture
def embedded() -> Iterator[EmbeddedAws]:
    with embedded_aws() as found:
        yield found


@given(
    body=st.binary(max_size=300),
    token=st.none() | st.text("ABCabc019+/=", min_size=1, max_size=40),
    region=st.sampled_from(["eu-west-1", "us-gov-west-1"]),
    service=st.sampled_from(["ssm", "sqs"]),
    now=st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001  # made UTC below
)
def test_signatures_are_botocores(
    body: bytes, token: str | None, region: str, service: str, now: datetime
) -> None:
    """For any body, token, region, service and time, AWS's SDK would have signed it the same."""
    environ = CREDENTIALS | ({"AWS_SESSION_TOKEN": token} if token else {})
    headers = {"host": f"{service}.{region}.amazonaws.com", "x-amz-target": "AmazonSSM.X"}
    signed = Signer(environ, service=service, region=region).signed(
        headers, body, now=now.replace(tzinfo=UTC)
    )
    authorization = signed.pop("authorization")
    assert authorization == signature(signed, body, service=service, region=region)
    assert signed.get("x-amz-security-token") == token
    assert signed["x-amz-date"] == now.strftime("%Y%m%dT%H%M%SZ")


def test_what_the_queue_gets_is_what_was_sent(embedded: EmbeddedAws, stack: ExitStack) -> None:
    """A message arrives as it was given, and a missing queue is an error by SQS's name."""
    endpoint, _ = stack.enter_context(front(through_boto3))
    url = embedded.environ["BOUNCER_QUEUE_URL"]
    sqs = stack.enter_context(closing(SQS(around(endpoint))))
    sent = sqs.send_message(
        QueueUrl=url, MessageBody="déjà", MessageGroupId="g", MessageDeduplicationId="d"
    )
    (message,) = boto3.client("sqs").receive_message(QueueUrl=url)["Messages"]
    assert (message["Body"], message["MessageId"]) == ("déjà", sent["MessageId"])
    with pytest.raises(ClientError, match=r"NonExistentQueue|QueueDoesNotExist"):
        sqs.send_message(QueueUrl=f"{url}x", MessageBody="x")


@pytest.mark.parametrize(
    "stumble",
    [
        None,
        (500, b"<html>"),
        (503, b'{"__type": "ServiceUnavailable"}'),
        (429, b"{}"),
        (400, b'{"__type": "com.amazon#ThrottlingException", "message": "Rate exceeded"}'),
    ],
    ids=["hung up", "no JSON", "unavailable", "too many", "throttled"],
)
def test_what_may_pass_is_tried_again_once(stumble: Reply, stack: ExitStack) -> None:
    """After a pause of at most a second; the second failure is the answer."""
    world = World(stack, stumble, FOUND)
    assert world.ssm().get_parameters_by_path(Path="/x") == {"Parameters": []}
    world.replies = [stumble]
    with pytest.raises(ConnectionClosedError if stumble is None else ClientError):
        world.ssm().get_parameters_by_path(Path="/x")
    assert world.asked == 4
    assert len(world.pauses) == 2
    assert all(0 <= pause <= 1 for pause in world.pauses)


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, b'{"__type": "AccessDeniedException", "Message": "no"}', "AccessDeniedException"),
        (403, b'{"__type": "com.amazon.coral#AccessDenied"}', "AccessDenied"),
        (404, b"[]", "HTTP 404"),
        (200, b"<html>", "HTTP 200"),
        (200, b"\xff", "HTTP 200"),
    ],
)
def test_a_refusal_is_final(status: int, body: bytes, code: str, stack: ExitStack) -> None:
    """It is not asked again, and names what AWS calls it."""
    world = World(stack, (status, body))
    with pytest.raises(ClientError) as raised:
        world.ssm().get_parameters_by_path(Path="/x")
    assert raised.value.response["Error"]["Code"] == code
    assert world.asked == 1


def test_nobody_there(stack: ExitStack) -> None:
    """A closed port is boto3's error for it, after a second look."""
    world = World(stack, FOUND)
    with pytest.raises(EndpointConnectionError, match=r"127\.0\.0\.1:1"):
        world.ssm("http://127.0.0.1:1").get_parameters_by_path(Path="/x")
    assert (world.asked, len(world.pauses)) == (0, 1)


def resolved(monkeypatch: pytest.MonkeyPatch, *places: tuple[str, int]) -> None:
    """Have the name `aws.example` stand for these addresses."""
    known = socket.getaddrinfo
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in places]

    def look_up(host: str, *rest: Any, **options: Any) -> Any:
        return answer if host == "aws.example" else known(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@contextmanager
def black_hole() -> Iterator[tuple[str, int]]:
    """Listen at an address with a full queue: whoever connects waits."""
    with ExitStack() as entered:
        listening = entered.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = entered.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield listening.getsockname()


def test_addresses_that_do_not_answer_share_their_time(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name of S3 has eight; no call waits for them beyond `until`."""
    resolved(monkeypatch, *(stack.enter_context(black_hole()) for _ in range(8)))
    surroundings, started = around("http://aws.example"), time.monotonic()
    surroundings.ticks, surroundings.until = time.monotonic, started + 0.3
    with pytest.raises((EndpointConnectionError, ReadTimeoutError)):  # of a second look
        stack.enter_context(closing(SSM(surroundings))).get_parameters_by_path(Path="/x")
    assert time.monotonic() - started < 0.8


def test_an_address_that_does_not_answer_leaves_time_for_the_next(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a second each; the answer then has the time of any other."""
    world = World(stack, FOUND)
    url = urlsplit(world.endpoint)
    served = (url.hostname or "", url.port or 0)
    resolved(monkeypatch, stack.enter_context(black_hole()), served)
    monkeypatch.setattr(aws, "_CONNECT_TIMEOUT_S", 0.2)
    ssm = world.ssm("http://aws.example")
    assert ssm.get_parameters_by_path(Path="/x") == {"Parameters": []}
    assert (world.asked, world.pauses) == (1, [])


def test_a_pause_ends_with_the_time(stack: ExitStack) -> None:
    """What is tried again is not waited for when nobody waits any more."""
    world = World(stack, (503, b"{}"))
    world.until = 0.001
    with pytest.raises(ClientError):
        world.ssm().get_parameters_by_path(Path="/x")
    assert max(world.pauses) <= 0.001


def test_no_answer_in_time(stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """SES waits 30 s for the intake, so the intake does not wait long for others."""
    monkeypatch.setattr(aws, "_READ_TIMEOUT_S", 0.05)
    over = Event()

    def late() -> Reply:
        over.wait(10)
        return FOUND

    world = World(stack, late)
    with pytest.raises(ReadTimeoutError):
        world.ssm().get_parameters_by_path(Path="/x")
    over.set()
    assert world.asked == 2


def test_nothing_is_asked_when_nobody_waits_any_more(stack: ExitStack) -> None:
    """Pages that come slowly, or tries that fail, end when the intake must answer SES."""
    world = World(stack, (500, b""))
    world.until = world.ticks = 7.0
    ssm = world.ssm()
    with pytest.raises(ReadTimeoutError):
        ssm.get_parameters_by_path(Path="/x")
    assert world.asked == 0


def test_a_service_that_hangs_up_after_its_answer(stack: ExitStack) -> None:
    """The next call has a connection of its own, and no error."""
    world = World(stack, FOUND)
    world.server.protocol_version = "HTTP/1.0"
    ssm = world.ssm()
    for _ in range(2):
        assert ssm.get_parameters_by_path(Path="/x") == {"Parameters": []}
    assert (world.server.connections, world.pauses) == (2, [])


def test_a_connection_is_kept_only_while_it_is_surely_alive(stack: ExitStack) -> None:
    """Calls in a row share one; after a pause, such as a freeze of the function, there is a new."""
    world = World(stack, FOUND)
    ssm = world.ssm()
    for ticks in (0.0, 5.0, 10.0, 15.1):
        world.ticks = ticks
        ssm.get_parameters_by_path(Path="/x")
    assert world.server.connections == 2


def test_endpoints_are_the_services_own() -> None:
    """TLS to the region's endpoint, unless the environment names another, as the SDK reads it."""
    expected = {
        "https://ssm.eu-west-1.amazonaws.com": {},
        "http://127.0.0.1:1": {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
        "http://127.0.0.1:2": {
            "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
            "AWS_ENDPOINT_URL_SSM": "http://127.0.0.1:2",
        },
    }
    for endpoint, named in expected.items():
        surroundings = around("")
        surroundings.domain = "amazonaws.com"
        surroundings.environ = CREDENTIALS | named
        assert SSM(surroundings).endpoint == endpoint
    theirs = boto3.client("ssm", "eu-west-1", aws_access_key_id=KEY, aws_secret_access_key=SECRET)
    assert theirs.meta.endpoint_url == next(iter(expected))


def test_tls_trusts_nobody_without_proof() -> None:
    """The certificate and the name in it are checked."""
    context = aws._tls()  # noqa: SLF001  # no server of ours has a certificate to fail with
    assert (context.verify_mode, context.check_hostname) == (CERT_REQUIRED, True)
