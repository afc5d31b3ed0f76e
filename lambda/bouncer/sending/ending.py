"""The end of a job: sent, withheld or failed, with the reason and what becomes of the message."""

from enum import StrEnum
from typing import NamedTuple

from bouncer.errors import BouncerError
from bouncer.reasons import Reason


class Outcome(StrEnum):
    """The three ends of a job, as the journal and the ledger name them."""

    SENT = "sent"
    WITHHELD = "withheld"
    FAILED = "failed"


class Failure(StrEnum):
    """The cause for which a job failed, as the journal and the ledger name it."""

    UNREADABLE = "unreadable"  # the queue message is not a job
    POISON = "poison"  # three workers died on it within six deliveries
    REFUSED = "refused"  # SES refused this bounce
    FORBIDDEN = "forbidden"  # SES refuses all bounces of this sender
    UNKNOWN = "unknown"  # SES may have accepted the bounce or not
    DEFECT = "defect"  # an error of this program, before SES was called


class PoisonError(BouncerError):
    """Three workers died, within six deliveries, after they had started with this queue message."""


class Ending(NamedTuple):
    """One end of a job.

    `reason` is a word of `Reason` (withheld) or `Failure` (failed), and empty if it was sent. A
    `dead` job also goes to the dead-letter queue. `error` is for the journal alone: an ending that
    was read from the ledger has None. `cap` names the cap of a job that is withheld as capped, or
    the rule and the limit of one that is withheld as braked. `trips` are the rules that it brakes.
    """

    outcome: Outcome
    reason: str = ""
    dead: bool = False
    bounce_id: str = ""
    cap: str = ""
    trips: frozenset[str] = frozenset()
    error: Exception | None = None

    @property
    def frees(self) -> bool:
        """True if a later job for the same recipients may be sent: none was bounced."""
        return self.dead or self.outcome is Outcome.WITHHELD

    @property
    def said(self) -> str:
        """The end in a few words, for a line about an ending that could not be written."""
        return " ".join(filter(None, (self.outcome, self.reason, self.bounce_id)))


def sent(bounce_id: str) -> Ending:
    """Return the end of a job whose bounce SES accepted."""
    return Ending(outcome=Outcome.SENT, bounce_id=bounce_id)


def withheld(reason: Reason, *, cap: str = "", trips: frozenset[str] = frozenset()) -> Ending:
    """Return the end of a job that the gate withheld, with the cap if it is capped."""
    return Ending(outcome=Outcome.WITHHELD, reason=reason, cap=cap, trips=trips)


def failed(reason: Failure, error: Exception, *, dead: bool = False) -> Ending:
    """Return the end of a job that is not sent because of an error."""
    return Ending(outcome=Outcome.FAILED, reason=reason, error=error, dead=dead)
