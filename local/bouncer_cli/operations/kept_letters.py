"""Dead jobs that the dead-letter queue has refused so far, as the ledger keeps them.

The item of the lease names them, so that two reads find all of them.
"""

from typing import Any

from bouncer.function_limits import LEDGER_KEY_NAME
from bouncer.sending import lease
from bouncer.sending.job_item import job_key
from bouncer.sending.lease import LEASE
from bouncer.sending.write import text, text_of
from bouncer_cli.operations.dead_letter import DeadLetter, kept_letter
from bouncer_cli.operations.operated_deployment import OperatedDeployment

_MOST_KEYS = 100  # of one BatchGetItem


class KeptLetters:
    """The kept letters of one deployment; methods raise what `OperatedAccount.do` raises."""

    def __init__(self, deployment: OperatedDeployment) -> None:
        self._account = deployment.account
        self._table = deployment.ledger

    def letters(self) -> list[DeadLetter]:
        """Return the letters that wait in the ledger."""
        ids = [name for item in self._read([LEASE]) for name in lease.kept(item)]
        found = []
        for start in range(0, len(ids), _MOST_KEYS):
            keys = map(job_key, ids[start : start + _MOST_KEYS])
            items = [item for item in self._read(list(keys)) if text_of(item, "body")]
            found += [kept_letter(_record_id(item), text_of(item, "body")) for item in items]
        return found

    def forget(self, letter: DeadLetter) -> None:
        """Have the ledger keep a letter no longer."""
        write = lease.forget(letter.id)
        self._account.do("dynamodb", "update_item", **write.parameters(self._table))

    def _read(self, keys: list[str]) -> list[dict[str, Any]]:
        asked = {"Keys": [{LEDGER_KEY_NAME: text(key)} for key in keys]}
        answer = self._account.do("dynamodb", "batch_get_item", RequestItems={self._table: asked})
        items: list[dict[str, Any]] = answer.get("Responses", {}).get(self._table, [])
        return items


def _record_id(item: dict[str, Any]) -> str:
    return text_of(item, LEDGER_KEY_NAME).removeprefix(job_key(""))
