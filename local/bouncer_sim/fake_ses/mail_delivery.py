"""Sends one mail as SES does with a SendEmail or SendRawEmail call that was not disturbed.

The fake SES over HTTP and the simulated one share these checks and what they write.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime

from bouncer_sim.fake_ses.outbox import Outbox, bounce_id
from bouncer_sim.fake_ses.outgoing_mail import OutgoingMail, raw_message
from bouncer_sim.fake_ses.refusal import ErrorCode, SesError
from bouncer_sim.fake_ses.sending_events import Event, events
from bouncer_sim.fake_ses.sending_limits import SendingLimits
from bouncer_sim.fake_ses.ses_account import Account

Sink = Callable[[Event], object]


class MailDelivery:
    """Delivers the mails of one account to an outbox, and their events to a sink, if there is one.

    Events are published about mail with a configuration set.
    """

    def __init__(
        self,
        account: Account,
        outbox: Outbox | None,
        limits: SendingLimits,
        *,
        sink: Sink | None = None,
    ) -> None:
        self._account = account
        self._outbox = outbox
        self._limits = limits
        self._sink = sink

    def send(
        self, parse: Callable[[], OutgoingMail], *, number: int, at: float, region: str
    ) -> str:
        """Check and send the mail of call `number` (from 1), which arrived `at` epoch seconds.

        Returns the mail's message id; raises `SesError`, which is `InternalFailure` for any failure
        of the fake's own.
        """
        try:
            return self._send(parse(), number, at, region)
        except SesError:
            raise
        except Exception as error:  # a server's edge: SES too would answer this way
            text = f"The fake SES failed: {error!a}"
            raise SesError(ErrorCode.INTERNAL_FAILURE, text) from error

    def _send(self, mail: OutgoingMail, number: int, at: float, region: str) -> str:
        self._account.admit_mail(mail, region=region)
        self._limits.count(len(mail.destinations), at=at)
        message_id = bounce_id(f"{mail.source} {mail.destinations}", number, at)
        if self._outbox is not None:
            self._outbox.put(
                _stamped(mail, message_id, region, at),
                message_id=message_id,
                original_message_id="",
                recipients=mail.destinations,
                at=at,
            )
        if self._sink is not None and mail.configuration_set:
            for event in events(mail, message_id=message_id, region=region, at=at):
                self._sink(event)
        return message_id


def _stamped(mail: OutgoingMail, message_id: str, region: str, at: float) -> bytes:
    """Return the message with the fields that SES writes itself, whatever the caller wrote."""
    host = "email.amazonses.com" if region == "us-east-1" else f"{region}.amazonses.com"
    message = raw_message(mail.message, most_bytes=len(mail.message))
    return message.sent(
        message_id=f"<{message_id}@{host}>",
        date=format_datetime(datetime.fromtimestamp(at, UTC)),
    )
