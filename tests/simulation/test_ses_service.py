"""The simulated SES answers and sends as the fake SES does, which boto3 calls over HTTP."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from bouncer.sending.ses import CONFIG
from bouncer_sim.clock import SimulatedClock
from bouncer_sim.fake_ses.outbox import Outbox
from bouncer_sim.fake_ses.server import FakeSes
from bouncer_sim.fake_ses.ses_account import Account, ReceivedMail
from bouncer_sim.world.direct_client import DirectClient
from bouncer_sim.world.ses_service import SesService

START = datetime(2026, 11, 2, 8, tzinfo=UTC)
ANN: dict[str, Any] = {"Recipient": "ann@example.com", "BounceType": "DoesNotExist"}
FIELDS: dict[str, Any] = {
    "Action": "delayed",
    "Status": "4.2.1",
    "DiagnosticCode": "smtp; 451 4.2.1 later",
    "FinalRecipient": "desk@example.com",
    "RemoteMta": "dns; desk.example.com",
    "LastAttemptDate": datetime(2026, 11, 2, 9, 1, 2, 345678, tzinfo=timezone(timedelta(hours=5))),
    "ExtensionFields": [{"Name": "X-Queue", "Value": "support"}],
}
OWN_FIELDS: dict[str, Any] = {"Recipient": "ann@example.com", "RecipientDsnFields": FIELDS}
TEXT = st.text("abc <>&;\"'%+=", max_size=40) | st.text(max_size=40)
CALL: dict[str, Any] = {
    "OriginalMessageId": "m1",
    "BounceSender": "Mail System <bounces@example.com>",
    "Explanation": "Gone.",
    "MessageDsn": {"ReportingMta": "dns; mx.example.com", "ArrivalDate": START},
    "BouncedRecipientInfoList": [ANN],
}


class Pair:
    """One account at two fakes, with one clock and an outbox each."""

    def __init__(self, stack: ExitStack) -> None:
        self.clock = SimulatedClock(START.timestamp() + 60)
        mail = ReceivedMail(
            message_id="m1",
            sender="eve@partner.example",
            recipients=("ann@example.com",),
            received_at=START.timestamp(),
            headers=b"Subject: Hello",
        )
        self.server = FakeSes(verified=["example.com"], clock=self.clock.time)
        stack.enter_context(self.server).receive(mail)
        self.outbox = Outbox(None)
        account = Account(["example.com"])
        account.receive(mail)
        service = SesService(account, now=self.clock.time, outbox=self.outbox)
        self.direct: Any = DirectClient(service)
        self.over_http: Any = boto3.client(
            "ses",
            region_name="us-east-1",
            endpoint_url=self.server.endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106  # the server checks no signature
            config=CONFIG,
        )
        stack.callback(self.over_http.close)

    def ask(self, call: dict[str, Any]) -> tuple[tuple[object, ...], tuple[object, ...]]:
        """Return what each answers to a call at the same time."""
        return answer(self.over_http, call), answer(self.direct, call)


def answer(client: Any, call: dict[str, Any]) -> tuple[object, ...]:
    """The id of the bounce, or code, text and HTTP status of the error."""
    try:
        return (client.send_bounce(**call)["MessageId"],)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return error.response["Error"]["Code"], error.response["Error"]["Message"], status


@pytest.fixture
def pair() -> Iterator[Pair]:
    with ExitStack() as stack:
        yield Pair(stack)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, None),
        ({"BouncedRecipientInfoList": [ANN | OWN_FIELDS]}, "InvalidParameterValue"),
        ({"BouncedRecipientInfoList": [OWN_FIELDS]}, None),
        ({"OriginalMessageId": "m2"}, "MessageRejected"),
        ({"BounceSender": "bounces@example.org"}, "MessageRejected"),
        (
            {"BouncedRecipientInfoList": [{**ANN, "Recipient": "bob@example.com"}]},
            "MessageRejected",
        ),
        ({"BouncedRecipientInfoList": [{**ANN, "BounceType": "Tired"}]}, "ValidationError"),
        ({"BouncedRecipientInfoList": [ANN] * 51}, "InvalidParameterValue"),
        ({"BouncedRecipientInfoList": []}, "ValidationError"),
        ({"BounceSenderArn": "arn"}, "InvalidParameterValue"),
        ({"BounceSender": ""}, "InvalidParameterValue"),
    ],
)
def test_a_call_has_one_answer(pair: Pair, change: dict[str, Any], code: str | None) -> None:
    """Each refusal is the same error, each bounce the same mail under the same id."""
    over_http, direct = pair.ask(CALL | change)
    assert over_http == direct
    assert [each.dsn for each in pair.server.sent] == [each.dsn for each in pair.outbox.sent]
    assert bool(pair.outbox.sent) is (code is None)
    assert code is None or str(direct).startswith(f"('{code}")


def test_calls_within_a_second_are_throttled(pair: Pair) -> None:
    """Both count calls where they arrive."""
    pair.ask(CALL)
    pair.clock.sleep(0.999)
    over_http, direct = pair.ask(CALL)
    assert over_http == direct
    assert str(direct).startswith("('Throttling'")
    pair.clock.sleep(1.0)
    assert [len(each) for each in pair.ask(CALL)] == [1, 1]  # an id alone


def test_any_text_is_answered_alike() -> None:
    """Texts of rules and mails reach SES's checks unchanged, whatever characters they have."""
    with ExitStack() as stack:
        pair = Pair(stack)

        @settings(max_examples=100, deadline=None)
        @given(TEXT, TEXT, TEXT)
        def holds(explanation: str, diagnostic: str, sender: str) -> None:
            fields = FIELDS | {"DiagnosticCode": f"smtp; {diagnostic}"}
            ann = OWN_FIELDS | {"RecipientDsnFields": fields}
            name = {"BounceSender": f"{sender} <bounces@example.com>"}
            pair.clock.sleep(1.5)
            over_http, direct = pair.ask(
                CALL | name | {"Explanation": explanation, "BouncedRecipientInfoList": [ann]}
            )
            assert over_http == direct

        holds()
    assert [each.dsn for each in pair.server.sent] == [each.dsn for each in pair.outbox.sent]
    assert pair.outbox.sent
