"""The receiver of everything that the replier reports about replies: its journal."""

from typing import Protocol

from bouncer.jobs.reply import Reply
from bouncer.sending.ending import Ending


class ReplyOutcomes(Protocol):
    """The reports about replies; every ending is reported at least once."""

    def reply_ended(
        self,
        ending: Ending,
        reply: Reply | None,
        *,
        record: str,
        wait_s: float = 0.0,
        again: bool = False,
    ) -> None:
        """Report the end of a reply: sent, withheld or failed.

        `record` is the id of the queue message; `reply` is missing if that was not read as one.
        `wait_s` is the time since the mail was received. With `again` the ledger had that end
        before.
        """

    def reply_retried(self, reply: Reply, error: Exception) -> None:
        """Report that a call is made again."""

    def replier_failed(
        self, stage: str, error: Exception, reference: str | None = None, *, answer: str = ""
    ) -> None:
        """Report an error of ours; `answer` is the end that could not be noted."""
