"""Asks CloudWatch Logs Insights: all queries at once, then their answers until the time is up.

An account may run 30 queries at once, and an answer takes seconds to minutes (CloudWatch Logs User
Guide, "CloudWatch Logs quotas"). A query that takes too long is stopped: it costs by the bytes it
has read. Every failure is a gap of the answer concerned, so that a report lacks no more than that.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

from bouncer.reporting.aws_question import asking
from bouncer.reporting.journal_query import (
    MOST_ROWS,
    Answer,
    JournalQuery,
    NotKnownError,
    Row,
)
from bouncer.reporting.period import Period

_MOST_GROUPS = 50  # of one query (CloudWatch Logs API reference, StartQuery)
_PAUSE_S = 1.0
_RUNNING = ("Scheduled", "Running", "Unknown")


class LogsClient(Protocol):
    """A client of CloudWatch Logs, as boto3 has it."""

    @property
    def start_query(self) -> Callable[..., Mapping[str, Any]]:
        """Start a query."""

    @property
    def get_query_results(self) -> Callable[..., Mapping[str, Any]]:
        """Return the state of a query and its rows so far."""

    @property
    def stop_query(self) -> Callable[..., Mapping[str, Any]]:
        """Stop a query."""


class Insights:
    """`JournalQueries` over log groups; `ticks` is a monotonic clock, `patience_s` for all."""

    def __init__(
        self,
        client: LogsClient,
        groups: Sequence[str],
        *,
        ticks: Callable[[], float],
        sleep: Callable[[float], None],
        patience_s: float,
    ) -> None:
        self._client = client
        self._groups = list(groups)[:_MOST_GROUPS]
        self._ticks = ticks
        self._sleep = sleep
        self._patience_s = patience_s

    def answers(self, queries: Sequence[JournalQuery], period: Period) -> list[Answer]:
        """Return an answer to each query, in their order."""
        until = self._ticks() + self._patience_s
        started = [self._start(query, period) for query in queries]
        return [self._end(each, until) if isinstance(each, str) else each for each in started]

    def _start(self, query: JournalQuery, period: Period) -> str | Answer:
        """Return the id of a started query, or the answer that there will be none."""
        if not self._groups:
            return Answer(gap="found no log group of the functions, expected those of the stack")
        try:
            with asking("logs:StartQuery"):
                answer = self._client.start_query(
                    logGroupNames=self._groups,
                    startTime=int(period.start.timestamp()),
                    endTime=int(period.end.timestamp()),
                    queryString=query.text.strip(),
                    limit=MOST_ROWS,
                )
        except NotKnownError as error:
            return Answer(gap=str(error))
        return str(answer.get("queryId", ""))

    def _end(self, query_id: str, until: float) -> Answer:
        """Wait for an answer; one that does not come in time is given up."""
        try:
            while True:
                with asking("logs:GetQueryResults"):
                    found = self._client.get_query_results(queryId=query_id)
                if found.get("status") not in _RUNNING:
                    return _answer(found)
                if self._ticks() >= until:
                    break
                self._sleep(_PAUSE_S)
        except NotKnownError as error:
            return Answer(gap=str(error))
        self._stop(query_id)
        return Answer(
            gap=f"CloudWatch Logs had no answer within {self._patience_s:.0f} seconds: "
            "run bouncer report later"
        )

    def _stop(self, query_id: str) -> None:
        """Stop a query; if that fails it ends by itself."""
        with suppress(NotKnownError), asking("logs:StopQuery"):
            self._client.stop_query(queryId=query_id)


def _answer(found: Mapping[str, Any]) -> Answer:
    if found.get("status") != "Complete":
        return Answer(gap=f"the query ended as {found.get('status')}: run bouncer report later")
    rows = tuple(map(_row, found.get("results", [])))
    return Answer(rows, complete=len(rows) < MOST_ROWS)


def _row(fields: Sequence[Mapping[str, str]]) -> Row:
    return {each.get("field", ""): each.get("value", "") for each in fields}
