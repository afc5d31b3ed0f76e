"""The ends of dead replies, as the ledger has them in the items of their senders."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from bouncer.function_limits import LEDGER_KEY_NAME
from bouncer.jobs.reply import Reply
from bouncer.sending import lease
from bouncer.sending.ledger_errors import LedgerError
from bouncer.sending.reply_item import key_of, last_reply
from bouncer.sending.write import Item, text
from bouncer_cli.operations.dead_letter import DeadLetter, LedgerEnd
from bouncer_cli.operations.operated_deployment import OperatedDeployment


class ReplyEnds:
    """The replies in the ledger of one deployment; raises what `OperatedAccount.do` raises."""

    def __init__(self, deployment: OperatedDeployment) -> None:
        self._account = deployment.account
        self._table = deployment.ledger

    def of(self, letters: Iterable[DeadLetter]) -> list[DeadLetter]:
        """Return letters with their ends, as far as no later reply took the place of one."""
        found = list(letters)
        if not found:
            return []
        salt = lease.salt(self._read(lease.LEASE))
        return [
            replace(each, end=self._end(each, self._read(key_of(each.job, salt))))
            if isinstance(each.job, Reply)
            else each
            for each in found
        ]

    def _end(self, letter: DeadLetter, item: Item) -> LedgerEnd | None:
        if not isinstance(letter.job, Reply):
            return None
        try:
            last = last_reply(item, letter.job.rule)
        except LedgerError:
            return None
        if last.record not in letter.origins:
            return None
        return LedgerEnd(state=str(last.state or ""), outcome=last.outcome, reason=last.reason)

    def _read(self, key: str) -> Item:
        asked = {"Keys": [{LEDGER_KEY_NAME: text(key)}], "ConsistentRead": True}
        answer = self._account.do("dynamodb", "batch_get_item", RequestItems={self._table: asked})
        items: list[dict[str, Any]] = answer.get("Responses", {}).get(self._table, [])
        return items[0] if items else {}
