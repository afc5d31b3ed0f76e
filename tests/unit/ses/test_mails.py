"""Tests: the fake SES takes mails by both of SES's interfaces, as boto3 sends them."""

from collections.abc import Iterator
from email import message_from_bytes
from email.policy import SMTP
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from bouncer_sim.fake_ses.sending_limits import SendingLimits
from bouncer_sim.fake_ses.server import FakeSes

RAW = (
    b"From: Desk <desk@example.com>\r\nTo: ann@partner.example\r\nSubject: Away\r\n"
    b"Message-ID: <mine@example.com>\r\n\r\nI am away.\r\n"
)
TAGS = [{"Name": "rule", "Value": "010-away"}, {"Name": "deployment", "Value": "main"}]
SET = "ses-auto-bouncer-main"


class Account:
    """A fake SES that knows one domain and one set, and clients of both interfaces."""

    def __init__(self, server: FakeSes, events: list[dict[str, Any]]) -> None:
        self.server = server
        self.events = events
        self.ses: Any = self._client("ses")
        self.sesv2: Any = self._client("sesv2")

    def _client(self, name: str) -> object:
        config = Config(retries={"total_max_attempts": 1})
        return boto3.client(  # type: ignore[call-overload]  # one of two names
            name,
            endpoint_url=self.server.endpoint,
            region_name="eu-west-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106  # of a fake
            config=config,
        )

    def raw(self, data: bytes = RAW, **more: Any) -> str:
        """Send a raw mail by the classic interface, and return its id."""
        call = {"RawMessage": {"Data": data}, "Destinations": ["ann@partner.example"], **more}
        return str(self.ses.send_raw_email(**call)["MessageId"])

    def raw_v2(self, data: bytes = RAW, **more: Any) -> str:
        """Send a raw mail by the second interface, and return its id."""
        return str(self.sesv2.send_email(Content={"Raw": {"Data": data}}, **more)["MessageId"])


@pytest.fixture
def account() -> Iterator[Account]:
    """Start a fake SES."""
    events: list[dict[str, Any]] = []
    limits = SendingLimits(rate=1000, of_a_day=200)
    with FakeSes(
        verified=["example.com"], configuration_sets=[SET], limits=limits, events=events.append
    ) as server:
        yield Account(server, events)


def _refusal(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int, str]:
    answer: Any = error.value.response
    status = answer["ResponseMetadata"]["HTTPStatusCode"]
    return answer["Error"]["Code"], status, answer["Error"]["Message"]


def test_a_raw_mail_is_sent_by_both_interfaces(account: Account) -> None:
    """SES writes Message-ID and Date itself, and keeps all other fields and the body."""
    sent = account.raw(), account.raw_v2()
    assert [each.message_id for each in account.server.sent] == list(sent)
    for mail_id, mail in zip(sent, account.server.sent, strict=True):
        parsed = message_from_bytes(mail.dsn, policy=SMTP)
        assert parsed["Message-ID"] == f"<{mail_id}@eu-west-1.amazonses.com>"
        assert parsed["Date"]
        assert parsed["From"] == "Desk <desk@example.com>"
        assert parsed.get_content() == "I am away.\r\n"
        assert mail.recipients == ("ann@partner.example",)


def test_a_composed_mail_is_sent_by_both_interfaces(account: Account) -> None:
    """Subject and bodies may have any letters."""
    destination = {"ToAddresses": ["ann@partner.example"], "BccAddresses": ["bob@example.com"]}
    subject, text = {"Data": "Grüße", "Charset": "UTF-8"}, {"Data": "Bin weg. Bis bald."}
    account.ses.send_email(
        Source="Desk <desk@example.com>",
        Destination=destination,
        Message={"Subject": subject, "Body": {"Text": text, "Html": {"Data": "<b>weg</b>"}}},
        ReplyToAddresses=["help@example.com"],
    )
    account.sesv2.send_email(
        FromEmailAddress="desk@example.com",
        Destination=destination,
        Content={
            "Simple": {
                "Subject": subject,
                "Body": {"Text": text},
                "Headers": [{"Name": "X-Kind", "Value": "test"}],
            }
        },
    )
    classic, second = account.server.sent
    assert classic.recipients == second.recipients == ("ann@partner.example", "bob@example.com")
    parsed = message_from_bytes(second.dsn, policy=SMTP)
    assert (parsed["Subject"], parsed["X-Kind"], parsed["Bcc"]) == ("Grüße", "test", None)
    assert parsed.get_content().strip() == "Bin weg. Bis bald."
    assert b"multipart/alternative" in classic.dsn


