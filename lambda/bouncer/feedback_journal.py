"""The journal of the feedback function: a line for each event, without any address.

A line has SES's id of our bounce, which the worker's line `sent` has, too.
"""

from typing import IO

from bouncer.journal import Journal, described
from bouncer.journal_address import AddressForm, Form
from bouncer.journal_entry import Write
from bouncer.metric_names import Metric
from bouncer.sending.bounce_event import BounceEvent, Kind

_KINDS = {
    Kind.PERMANENT: Metric.DOUBLE_BOUNCES,
    Kind.TRANSIENT: Metric.TRANSIENT_BOUNCES,
    Kind.COMPLAINT: Metric.COMPLAINTS,
}


class FeedbackJournal(Journal):
    """Writes the journal of the feedback function; all that it quotes is masked."""

    def __init__(
        self,
        service: str,
        deployment: str,
        *,
        stream: IO[str] | None = None,
        write: Write | None = None,
    ) -> None:
        super().__init__(service, deployment, stream=stream, write=write)
        self._addresses = AddressForm(form=Form.MASKED)  # an error may quote an event

    def bounced(self, event: BounceEvent) -> None:
        """Report that a bounce of ours bounced, or that its receiver complained of it."""
        level = "warning" if event.kind.suppresses else "info"
        self._write("bounce_bounced", _named(event), {_KINDS[event.kind]: 1}, level=level)

    def repeated(self, event: BounceEvent) -> None:
        """Report an event about a bounce of which an earlier one told."""
        self._write("event_repeated", _named(event), {Metric.REPEATED: 1})

    def waits(self, event: BounceEvent) -> None:
        """Report an event from a bounce sender of ours whose bounce is not in the ledger yet."""
        self._write("event_waits", _named(event), {Metric.WAITING_EVENTS: 1})

    def ignored(self, event: BounceEvent) -> None:
        """Report an event about a mail that is not a bounce of ours."""
        self._write("event_ignored", _named(event), {Metric.IGNORED_EVENTS: 1})

    def tripped(self, cause: str) -> None:
        """Report that the breaker holds sending, and how to end that."""
        problem = f"sending is held: {cause}; bouncer resume ends it"
        self._write(
            "breaker_tripped", {"problem": problem}, {Metric.BREAKER_TRIPS: 1}, level="error"
        )

    def unreadable(self, error: Exception) -> None:
        """Report a message of the queue that is not an event."""
        count = {Metric.UNREADABLE_EVENTS: 1}
        self._write("unreadable_event", described(error), count, level="warning")

    def feedback_failed(self, stage: str, error: Exception) -> None:
        """Report an error of ours: the event comes again."""
        fields = {"stage": stage, **described(error)}
        self._write("feedback_failed", fields, {Metric.FEEDBACK_ERRORS: 1}, level="error")


def _named(event: BounceEvent) -> dict[str, str]:
    return {"bounce_id": event.mail_id, "kind": event.kind}
