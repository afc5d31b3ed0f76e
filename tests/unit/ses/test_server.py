"""The server as its callers see it: SDK and wire, pace, faults, what it remembers."""

from __future__ import annotations

import email
import http.client
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlencode

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from bouncer_sim.fake_ses.server import FakeSes
from bouncer_sim.fake_ses.ses_account import ReceivedMail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mypy_boto3_ses import SESClient

    from tests.unit.ses.conftest import Client, Clock, Serve

CREDENTIAL = "AWS4-HMAC-SHA256 Credential=test/20260131/{}/ses/aws4_request, Signature=0"


Boto: TypeAlias = "Callable[[FakeSes], SESClient]"


@pytest.fixture
def boto() -> Iterator[Boto]:
    """Return a maker of boto3 clients that never retry."""
    made: list[SESClient] = []

    def make(ses: FakeSes) -> SESClient:
        made.append(
            boto3.client(
                "ses",
                region_name="eu-west-1",
                endpoint_url=ses.endpoint,
                aws_access_key_id="test",
                aws_secret_access_key="test",  # noqa: S106 - nobody checks it
                config=Config(retries={"total_max_attempts": 1}),
            )
        )
        return made[-1]

    yield make
    for client in made:
        client.close()


def _simple_call(**changes: Any) -> dict[str, Any]:
    return {
        "OriginalMessageId": "orig-1",
        "BounceSender": "postmaster@example.com",
        "BouncedRecipientInfoList": [
            {"Recipient": "ann@example.com", "BounceType": "DoesNotExist"}
        ],
    } | changes


def test_boto3_sends_a_bounce(ses: FakeSes, boto: Boto) -> None:
    """An SDK gets a message id; the notification bears it, and the region it was signed for."""
    answer = boto(ses).send_bounce(**_simple_call())
    (sent,) = ses.sent
    assert answer["MessageId"] == sent.message_id
    assert answer["ResponseMetadata"]["RequestId"]
    dsn = email.message_from_bytes(sent.dsn)
    assert dsn["Message-ID"] == f"<{sent.message_id}@eu-west-1.amazonses.com>"
    assert (sent.original_message_id, sent.recipients) == ("orig-1", ("ann@example.com",))


def test_boto3_understands_refusals(ses: FakeSes, boto: Boto, clock: Clock) -> None:
    """Modelled and unmodelled errors arrive with code, text and status."""
    client = boto(ses)
    with pytest.raises(client.exceptions.MessageRejected, match="was not received"):
        client.send_bounce(**_simple_call(OriginalMessageId="other"))
    with pytest.raises(ClientError) as caught:
        client.send_bounce(**_simple_call())
    assert caught.value.response["Error"]["Code"] == "Throttling"
    clock.tick(1)
    with pytest.raises(ClientError) as caught:
        client.send_bounce(**_simple_call(BouncedRecipientInfoList=[]))
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_unanswered_call_is_a_closed_connection_to_boto3(serve: Serve, boto: Boto) -> None:
    """A lost answer looks like a network fault, and the bounce is sent all the same."""
    ses, _ = serve("timeout_after@1")
    with pytest.raises(ConnectionClosedError):
        boto(ses).send_bounce(**_simple_call())
    assert len(ses.sent) == 1


@pytest.mark.parametrize("recorded", ["boto3", "aws-cli", "javascript-sdk"])
def test_every_client_is_served(recorded: str, wire: Path, ses: FakeSes, client: Client) -> None:
    """Bodies recorded from boto3, the AWS CLI and the JavaScript SDK send the same bounce."""
    reply = client.post((wire / f"{recorded}.form").read_bytes())
    assert (reply.status, reply.message_id) == (200, ses.sent[0].message_id)