def test_events_have_the_tags(account: Account) -> None:
    """A mail with a configuration set has events in SES's shape, with its tags as lists."""
    mail_id = account.raw(Tags=TAGS, ConfigurationSetName=SET)
    account.raw_v2(EmailTags=TAGS, ConfigurationSetName=SET)
    assert [each["eventType"] for each in account.events] == ["Send", "Delivery"] * 2
    mail = account.events[0]["mail"]
    assert mail["messageId"] == mail_id
    assert mail["tags"]["rule"] == ["010-away"]
    assert mail["tags"]["ses:configuration-set"] == [SET]
    assert mail["tags"]["ses:from-domain"] == ["example.com"]
    assert mail["commonHeaders"]["subject"] == "Away"


@pytest.mark.parametrize(
    ("recipient", "kinds"),
    [
        ("bounce@simulator.amazonses.com", ["Send", "Bounce"]),
        ("bounce+x@simulator.amazonses.com", ["Send", "Bounce"]),
        ("complaint@simulator.amazonses.com", ["Send", "Delivery", "Complaint"]),
        ("success@simulator.amazonses.com", ["Send", "Delivery"]),
        ("bounce@partner.example", ["Send", "Delivery"]),
    ],
)
def test_simulator_addresses_have_their_fate(
    recipient: str, kinds: list[str], account: Account
) -> None:
    """SES's mailbox simulator decides by the address."""
    account.raw(Destinations=[recipient], ConfigurationSetName=SET)
    assert [each["eventType"] for each in account.events] == kinds


def test_header_fields_of_ses_are_obeyed_and_removed(account: Account) -> None:
    """Tags of the call replace those of the header; neither field is sent."""
    fields = (
        f"X-SES-CONFIGURATION-SET: {SET}\r\nX-SES-MESSAGE-TAGS: rule=old, team=desk\r\n".encode()
    )
    account.raw(fields + RAW)
    account.raw(fields + RAW, Tags=TAGS[:1])
    first, second = (account.events[each]["mail"]["tags"] for each in (0, 2))
    assert (first["rule"], first["team"]) == (["old"], ["desk"])
    assert second["rule"] == ["010-away"]
    assert "team" not in second
    assert all(b"X-SES" not in mail.dsn for mail in account.server.sent)


