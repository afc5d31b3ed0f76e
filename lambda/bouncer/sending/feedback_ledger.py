"""The ledger as events of our bounces use it: whose bounce one is about, and what follows from it.

An event whose request failed comes again, and then finds what was written. A write is made once
more before: if its answer alone was lost, the event would be reported as a repeated one for ever.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bouncer.sending import day_tally, lease, suppression
from bouncer.sending.bounce_event import BounceEvent
from bouncer.sending.day_tally import Day
from bouncer.sending.ledger_errors import ConditionError, LedgerError, LedgerRefusedError
from bouncer.sending.table import Table
from bouncer.sending.write import Item, Write, number_of, text_of


class Known(StrEnum):
    """The knowledge of the ledger about the mail of an event."""

    UNKNOWN = "unknown"  # no bounce of ours has this id, or not yet
    OURS = "ours"
    REPEATED = "repeated"  # an event about it was settled before


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The result of an event, and the day's bounces if the breaker has to look at them."""

    known: Known
    day: Day | None = None


class FeedbackLedger:
    """The items of bounces, of suppressed senders, and of a day; methods raise `LedgerError`."""

    def __init__(
        self, table: Table, *, now: Callable[[], datetime], new_name: Callable[[], str]
    ) -> None:
        self._table = table
        self._now = now
        self._new_name = new_name

    def settle(self, event: BounceEvent) -> Settled:
        """Suppress the sender of the bounce that an event is about, once for each bounce.

        All writes are one transaction, so that an event which comes again after the sender was
        forgotten changes nothing. A transient bounce suppresses nobody, and is not noted.
        """
        key = suppression.bounce_key(event.mail_id)
        bounce = self._read([key]).get(key, {})
        if "sender" not in bounce:
            return Settled(known=Known.UNKNOWN)
        if not event.kind.suppresses:
            return Settled(known=Known.REPEATED if "became" in bounce else Known.OURS)
        day = self._day(bounce)
        if "became" in bounce:
            return Settled(known=Known.REPEATED, day=day)
        counted = day and day_tally.with_double(day, event.mail_id, text_of(bounce, "organisation"))
        writes = self._writes(event, bounce, day, counted)
        try:
            self._write_together(writes)
        except ConditionError:  # another invocation was faster
            return Settled(known=Known.REPEATED, day=day)
        return Settled(known=Known.OURS, day=counted)

    def count_anew(self, known: Day, counted_from: int) -> None:
        """Count all bounces anew from a later time on, unless that was done already."""
        with suppress(ConditionError):
            self._table.write(day_tally.count_anew(known, counted_from))

    def _writes(
        self, event: BounceEvent, bounce: Item, day: Day | None, counted: Day | None
    ) -> list[Write]:
        now = self._now()
        writes = [
            suppression.settle_bounce(event.mail_id, event.kind, now),
            suppression.suppress(text_of(bounce, "sender"), event.kind, now),
        ]
        if day and counted:
            writes += day_tally.count_double(day, counted, number_of(bounce, "hour"), now)
        return writes

    def _day(self, bounce: Item) -> Day | None:
        """Return the day in which a bounce counts; None if the breaker has tripped since then."""
        if "counted_from" not in bounce:
            return None
        counted_from = number_of(bounce, "counted_from")
        items = self._read([lease.LEASE, *day_tally.keys(counted_from, self._now())])
        if lease.counted_from(items.pop(lease.LEASE, {})) != counted_from:
            return None
        return day_tally.day(counted_from, items)

    def _write_together(self, writes: Sequence[Write]) -> None:
        """Make all writes or none; a write without an answer is made again as the same request."""
        token = self._new_name()
        try:
            self._table.write_together(writes, token=token)
        except LedgerRefusedError:
            raise
        except LedgerError:
            self._table.write_together(writes, token=token)

    def _read(self, keys: Sequence[str]) -> dict[str, Item]:
        found, left = self._table.read(keys)
        if left:
            raise LedgerError(f"the ledger did not process {len(left)} of {len(keys)} keys")
        return found