def test_calls_within_a_second_are_throttled(
    ses: FakeSes, client: Client, clock: Clock, full_body: bytes
) -> None:
    """Start to start at least one second; a throttled call does not put off the next."""
    codes = []
    for pause in (0, 0.999, 0.001, 0.5, 0.4, 0.1, 1.0):
        clock.tick(pause)
        codes.append(client.post(full_body).code)
    assert codes == ["", "Throttling", "", "Throttling", "Throttling", "", ""]
    assert [call.result for call in ses.calls if call.result != "Throttling"] == ["Sent"] * 4


def test_pace_is_kept_by_any_start_time(client: Client, clock: Clock, full_body: bytes) -> None:
    """Adding a second to a time that has no exact binary form is still a second."""
    clock.now = 1_769_860_800.1
    for _ in range(5):
        assert client.post(full_body).status == 200
        clock.now += 1.0


def test_throttling_is_worded_as_ses_does(client: Client, full_body: bytes) -> None:
    """Code, status and text of SES's sending rate."""
    client.post(full_body)
    reply = client.post(full_body)
    assert (reply.status, reply.code) == (400, "Throttling")
    assert reply.text == "Maximum sending rate exceeded."


def test_refused_call_spends_the_second(
    client: Client, full: dict[str, str], full_body: bytes
) -> None:
    """A call that was taken up and found wrong counts as a call."""
    bad = urlencode(full | {"BounceSender": "nobody"}).encode()
    assert client.post(bad).code == "InvalidParameterValue"
    assert client.post(full_body).code == "Throttling"


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("throttle", 400, "Throttling"),
        ("unavailable", 503, "ServiceUnavailable"),
        ("internal_error", 500, "InternalFailure"),
    ],
)
def test_planned_error_is_answered(
    fault: str, status: int, code: str, serve: Serve, full_body: bytes
) -> None:
    """The planned call fails as planned and sends nothing; its neighbours are unharmed."""
    times = iter((1_769_860_860.0, 1_769_860_861.0, 1_769_860_862.0))
    ses, client = serve(f"{fault}@2", clock=lambda: next(times))
    replies = [client.post(full_body) for _ in range(3)]
    assert [(reply.status, reply.code) for reply in replies] == [
        (200, ""),
        (status, code),
        (200, ""),
    ]
    assert len(ses.sent) == 2


@pytest.mark.parametrize(
    ("fault", "result", "sent"),
    [("timeout_before@1", "timeout_before", 0), ("timeout_after@1", "Sent", 1)],
)
def test_planned_time_out_leaves_no_answer(
    fault: str, result: str, sent: int, serve: Serve, full_body: bytes
) -> None:
    """The connection closes without an answer, before or after the bounce was sent."""
    ses, client = serve(fault)
    with pytest.raises(http.client.RemoteDisconnected):
        client.post(full_body)
    assert len(ses.sent) == sent
    assert [(call.result, call.answered) for call in ses.calls] == [(result, False)]
    assert serve.client(ses).post(full_body).code == "Throttling"


def test_stall_ends_when_the_server_stops(serve: Serve, full_body: bytes) -> None:
    """A call held without an answer does not hold the server, which ends it."""
    arrived = threading.Event()
    heard: list[Exception] = []

    def clock() -> float:
        arrived.set()
        return 1_769_860_860.0

    def call() -> None:
        try:
            client.post(full_body)
        except OSError as error:
            heard.append(error)

    ses, client = serve("timeout_before@1", clock=clock, stall_s=600)
    caller = threading.Thread(target=call)
    caller.start()
    assert arrived.wait(5)
    ses.stop()
    caller.join(5)
    assert len(heard) == 1


def test_too_early_beats_a_planned_fault(serve: Serve, full_body: bytes) -> None:
    """No fault hides a caller who does not keep the pace."""
    _, client = serve("timeout_after@2")
    client.post(full_body)
    assert client.post(full_body).code == "Throttling"


