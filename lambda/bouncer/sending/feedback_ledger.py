"""The ledger as events of our bounces use it: whose bounce one is about, and what follows from it.

It asks once: an event whose request failed, or whose answer was lost, comes again, and then finds
what was written.
"""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

from bouncer.sending import suppression
from bouncer.sending.bounce_event import BounceEvent
from bouncer.sending.ledger_errors import ConditionError, LedgerError
from bouncer.sending.table import Table
from bouncer.sending.write import text_of


class Known(StrEnum):
    """The knowledge of the ledger about the mail of an event."""

    UNKNOWN = "unknown"  # no bounce of ours has this id, or not yet
    OURS = "ours"
    REPEATED = "repeated"  # an event about it was settled before


class FeedbackLedger:
    """The items of bounces and of suppressed senders; all methods raise `LedgerError`."""

    def __init__(
        self, table: Table, *, now: Callable[[], datetime], new_name: Callable[[], str]
    ) -> None:
        self._table = table
        self._now = now
        self._new_name = new_name

    def settle(self, event: BounceEvent) -> Known:
        """Suppress the sender of the bounce that an event is about, once for each bounce.

        Both writes are one transaction, so that an event which comes again after the sender was
        forgotten changes nothing. A transient bounce suppresses nobody, and is not noted.
        """
        key = suppression.bounce_key(event.mail_id)
        found, left = self._table.read([key])
        if left:
            raise LedgerError("the ledger did not process the key of a bounce")
        sender = text_of(found.get(key, {}), "sender")
        if not sender:
            return Known.UNKNOWN
        if "became" in found[key]:
            return Known.REPEATED
        if not event.kind.suppresses:
            return Known.OURS
        now = self._now()
        writes = (
            suppression.settle_bounce(event.mail_id, event.kind, now),
            suppression.suppress(sender, event.kind, now),
        )
        try:
            self._table.write_together(writes, token=self._new_name())
        except ConditionError:  # another invocation was faster
            return Known.REPEATED
        return Known.OURS
