"""SES as its service sees it: SendBounce, by the same rules as the fake SES over HTTP."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from bouncer_sim.fake_ses.arrival_rate import ArrivalRate
from bouncer_sim.fake_ses.bounce_delivery import BounceDelivery
from bouncer_sim.fake_ses.outbox import Outbox
from bouncer_sim.fake_ses.refusal import SesError
from bouncer_sim.fake_ses.ses_account import Account
from bouncer_sim.world.service_error import service_error

_REGION = "us-east-1"


class SesService:
    """An account that can bounce what it received; `now` is the time in seconds.

    Bounces are written to the outbox, if there is one. `accepted` is called with the id of each
    bounce that was accepted, and that of the mail it answers.
    """

    def __init__(
        self, account: Account, *, now: Callable[[], float], outbox: Outbox | None = None
    ) -> None:
        self._delivery = BounceDelivery(account, outbox)
        self._now = now
        self._rate = ArrivalRate(counts_throttled=True)
        self._number = 0
        self.accepted: Callable[[str, str], object] = _nobody_asks

    def arrive(self) -> None:
        """Count one arriving call; raises Throttling if it comes too early."""
        self._number += 1
        if self._rate.is_early(self._now()):
            raise service_error("Throttling", "Maximum sending rate exceeded.")

    def send_bounce(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Send one bounce and return its message id."""
        sending = dict(form(arguments))
        try:
            sent = self._delivery.send(sending, number=self._number, at=self._now(), region=_REGION)
        except SesError as error:
            raise service_error(error.code.value, str(error), status=error.code.status) from error
        self.accepted(sent, arguments["OriginalMessageId"])
        return {"MessageId": sent}


def _nobody_asks(bounce_id: str, message_id: str) -> None:
    """Take no note of a bounce."""


def form(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield parameters as the query protocol spells them."""
    if isinstance(value, Mapping):
        for key, member in value.items():
            yield from form(member, f"{name}.{key}" if name else key)
    elif isinstance(value, list | tuple):
        for number, member in enumerate(value, 1):
            yield from form(member, f"{name}.member.{number}")
    else:
        yield name, value.isoformat() if isinstance(value, datetime) else str(value)
