"""SES as replies use it: SendRawEmail and GetAccount, by the rules of the fake SES over HTTP."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

from bouncer_sim.fake_ses import classic_mail, v2_answer
from bouncer_sim.fake_ses.mail_delivery import MailDelivery
from bouncer_sim.fake_ses.outbox import Outbox
from bouncer_sim.fake_ses.refusal import SesError
from bouncer_sim.fake_ses.sending_limits import SendingLimits
from bouncer_sim.fake_ses.ses_account import Account
from bouncer_sim.world.service_error import service_error
from bouncer_sim.world.ses_service import form

_REGION = "us-east-1"


class MailService:
    """An account that can send mail; `now` is the time in seconds.

    Mails are written to the outbox, if there is one.
    """

    def __init__(
        self, account: Account, *, now: Callable[[], float], outbox: Outbox | None = None
    ) -> None:
        self.limits = SendingLimits()
        self._delivery = MailDelivery(account, outbox, self.limits)
        self._now = now
        self._number = 0

    def send_raw_email(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Send one mail and return its message id."""
        self._number += 1
        data = b64encode(arguments["RawMessage"]["Data"]).decode("ascii")
        call = {**arguments, "RawMessage": {"Data": data}, "Action": "SendRawEmail"}
        sending = dict(form(call))
        try:
            sent = self._delivery.send(
                lambda: classic_mail.parse(sending),
                number=self._number,
                at=self._now(),
                region=_REGION,
            )
        except SesError as error:
            raise service_error(error.code.value, str(error), status=error.code.status) from error
        return {"MessageId": sent}

    def get_account(self, _: Mapping[str, Any]) -> dict[str, Any]:
        """Return the account's quota."""
        return v2_answer.account_members(self.limits, at=self._now(), enabled=True)
