"""The fake SES takes every member that SES's classic interface has for sending mail."""

from email import message_from_bytes
from email.policy import SMTP
from typing import Any

import boto3
import pytest

from bouncer_sim.fake_ses.server import FakeSes
from tests.ses_coverage.model_members import members

SET = "ses-auto-bouncer-main"
ARN = "arn:aws:ses:eu-west-1:111122223333:identity/example.com"
SENDER = "Desk <desk@example.com>"
COMMON: dict[str, Any] = {
    "Source": SENDER,
    "SourceArn": ARN,
    "ReturnPathArn": ARN,
    "Tags": [{"Name": "rule", "Value": "010-away"}],
    "ConfigurationSetName": SET,
}
COMPOSED: dict[str, Any] = {
    **COMMON,
    "Destination": {
        "ToAddresses": ["to@partner.example"],
        "CcAddresses": ["cc@partner.example"],
        "BccAddresses": ["bcc@partner.example"],
    },
    "Message": {
        "Subject": {"Data": "Away", "Charset": "UTF-8"},
        "Body": {
            "Text": {"Data": "I am away.", "Charset": "UTF-8"},
            "Html": {"Data": "<p>I am away.</p>", "Charset": "UTF-8"},
        },
    },
    "ReplyToAddresses": ["help@example.com"],
    "ReturnPath": "returns@example.com",
}
RAW: dict[str, Any] = {
    **COMMON,
    "FromArn": ARN,
    "Destinations": ["to@partner.example"],
    "RawMessage": {"Data": b"From: desk@example.com\r\nSubject: Away\r\n\r\nI am away.\r\n"},
}


def sent(operation: str, call: dict[str, Any]) -> tuple[FakeSes, str]:
    """Make one call, and return the fake SES with the id that it answered."""
    with FakeSes(verified=["example.com"], configuration_sets=[SET]) as server:
        client: Any = boto3.client(
            "ses",
            endpoint_url=server.endpoint,
            region_name="eu-west-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",  # noqa: S106  # of a fake
        )
        return server, str(getattr(client, operation)(**call)["MessageId"])


def named(value: object, path: str = "") -> set[str]:
    """Return the path of each value in a call, as the rows of the coverage have it."""
    if isinstance(value, dict):
        return {each for key, below in value.items() for each in named(below, f"{path}.{key}")}
    if isinstance(value, list):
        return {each for below in value for each in named(below, path)}
    return {path.removeprefix(".")}


@pytest.mark.parametrize(("operation", "call"), [("SendEmail", COMPOSED), ("SendRawEmail", RAW)])
def test_the_calls_have_every_member(operation: str, call: dict[str, Any]) -> None:
    """Botocore's model has no other member that could be sent."""
    assert named(call) == {each for each in members(operation) if not each.startswith("->")}


def test_a_composed_mail_with_every_member_is_sent() -> None:
    """Each recipient gets it; header fields and both bodies are those of the call."""
    server, answered = sent("send_email", COMPOSED)
    (mail,) = server.sent
    assert (mail.message_id, mail.recipients) == (
        answered,
        ("to@partner.example", "cc@partner.example", "bcc@partner.example"),
    )
    parsed = message_from_bytes(mail.dsn, policy=SMTP)
    shown = [str(parsed[name]) for name in ("From", "To", "Cc", "Reply-To", "Subject")]
    assert shown == [SENDER, "to@partner.example", "cc@partner.example", "help@example.com", "Away"]
    bodies = [parsed.get_body((kind,)) for kind in ("plain", "html")]
    assert [body.get_content().strip() for body in bodies if body] == [
        "I am away.",
        "<p>I am away.</p>",
    ]


def test_a_raw_mail_with_every_member_is_sent() -> None:
    """The bytes are those of the call."""
    server, answered = sent("send_raw_email", RAW)
    (mail,) = server.sent
    assert (mail.message_id, mail.recipients) == (answered, ("to@partner.example",))
    assert mail.dsn.endswith(b"\r\n\r\nI am away.\r\n")
