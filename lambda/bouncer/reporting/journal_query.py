"""A question to the journal in the language of CloudWatch Logs Insights, and who answers it.

No emulator evaluates such queries, so whoever needs counts gets them through `JournalQueries`: from
`Insights` in AWS, and from a model over real lines in tests.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from bouncer.errors import BouncerError
from bouncer.reporting.period import Period

MOST_ROWS = 10_000  # of one answer (CloudWatch Logs User Guide, "CloudWatch Logs quotas")

Row = Mapping[str, str]  # a field without a value is missing


class NotKnownError(BouncerError):
    """AWS did not say; the text says what was asked, the answer, and the next step."""


class JournalQuery(NamedTuple):
    """One query; `asks` says for people what its rows count, and `text` is in Insights' language.

    Each row of the answer has the whole number `number`.
    """

    asks: str
    text: str
    number: str


class Answer(NamedTuple):
    """The answer to one query: its rows, or the `gap` for which they are missing.

    If it is not `complete`, there are more rows than these.
    """

    rows: tuple[Row, ...] = ()
    gap: str = ""
    complete: bool = True


class JournalQueries(Protocol):
    """Answers queries over the lines of the functions."""

    def answers(self, queries: Sequence[JournalQuery], period: Period) -> list[Answer]:
        """Return an answer to each query, in their order; an error is a `gap`, and never raised."""


def number_of(row: Row, name: str) -> int:
    """Return a whole number, which Insights may write as `3` or `3.0`; 0 where it is missing."""
    return int(float(row.get(name, "0") or "0"))


def text_of(row: Row, name: str) -> str:
    """Return a text, "" where the line had none or null."""
    found = row.get(name, "")
    return "" if found == "null" else found
