"""Fixtures of the fake SES's tests: a received mail, a call about it, a clock, a client."""

import http.client
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bouncer_sim.fake_ses.faults import Faults, parse_fault
from bouncer_sim.fake_ses.form import decode
from bouncer_sim.fake_ses.server import FakeSes
from bouncer_sim.fake_ses.ses_account import ReceivedMail

NOON = 1_769_860_800.0  # 2026-01-31T12:00:00Z
SIGNED = "AWS4-HMAC-SHA256 Credential=test/20260131/eu-west-1/ses/aws4_request, Signature=0"


@dataclass
class Clock:
    """Time as a test wants it, in epoch seconds."""

    now: float = NOON + 60

    def __call__(self) -> float:
        """Tell the time."""
        return self.now

    def tick(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


@dataclass(frozen=True)
class Reply:
    """An answer as a client sees it; fields are empty where the XML has none."""

    status: int
    code: str
    text: str
    message_id: str


class Client:
    """A caller of SendBounce without an SDK, on one connection that is kept alive."""

    def __init__(self, endpoint: str) -> None:
        self.connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=5)

    def post(self, body: bytes, authorization: str | None = SIGNED) -> Reply:
        """Post a form; RemoteDisconnected if the server hangs up instead of answering."""
        headers = {} if authorization is None else {"Authorization": authorization}
        self.connection.request("POST", "/", body, headers)
        response = self.connection.getresponse()
        tree = ET.fromstring(response.read())  # noqa: S314 - our own server's XML
        texts = {element.tag.rpartition("}")[2]: element.text or "" for element in tree.iter()}
        return Reply(
            status=response.status,
            code=texts.get("Code", ""),
            text=texts.get("Message", ""),
            message_id=texts.get("MessageId", ""),
        )


@pytest.fixture
def wire() -> Path:
    """Return the folder of request bodies recorded from real clients, all of the same call."""
    return Path(__file__).parent / "wire"


@pytest.fixture
def full_body(wire: Path) -> bytes:
    """Return a call that uses every parameter there is, as boto3 sends it."""
    return (wire / "boto3.form").read_bytes()


@pytest.fixture
def full(full_body: bytes) -> dict[str, str]:
    """Return the parameters of that call, to be bent by a test."""
    return decode(full_body)


@pytest.fixture
def original() -> ReceivedMail:
    """Return the mail that call bounces."""
    return ReceivedMail(
        message_id="orig-1",
        sender="stranger@example.net",
        recipients=("ann@example.com", "Bob@Example.com"),
        received_at=NOON,
        headers=b"From: Stranger <stranger@example.net>\r\nSubject: Hello\r\n\r\n",
    )


@pytest.fixture
def clock() -> Clock:
    """Return a clock a minute after the mail was received."""
    return Clock()


class Serve:
    """Starts servers that verified example.com and received the mail, and clients of theirs."""

    def __init__(self, mail: ReceivedMail, clock: Clock) -> None:
        self._mail = mail
        self._clock = clock
        self._ends = ExitStack()

    def __call__(
        self,
        *faults: str,
        out: Path | None = None,
        clock: Callable[[], float] | None = None,
        stall_s: float = 0.0,
    ) -> tuple[FakeSes, Client]:
        """Start a server with faults such as `throttle@2`; return it and a client."""
        plan = Faults(plan=tuple(map(parse_fault, faults)), stall_s=stall_s)
        ses = FakeSes(verified=["example.com"], clock=clock or self._clock, out=out, faults=plan)
        ses.receive(self._mail)
        self._ends.enter_context(ses)
        return ses, self.client(ses)

    def client(self, ses: FakeSes) -> Client:
        """Return one more client of a server."""
        client = Client(ses.endpoint)
        self._ends.callback(client.connection.close)
        return client

    def end(self) -> None:
        """Close clients and stop servers."""
        self._ends.close()


@pytest.fixture
def serve(original: ReceivedMail, clock: Clock) -> Iterator[Serve]:
    """Return a starter of servers that end with the test."""
    starter = Serve(original, clock)
    yield starter
    starter.end()


@pytest.fixture
def served(serve: Serve) -> tuple[FakeSes, Client]:
    """Return a running server without faults, and its client."""
    return serve()


@pytest.fixture
def ses(served: tuple[FakeSes, Client]) -> FakeSes:
    """Return that server."""
    return served[0]


@pytest.fixture
def client(served: tuple[FakeSes, Client]) -> Client:
    """Return that client."""
    return served[1]
