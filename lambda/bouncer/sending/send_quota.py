"""The account's sending quota at SES, and the part of it that replies may use.

Replies share the quota with all other mail of the account, which matters more: those of a
deployment take a quarter of the sending rate, and nothing once four fifths of the day's quota are
used, by whomever. Two invocations send replies at a time, and each takes half of that. SES counts
all mail of the last 24 hours, so what other mail uses is left out by itself.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from bouncer.errors import BouncerError
from bouncer.function_limits import REPLIERS

KEPT_S = 300.0  # an answer of GetAccount is used for so long
_ASKED_AGAIN_S = 60.0  # after a failure
_RATE_SHARE = 0.25
_DAY_SHARE = 0.8
_FEWEST = 1.0  # a second: the sending rate of an account in the sandbox


class QuotaUsedError(BouncerError):
    """The replies' part of the day's quota is used, so that replies wait."""


class AccountClient(Protocol):
    """A client of SESv2 that can describe the account: boto3's, or a fake."""

    @property
    def get_account(self) -> Callable[..., Mapping[str, Any]]:
        """Return the account's state and its quota."""


@dataclass(frozen=True, slots=True)
class SendQuota:
    """A quota as SES tells it: mails a second, and the mails of 24 hours; None if without limit."""

    rate: float = _FEWEST
    left_of_day: float | None = None

    @property
    def spacing_s(self) -> float:
        """The seconds between two replies of one invocation."""
        return REPLIERS / (self.rate * _RATE_SHARE)

    @property
    def replies(self) -> int | None:
        """The replies that one invocation may send now; None if no limit is known."""
        return None if self.left_of_day is None else max(int(self.left_of_day / REPLIERS), 0)


def send_quota(account: Mapping[str, Any]) -> SendQuota:
    """Return the quota in an answer of GetAccount; a day without a limit is -1 there."""
    found = account.get("SendQuota") or {}
    most, used = float(found.get("Max24HourSend", -1)), float(found.get("SentLast24Hours", 0))
    return SendQuota(
        rate=max(float(found.get("MaxSendRate", 0)), _FEWEST),
        left_of_day=None if most < 0 else most * _DAY_SHARE - used,
    )


class QuotaBook:
    """The quota of an account as one environment knows it; `ticks` are seconds.

    Until SES has told it, the account counts as one in the sandbox. `failed` is called with an
    error for which it could not be asked; the last answer then stays in use.
    """

    def __init__(
        self,
        client: AccountClient,
        *,
        ticks: Callable[[], float],
        failed: Callable[[Exception], None],
    ) -> None:
        self._client = client
        self._ticks = ticks
        self._failed = failed
        self._asked_again_at = ticks()
        self._quota = SendQuota()
        self._left = self._quota.replies

    def spacing_s(self) -> float:
        """Return the seconds between two replies, from what SES said less than 5 minutes ago."""
        if self._ticks() >= self._asked_again_at:
            self._ask()
        return self._quota.spacing_s

    def take(self) -> None:
        """Count one reply; raises `QuotaUsedError` if nothing is left."""
        if self._left is None:
            return
        if self._left < 1:
            raise QuotaUsedError(
                "four fifths of the account's sending quota of 24 hours are used, so replies wait"
            )
        self._left -= 1

    def _ask(self) -> None:
        try:
            self._quota = send_quota(self._client.get_account())
        except (ClientError, BotoCoreError, ValueError, TypeError) as error:
            self._asked_again_at = self._ticks() + _ASKED_AGAIN_S
            self._failed(error)
        else:
            self._asked_again_at = self._ticks() + KEPT_S
            self._left = self._quota.replies