@pytest.mark.parametrize(
    ("data", "more", "code", "text"),
    [
        (RAW, {"Source": "x@other.example"}, "MessageRejected", "Email address is not verified."),
        (RAW.replace(b"desk@example.com", b"x@other.example"), {}, "MessageRejected", "not verif"),
        (RAW, {"ConfigurationSetName": "gone"}, "ConfigurationSetDoesNotExist", "<gone>"),
        (RAW, {"Destinations": ["a@b.example"] * 51}, "InvalidParameterValue", "exceeds 50"),
        (RAW, {"Destinations": ["a b"]}, "InvalidParameterValue", "Destinations"),
        (RAW, {"Tags": [{"Name": "rule", "Value": "a.b"}]}, "InvalidParameterValue", "<a.b>"),
        (RAW, {"Tags": [{"Name": "ru le", "Value": "a"}]}, "InvalidParameterValue", "ru le"),
        (RAW, {"Tags": [{"Name": "n", "Value": "v" * 257}]}, "InvalidParameterValue", "256"),
        (RAW, {"Tags": [TAGS[0], TAGS[0]]}, "InvalidParameterValue", "Duplicate tag"),
        (RAW, {"SourceArn": "arn:aws:s3:::x"}, "InvalidParameterValue", "ARN"),
        (b"To: a@b.example\r\n\r\nx", {}, "InvalidParameterValue", "header 'From'"),
        (b"From: a@example.com\r\n", {}, "InvalidParameterValue", "blank line"),
        (b"Subject: 1\r\nSubject: 2\r\n" + RAW, {}, "InvalidParameterValue", "Duplicate header"),
        (b"nonsense\r\n" + RAW, {}, "InvalidParameterValue", "nonsense"),
        (b"X-A: \xc3\xbc\r\n" + RAW, {}, "InvalidParameterValue", "beyond ASCII"),
        (RAW + b"a\rb\r\n", {}, "InvalidParameterValue", "Bare <CR>"),
        (RAW + b"a\nb\r\n", {}, "InvalidParameterValue", "Bare <LF>"),
        (RAW + b"x" * 999, {}, "InvalidParameterValue", "998"),
        (RAW + b"x\r\n" * 3_500_000, {}, "InvalidParameterValue", "10485760"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_ses_documents_as_wrong_is_refused(
    data: bytes, more: dict[str, Any], code: str, text: str, account: Account
) -> None:
    """A call that SES would refuse is refused with its code, and nothing is sent."""
    with pytest.raises(ClientError) as error:
        account.raw(data, **more)
    found, status, message = _refusal(error)
    assert (found, status) == (code, 400)
    assert text in message
    assert account.server.sent == []


@pytest.mark.parametrize(
    ("more", "code", "status"),
    [
        ({"FromEmailAddress": "x@other.example"}, "MessageRejected", 400),
        ({"ConfigurationSetName": "gone"}, "NotFoundException", 404),
        ({"EmailTags": [{"Name": "rule", "Value": "a.b"}]}, "BadRequestException", 400),
        ({"Destination": {"ToAddresses": ["a@b.example"] * 51}}, "BadRequestException", 400),
        ({"TenantName": "t"}, "BadRequestException", 400),
    ],
)
def test_the_second_interface_has_its_own_codes(
    more: dict[str, Any], code: str, status: int, account: Account
) -> None:
    """The same faults have the words and statuses of the second interface."""
    with pytest.raises(ClientError) as error:
        account.raw_v2(**more)
    assert _refusal(error)[:2] == (code, status)


def test_limits_of_the_account_are_kept(account: Account) -> None:
    """Recipients count for the day's quota, which GetAccount tells."""
    account.raw(Destinations=["a@b.example"] * 40)
    quota = account.sesv2.get_account()["SendQuota"]
    assert quota == {"Max24HourSend": 200.0, "MaxSendRate": 1000.0, "SentLast24Hours": 40.0}
    for _ in range(3):
        account.raw(Destinations=["a@b.example"] * 50)
    with pytest.raises(ClientError) as error:
        account.raw(Destinations=["a@b.example"] * 11)
    assert _refusal(error) == ("Throttling", 400, "Daily message quota exceeded.")


def test_paused_sending_is_refused(account: Account) -> None:
    """A paused account and a paused set have errors of their own."""
    account.server.account.paused_sets.add(SET)
    with pytest.raises(ClientError) as error:
        account.raw(ConfigurationSetName=SET)
    assert _refusal(error)[0] == "ConfigurationSetSendingPausedException"
    account.server.account.is_paused = True
    with pytest.raises(ClientError) as error:
        account.raw()
    assert _refusal(error)[0] == "AccountSendingPausedException"
    with pytest.raises(ClientError) as error:
        account.raw_v2()
    assert _refusal(error)[0] == "SendingPausedException"
    assert account.sesv2.get_account()["SendingEnabled"] is False


def test_an_unknown_operation_is_refused(account: Account) -> None:
    """An operation that the fake does not know has an answer, too."""
    with pytest.raises(ClientError) as error:
        account.sesv2.list_email_identities()
    assert _refusal(error)[1] == 404
