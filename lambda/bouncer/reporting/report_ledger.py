"""The ledger's items by which a report is sent once for each day, however often it is asked for.

The item of a day is written before SES is called. It is freed if SES surely did not take the mail;
if nobody knows that, it stays, and the report of that day is not sent again.
"""

from collections.abc import Callable
from datetime import datetime

from bouncer.function_limits import REPORT_DAYS
from bouncer.sending.ledger_errors import ConditionError, LedgerError, LedgerRefusedError
from bouncer.sending.table import Table
from bouncer.sending.write import SET_EXPIRES, Write, expires, text, text_of

BEGUN = "begun"  # SES was to be called: it may have the mail or not
SENT = "sent"
_FREE = "free"


class ReportLedger:
    """The item of one report: its day, such as 2026-11-28; `name` is this attempt's own.

    A report that an operator asked for has the id of the request as well: `2026-11-28#ID`.

    Methods raise `LedgerError`.
    """

    def __init__(self, table: Table, once: str, *, name: str, now: Callable[[], datetime]) -> None:
        self._table = table
        self._key = f"{REPORT_DAYS}{once}"
        self._name = name
        self._now = now

    def begin(self) -> str:
        """Begin the report of the day; return "" or, if another attempt did, the state it left.

        A write whose answer was lost is made once more, and finds itself by its name.
        """
        try:
            return self._begin()
        except LedgerRefusedError:
            raise
        except LedgerError:
            return self._begin()

    def _begin(self) -> str:
        begin = Write(
            key=self._key,
            update=f"SET #state = :begun, #by = :by, {SET_EXPIRES}",
            condition="attribute_not_exists(#state) OR #state = :free OR #by = :by",
            values={
                ":begun": text(BEGUN),
                ":free": text(_FREE),
                ":by": text(self._name),
                **expires(self._now()),
            },
        )
        try:
            self._table.write(begin)
        except ConditionError as error:
            return text_of(error.item or {}, "state") or BEGUN
        return ""

    def free(self) -> None:
        """Note that the report was surely not sent, so that another attempt may send it."""
        self._end(_FREE)

    def sent(self) -> None:
        """Note that the report was sent."""
        self._end(SENT)

    def _end(self, state: str) -> None:
        self._table.write(
            Write(
                key=self._key,
                update="SET #state = :state",
                condition="#by = :by",
                values={":state": text(state), ":by": text(self._name)},
            )
        )
