"""Calls SES for one claimed job after the other, in the pacer's slots, and says what came of it."""

from collections.abc import Callable
from datetime import datetime

from bouncer.errors import BouncerError
from bouncer.jobs.job import Job
from bouncer.reasons import Reason
from bouncer.sending import gate
from bouncer.sending.ending import Ending, Failure, failed, sent, withheld
from bouncer.sending.outcomes import Outcomes
from bouncer.sending.pacer import OutOfTimeError, Pacer
from bouncer.sending.refused_identities import RefusedIdentities
from bouncer.sending.ses import Sender
from bouncer.sending.ses_errors import DeadLetterError, RefusedError, Scope
from bouncer.sending.terms import Terms

_CLAIM_AHEAD_S = 0.15  # a claim is made just before its slot, so that few wait for an answer

# A connection idle for longer may be dead, above all after a freeze of the function; a call on a
# dead one has an unknown outcome.
_KEPT_S = 5.0


class _ExpiredError(BouncerError):
    """The time in which SES takes the bounce is over."""


class BounceCalls:
    """Makes the calls of one environment, and remembers the identities that SES refused."""

    def __init__(
        self,
        *,
        sender: Sender,
        pacer: Pacer,
        outcomes: Outcomes,
        now: Callable[[], datetime],
        ticks: Callable[[], float],
    ) -> None:
        self._sender = sender
        self._pacer = pacer
        self._outcomes = outcomes
        self._now = now
        self._ticks = ticks
        self._refused = RefusedIdentities()
        self._called_at = ticks()

    def refusal(self, job: Job) -> Exception | None:
        """Return SES's recent refusal of the sender of this bounce, or None."""
        return self._refused.refusal(job, at=self._ticks())

    def approach(self, *, until: float) -> None:
        """Wait until it is time to claim a job; raises `OutOfTimeError`."""
        self._pacer.approach(until=until, ahead_s=_CLAIM_AHEAD_S)

    def make(self, job: Job, terms: Terms) -> Ending:
        """Call SES, and return the end that its answer means; raises `OutOfTimeError`."""

        def check() -> None:
            if gate.is_expired(job, now=self._now(), settings=terms.settings):
                raise _ExpiredError("the job expired while it waited")

        try:
            bounce_id = self._pacer.call(
                lambda: self._call(job),
                until=terms.until,
                retried=lambda error: self._outcomes.retried(job, error),
                check=check,
            )
        except DeadLetterError as error:
            return self._refusal(job, error)
        except RefusedError as error:
            return failed(Failure.REFUSED, error)
        except OutOfTimeError:
            raise
        except _ExpiredError:
            return withheld(Reason.EXPIRED)
        except Exception as error:  # noqa: BLE001  # SES may have accepted the bounce
            return failed(Failure.UNKNOWN, error)
        return sent(bounce_id)

    def _call(self, job: Job) -> str:
        if self._ticks() - self._called_at > _KEPT_S:
            self._sender.close()
            self._pacer.disconnected()
        try:
            return self._sender.send(job)
        finally:
            self._called_at = self._ticks()

    def _refusal(self, job: Job, error: DeadLetterError) -> Ending:
        if error.scope is not Scope.IDENTITY:
            return failed(Failure.REFUSED, error, dead=True)
        self._refused.note(job, error, at=self._ticks())
        return failed(Failure.FORBIDDEN, error, dead=True)
