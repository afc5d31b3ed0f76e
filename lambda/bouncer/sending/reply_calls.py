"""Calls SendRawEmail for one claimed reply after the other."""

from collections.abc import Callable
from datetime import datetime

from bouncer.jobs.reply import Reply
from bouncer.operator_settings import Settings
from bouncer.sending import reply_gate
from bouncer.sending.paced_calls import PacedCalls
from bouncer.sending.pacer import Pacer
from bouncer.sending.refused_identities import identity
from bouncer.sending.reply_outcomes import ReplyOutcomes
from bouncer.sending.reply_sender import ReplySender


class ReplyCalls(PacedCalls[Reply]):
    """Makes the SendRawEmail calls of one environment."""

    def __init__(
        self,
        *,
        sender: ReplySender,
        pacer: Pacer,
        outcomes: ReplyOutcomes,
        now: Callable[[], datetime],
        ticks: Callable[[], float],
    ) -> None:
        super().__init__(pacer=pacer, close=sender.close, ticks=ticks)
        self._sender = sender
        self._outcomes = outcomes
        self._now = now

    def send(self, mail: Reply) -> str:
        """Send one reply."""
        return self._sender.send(mail)

    def is_expired(self, mail: Reply, settings: Settings) -> bool:  # noqa: ARG002  # of all calls
        """Tell whether the mail that is replied to is too old for that."""
        return reply_gate.is_expired(mail, now=self._now())

    def retried(self, mail: Reply, error: Exception) -> None:
        """Report that SendRawEmail is called again."""
        self._outcomes.reply_retried(mail, error)

    def identity(self, mail: Reply) -> str:
        """Return the identity of the reply's sender."""
        return identity(mail.from_, mail.from_arn)
