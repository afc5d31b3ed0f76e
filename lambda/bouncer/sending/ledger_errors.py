"""The errors of the ledger, each with its consequence: nothing may be sent without the ledger."""

from bouncer.errors import BouncerError
from bouncer.sending.write import Item


class LedgerError(BouncerError):
    """The ledger could not be read or written, or it is not known whether it was."""


class LedgerRefusedError(LedgerError):
    """DynamoDB refused the request itself, so that repeating it changes nothing."""


class ConditionError(BouncerError):
    """The condition of a write did not hold; `item` is the item as it is, where that is known."""

    def __init__(self, item: Item | None = None) -> None:
        self.item: Item = item or {}
        super().__init__("the item was changed by somebody else")