def test_bounces_become_files_in_order(
    serve: Serve, clock: Clock, full_body: bytes, tmp_path: Path
) -> None:
    """File names sort as sent, go on after a restart, and hold the mail; memory does not."""
    out = tmp_path / "deep" / "out"
    for _ in range(2):
        ses, client = serve(out=out)
        for _ in range(2):
            client.post(full_body)
            clock.tick(1)
        assert all(sent.kept is None and sent.path is not None for sent in ses.sent)
    files = sorted(out.iterdir())
    assert [file.name[:7] for file in files] == ["000001-", "000002-", "000003-", "000004-"]
    assert [sent.path for sent in ses.sent] == files[2:]
    assert ses.sent[0].dsn == files[2].read_bytes()
    assert files[0].name.endswith("-000000.eml")


def test_bounce_whose_file_cannot_be_written_is_not_sent(
    serve: Serve, full_body: bytes, tmp_path: Path
) -> None:
    """A full or missing disk is SES's internal error, and nothing counts as sent."""
    out = tmp_path / "out"
    ses, client = serve(out=out)
    out.rmdir()
    assert client.post(full_body).code == "InternalFailure"
    assert ses.sent == []


def test_forgotten_mail_leaves_nothing_behind(
    ses: FakeSes, client: Client, original: ReceivedMail, clock: Clock, full_body: bytes
) -> None:
    """After forgetting, neither mail, bounces nor calls of it are held; others stay."""
    ses.receive(replace(original, message_id="orig-2"))
    client.post(full_body)
    clock.tick(1)
    client.post(full_body.replace(b"orig-1", b"orig-2"))
    ses.forget("orig-1")
    assert [sent.original_message_id for sent in ses.sent] == ["orig-2"]
    assert [call.original_message_id for call in ses.calls] == ["orig-2"]
    clock.tick(1)
    assert client.post(full_body).code == "MessageRejected"


def test_same_run_gives_same_notifications(serve: Serve, full_body: bytes) -> None:
    """With the same clock, ids and bytes repeat; within a run, no id does."""

    def run() -> list[tuple[str, bytes]]:
        times = iter((1_769_860_860.0, 1_769_860_861.0))
        ses, client = serve(clock=lambda: next(times))
        client.post(full_body)
        client.post(full_body)
        return [(sent.message_id, sent.dsn) for sent in ses.sent]

    first = run()
    assert first == run()
    assert first[0][0] != first[1][0]


def test_region_comes_from_the_signature(ses: FakeSes, client: Client, full_body: bytes) -> None:
    """A signature names the region; one that does not, or lies about it, gets the default."""
    client.post(full_body, CREDENTIAL.format("ap-northeast-1"))
    assert b"@ap-northeast-1.amazonses.com>" in ses.sent[0].dsn


@pytest.mark.parametrize("scope", ["x\r\n", "", "a/b", "AWS"])
def test_odd_signature_means_the_default_region(
    scope: str, ses: FakeSes, client: Client, full_body: bytes
) -> None:
    """Nothing from a signature but a region's letters gets into the mail."""
    odd = f"AWS4-HMAC-SHA256 {scope.strip()}"
    assert client.post(full_body, odd).status == 200
    assert b"@us-east-1.amazonses.com>" in ses.sent[0].dsn


def test_concurrent_calls_are_paced_as_one(ses: FakeSes, serve: Serve, full_body: bytes) -> None:
    """Of many calls at the same moment exactly one passes, and each is on record once."""
    clients = [serve.client(ses) for _ in range(8)]
    threads = [threading.Thread(target=client.post, args=(full_body,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert len(ses.sent) == 1
    assert sorted(call.number for call in ses.calls) == list(range(1, 9))


def test_server_can_be_started_again(ses: FakeSes, serve: Serve, full_body: bytes) -> None:
    """Stopping ends idle connections and the endpoint, not the memory."""
    client = serve.client(ses)
    client.post(full_body)
    ses.stop()
    with pytest.raises(RuntimeError, match="before it is started"):
        _ = ses.endpoint
    with pytest.raises(ConnectionError):
        client.post(full_body)
    ses.start()
    assert serve.client(ses).post(full_body).code == "Throttling"
    assert len(ses.sent) == 1
