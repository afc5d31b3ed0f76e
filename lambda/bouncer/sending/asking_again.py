"""Asks DynamoDB again where it may answer later: the patience of both ledgers."""

from collections.abc import Callable
from typing import TypeVar

from bouncer.sending.ledger_errors import LedgerError, LedgerRefusedError

T = TypeVar("T")

TRIES = 5
PAUSE_S = 0.2  # as long as another transaction may take that has the same item


def asked_again(ask: Callable[[], T], sleep: Callable[[float], None]) -> T:
    """Ask up to five times; a request that DynamoDB refuses for good is not repeated."""
    for _ in range(TRIES - 1):
        try:
            return ask()
        except LedgerRefusedError:
            raise
        except LedgerError:
            sleep(PAUSE_S)
    return ask()
