"""Calls SendBounce for one claimed job after the other."""

from collections.abc import Callable
from datetime import datetime

from bouncer.jobs.job import Job
from bouncer.operator_settings import Settings
from bouncer.sending import gate
from bouncer.sending.outcomes import Outcomes
from bouncer.sending.paced_calls import PacedCalls
from bouncer.sending.pacer import Pacer
from bouncer.sending.refused_identities import identity
from bouncer.sending.ses import Sender


class BounceCalls(PacedCalls[Job]):
    """Makes the SendBounce calls of one environment."""

    def __init__(
        self,
        *,
        sender: Sender,
        pacer: Pacer,
        outcomes: Outcomes,
        now: Callable[[], datetime],
        ticks: Callable[[], float],
    ) -> None:
        super().__init__(pacer=pacer, close=sender.close, ticks=ticks)
        self._sender = sender
        self._outcomes = outcomes
        self._now = now

    def send(self, mail: Job) -> str:
        """Send one bounce."""
        return self._sender.send(mail)

    def is_expired(self, mail: Job, settings: Settings) -> bool:
        """Tell whether SES would refuse the bounce for its age."""
        return gate.is_expired(mail, now=self._now(), settings=settings)

    def retried(self, mail: Job, error: Exception) -> None:
        """Report that SendBounce is called again."""
        self._outcomes.retried(mail, error)

    def identity(self, mail: Job) -> str:
        """Return the identity of the bounce's sender."""
        return identity(mail.bounce_sender, mail.bounce_sender_arn)
