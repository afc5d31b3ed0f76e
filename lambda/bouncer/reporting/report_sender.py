"""Sends a report by SendEmail of SES's second API, once: the SDK's own retries are off.

RFC 3834 section 5 asks for `Auto-Submitted: auto-generated` in such a mail, so that no answering
machine answers it, and our own guard bounces none. SendEmail of the first API takes no header.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from bouncer.errors import BouncerError
from bouncer.lost_answer import may_have_worked
from bouncer.mail.quoted_mailbox import quoted_mailbox

CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 1})
_HEADERS = {"Auto-Submitted": "auto-generated"}


class NotSentError(BouncerError):
    """SES surely did not take the report, so that it may be sent again."""


class MaybeSentError(BouncerError):
    """SES may have taken the report or not, so that it is not sent again."""


class MailClient(Protocol):
    """A client of SES's second API, as boto3 has it."""

    @property
    def send_email(self) -> Callable[..., Mapping[str, Any]]:
        """Send a mail."""


class ReportMail(NamedTuple):
    """The mail of a report; `to` are addresses, `sender` is a mailbox that SES has verified.

    An answer goes to all of `to`: nobody reads the mail of a bounce sender.
    """

    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    deployment: str
    configuration_set: str


def send(client: MailClient, mail: ReportMail) -> str:
    """Send a report and return SES's id; raises `NotSentError` or `MaybeSentError`."""
    try:
        return str(client.send_email(**request_of(mail))["MessageId"])
    except (ClientError, BotoCoreError) as error:
        kind = MaybeSentError if may_have_worked(error) else NotSentError
        raise kind(f"SendEmail: {error}") from error


def request_of(mail: ReportMail) -> dict[str, Any]:
    """Return the parameters of SendEmail (SES API v2 reference)."""
    to = [*map(quoted_mailbox, mail.to)]
    return {
        "FromEmailAddress": quoted_mailbox(mail.sender),
        "Destination": {"ToAddresses": to},
        "ReplyToAddresses": to,
        "Content": {
            "Simple": {
                "Subject": _text(mail.subject),
                "Body": {"Text": _text(mail.text)},
                "Headers": [{"Name": name, "Value": text} for name, text in _HEADERS.items()],
            }
        },
        "EmailTags": [
            {"Name": "deployment", "Value": mail.deployment},
            {"Name": "kind", "Value": "report"},
        ],
        "ConfigurationSetName": mail.configuration_set,
    }


def _text(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}
