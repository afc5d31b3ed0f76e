"""The journal of the replier: a line for the end of each reply, and what holds replies up."""

from typing import Any

from bouncer.jobs.reply import Reply
from bouncer.journal import Journal, described
from bouncer.metric_document import Counts
from bouncer.metric_names import Metric, withheld_for
from bouncer.sending.ending import Ending, Failure, Outcome

_EVENTS = {
    Outcome.SENT: "replied",
    Outcome.WITHHELD: "reply_withheld",
    Outcome.FAILED: "reply_failed",
}


class ReplierJournal(Journal):
    """Writes the journal of the replier."""

    def reply_ended(
        self,
        ending: Ending,
        reply: Reply | None,
        *,
        record: str,
        wait_s: float = 0.0,
        again: bool = False,
    ) -> None:
        """Report the end of the queue message `record`: replied, reply_withheld or reply_failed.

        `reply` is missing if it was not read as one. `wait_s` seconds have gone since the mail
        came. With `again` the ledger had that end before.
        """
        fields: dict[str, Any] = {"record": record}
        if reply is not None:
            fields |= {
                "reference": reply.reference,
                "message_id": reply.message_id,
                "sender": self._addresses.address(reply.sender),
                "recipients": [*map(self._addresses.address, reply.recipients)],
                "rules": [reply.rule],
            }
        said = {"reason": ending.reason, "reply_id": ending.bounce_id}
        fields |= {name: value for name, value in said.items() if value}
        fields |= described(ending.error) if ending.error else {}
        if again:
            fields["again"] = True
        metrics = {Metric.REPEATED: 1} if again else _counted(ending, wait_s)
        level = "error" if ending.outcome is Outcome.FAILED else "info"
        self._write(_EVENTS[ending.outcome], fields, metrics, level=level)

    def reply_retried(self, reply: Reply, error: Exception) -> None:
        """Report a call that SES did not accept; it will be made again."""
        fields = {"reference": reply.reference, **described(error)}
        self._write("retried", fields, {Metric.RETRIED: 1}, level="warning")

    def replier_failed(
        self, stage: str, error: Exception, reference: str | None = None, *, answer: str = ""
    ) -> None:
        """Report an error of ours; `answer` is the end that could not be noted in the ledger."""
        fields: dict[str, Any] = {"stage": stage, "reference": reference, **described(error)}
        if answer:
            fields["answer"] = answer
        self._write("replier_failed", fields, {Metric.REPLIER_ERRORS: 1}, level="error")

    def quota_unread(self, error: Exception) -> None:
        """Report that SES did not tell the account's quota; what is known of it stays in use."""
        self.replier_failed("quota", error)


def _counted(ending: Ending, wait_s: float) -> Counts:
    if ending.outcome is Outcome.SENT:
        return {Metric.REPLIED: 1, Metric.WAIT_TIME: round(wait_s * 1000)}
    if ending.outcome is Outcome.WITHHELD:
        return {Metric.REPLIES_WITHHELD: 1, withheld_for(ending.reason): 1}
    unknown = {Metric.REPLIES_FAILED_UNKNOWN: 1} if ending.reason == Failure.UNKNOWN else {}
    return {Metric.REPLIES_FAILED: 1, **unknown}
