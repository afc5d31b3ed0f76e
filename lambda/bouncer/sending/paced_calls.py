"""Calls SES for one claimed mail after the other, in the pacer's slots, and says what came of it.

What is sent, a bounce or a reply, is a subclass's to say.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

from bouncer.errors import BouncerError
from bouncer.operator_settings import Settings
from bouncer.reasons import Reason
from bouncer.sending.ending import Ending, Failure, failed, sent, withheld
from bouncer.sending.pacer import OutOfTimeError, Pacer
from bouncer.sending.refused_identities import RefusedIdentities
from bouncer.sending.ses_errors import DeadLetterError, RefusedError, Scope

Mail = TypeVar("Mail")

_CLAIM_AHEAD_S = 0.15  # a claim is made just before its slot, so that few wait for an answer

# A connection idle for longer may be dead, above all after a freeze of the function; a call on a
# dead one has an unknown outcome.
_KEPT_S = 5.0


class _ExpiredError(BouncerError):
    """The time in which the mail may be sent is over."""


class PacedCalls(ABC, Generic[Mail]):
    """Makes the calls of one environment, and remembers the identities that SES refused."""

    def __init__(
        self, *, pacer: Pacer, close: Callable[[], None], ticks: Callable[[], float]
    ) -> None:
        self._pacer = pacer
        self._close = close
        self._ticks = ticks
        self._refused = RefusedIdentities()
        self._called_at = ticks()

    @abstractmethod
    def send(self, mail: Mail) -> str:
        """Ask SES to send, and return its message id; raises errors of `ses_errors`."""

    @abstractmethod
    def is_expired(self, mail: Mail, settings: Settings) -> bool:
        """Tell whether the mail is too old to be sent now."""

    @abstractmethod
    def retried(self, mail: Mail, error: Exception) -> None:
        """Report that a call is made again."""

    @abstractmethod
    def identity(self, mail: Mail) -> str:
        """Return the identity that the mail is sent as."""

    def refusal(self, mail: Mail) -> Exception | None:
        """Return SES's recent refusal of the sender of this mail, or None."""
        return self._refused.refusal(self.identity(mail), at=self._ticks())

    def approach(self, *, until: float) -> None:
        """Wait until it is time to claim a mail; raises `OutOfTimeError`."""
        self._pacer.approach(until=until, ahead_s=_CLAIM_AHEAD_S)

    def make(self, mail: Mail, settings: Settings, *, until: float) -> Ending:
        """Call SES, and return the end that its answer means; raises `OutOfTimeError`."""

        def check() -> None:
            if self.is_expired(mail, settings):
                raise _ExpiredError("the mail expired while it waited")

        try:
            sent_id = self._pacer.call(
                lambda: self._call(mail),
                until=until,
                retried=lambda error: self.retried(mail, error),
                check=check,
            )
        except DeadLetterError as error:
            return self._refusal(mail, error)
        except RefusedError as error:
            return failed(Failure.REFUSED, error)
        except OutOfTimeError:
            raise
        except _ExpiredError:
            return withheld(Reason.EXPIRED)
        except Exception as error:  # noqa: BLE001  # SES may have accepted the mail
            return failed(Failure.UNKNOWN, error)
        return sent(sent_id)

    def _call(self, mail: Mail) -> str:
        if self._ticks() - self._called_at > _KEPT_S:
            self._close()
            self._pacer.disconnected()
        try:
            return self.send(mail)
        finally:
            self._called_at = self._ticks()

    def _refusal(self, mail: Mail, error: DeadLetterError) -> Ending:
        if error.scope is not Scope.IDENTITY:
            return failed(Failure.REFUSED, error, dead=True)
        self._refused.note(self.identity(mail), error, at=self._ticks())
        return failed(Failure.FORBIDDEN, error, dead=True)
