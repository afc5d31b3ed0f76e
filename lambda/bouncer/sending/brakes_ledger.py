"""The ledger as the publisher uses it: it reads which rules are braked."""

from bouncer.sending.brakes import BRAKES, braked_rules
from bouncer.sending.ledger_errors import LedgerError
from bouncer.sending.table import Table


class BrakesLedger:
    """The braked rules, as the publisher reads them."""

    def __init__(self, items: Table) -> None:
        self._items = items

    def braked(self) -> frozenset[str]:
        """Return the names of the rules that are braked; raises `LedgerError`."""
        found, left = self._items.read([BRAKES])
        if left:
            raise LedgerError("the ledger did not process the key of the braked rules")
        return braked_rules(found.get(BRAKES, {}))
