"""The ledger as replies use it: the last reply to each sender, and who is suppressed.

A write whose answer was lost is repeated, and then its condition fails if the first one took
effect: what stands in the ledger settles the matter. All methods raise `LedgerError`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeVar

from bouncer.jobs.reply import Reply
from bouncer.sending import lease, reply_tally, suppression
from bouncer.sending.asking_again import asked_again
from bouncer.sending.digest import Salt
from bouncer.sending.ledger_errors import ConditionError, LedgerError
from bouncer.sending.reply_item import LastReply, key_of, last_reply, replace_reply
from bouncer.sending.table import Table
from bouncer.sending.write import Item, Write

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyReading:
    """All that the ledger knows of a reply: the item's key, the last reply, the suppression.

    `sent_today` are the replies that the sender's organisation got today.
    """

    key: str
    last: LastReply
    suppressed: Item
    sent_today: int


class TableFacts(NamedTuple):
    """The table's salt, and the time from which on mail counts for the breaker, as in `Lease`."""

    salt: Salt
    salt_is_new: bool
    counted_from: int


class ReplyLedger:
    """The items of replies in the ledger's table.

    `now` is the time of day, `sleep` waits for seconds, `new_name` returns a name that was never
    used before.
    """

    def __init__(
        self,
        table: Table,
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
        new_name: Callable[[], str],
    ) -> None:
        self._table = table
        self._now = now
        self._sleep = sleep
        self._new_name = new_name

    def facts(self) -> TableFacts:
        """Return what the table has for all replies; a salt is made if it has none."""
        item = self._read([lease.LEASE]).get(lease.LEASE, {})
        made = ""
        if not lease.salt(item).value:
            write = lease.keep_salt(made := self._new_name())
            item = self._repeated(lambda: self._table.write(write))
        salt = lease.salt(item)
        return TableFacts(salt, salt == Salt(made), lease.counted_from(item))

    def read(self, reply: Reply, salt: Salt) -> ReplyReading:
        """Read all that is known of a reply, in one request."""
        key = key_of(reply, salt)
        form = suppression.suppressed_form(reply.sender, reply.recipients)
        suppressed = suppression.suppressed_key(salt.digest(form))
        tally = reply_tally.tally_key(reply, salt, self._now())
        found = self._read([key, suppressed, tally])
        return ReplyReading(
            key=key,
            last=last_reply(found.get(key, {}), reply.rule),
            suppressed=found.get(suppressed, {}),
            sent_today=reply_tally.sent_today(found.get(tally, {})),
        )

    def replace(
        self, key: str, rule: str, before: LastReply, after: LastReply, *notes: Write
    ) -> bool:
        """Replace the last reply of a rule, together with other writes.

        Returns false if it was not `before` any more, and is not `after`.
        """
        writes = [replace_reply(key, rule, before, after, self._now()), *notes]
        try:
            self._repeated(self._together(writes))
        except ConditionError:
            return last_reply(self._read([key]).get(key, {}), rule) == after
        return True

    def _together(self, writes: Sequence[Write]) -> Callable[[], object]:
        if len(writes) == 1:
            return lambda: self._table.write(writes[0])
        token = self._new_name()
        return lambda: self._table.write_together(writes, token=token)

    def _read(self, keys: Sequence[str]) -> dict[str, Item]:
        found, left = self._repeated(lambda: self._table.read(keys))
        if left:
            raise LedgerError(f"the ledger did not process {len(left)} of {len(keys)} keys")
        return found

    def _repeated(self, ask: Callable[[], T]) -> T:
        return asked_again(ask, self._sleep)
