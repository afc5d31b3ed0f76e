"""Sends one bounce as SES does with a SendBounce call that was neither early nor disturbed.

The fake SES over HTTP and the simulated one share these checks and what they write.
"""

from collections.abc import Mapping

from bouncer_sim.fake_ses import dsn
from bouncer_sim.fake_ses import send_bounce_request as bounce
from bouncer_sim.fake_ses.outbox import Outbox, bounce_id
from bouncer_sim.fake_ses.refusal import ErrorCode, SesError
from bouncer_sim.fake_ses.ses_account import Account


class BounceDelivery:
    """Delivers the bounces of one account to an outbox; without an outbox it writes none."""

    def __init__(self, account: Account, outbox: Outbox | None) -> None:
        self._account = account
        self._outbox = outbox

    def send(self, form: Mapping[str, str], *, number: int, at: float, region: str) -> str:
        """Check and send the bounce of call `number` (from 1), which arrived `at` epoch seconds.

        `form` has the parameters as the wire carries them. Returns the bounce's message id; raises
        `SesError`, which is `InternalFailure` for any failure of the fake's own.
        """
        try:
            return self._send(form, number, at, region)
        except SesError:
            raise
        except Exception as error:  # a server's edge: SES too would answer this way
            text = f"The fake SES failed: {error!a}"
            raise SesError(ErrorCode.INTERNAL_FAILURE, text) from error

    def _send(self, form: Mapping[str, str], number: int, at: float, region: str) -> str:
        request = bounce.parse(form)
        original = self._account.admit(request, at=at, region=region)
        message_id = bounce_id(original.message_id, number, at)
        if self._outbox is not None:
            self._outbox.put(
                dsn.write(request, original, bounce_id=message_id, region=region, at=at),
                message_id=message_id,
                original_message_id=original.message_id,
                recipients=tuple(bounced.recipient for bounced in request.recipients),
                at=at,
            )
        return message_id
