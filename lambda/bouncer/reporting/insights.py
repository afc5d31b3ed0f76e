"""Asks CloudWatch Logs Insights: all queries at once, then their answers until the time is up.

An account may run 30 queries at once, and an answer takes seconds to minutes (CloudWatch Logs User
Guide, "CloudWatch Logs quotas"). A query that nobody waits for any more is stopped: it costs by
the bytes it has read. Every failure is a gap of the answer concerned, so that a report lacks no
more than that.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
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
_STOPPING_S = 10.0  # for all queries that are given up
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
        answers = [self._too_late()] * len(queries)
        running: dict[int, str] = {}  # ids by the place of the query
        until = self._ticks() + self._patience_s
        try:
            for place, query in enumerate(queries):
                if self._ticks() < until:
                    answers[place] = self._start(query, period, place, running)
            self._wait(answers, running, until)
        finally:  # also of an operator who does not wait
            self._stop(running.values())
        return answers

    def _start(
        self, query: JournalQuery, period: Period, place: int, running: dict[int, str]
    ) -> Answer:
        """Start a query; return the answer that holds until it has another."""
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
        running[place] = str(answer.get("queryId", ""))
        return self._too_late()

    def _wait(self, answers: list[Answer], running: dict[int, str], until: float) -> None:
        """Ask for one answer after the other, so that a slow query delays no other one."""
        waiting = deque(running)
        while waiting and self._ticks() < until:
            place = waiting.popleft()
            try:
                with asking("logs:GetQueryResults"):
                    found = self._client.get_query_results(queryId=running[place])
            except NotKnownError as error:
                answers[place] = Answer(gap=str(error))
                continue
            if found.get("status") in _RUNNING:
                waiting.append(place)
                self._sleep(_PAUSE_S)
                continue
            answers[place] = _answer(found)
            del running[place]

    def _too_late(self) -> Answer:
        return Answer(
            gap=f"CloudWatch Logs had no answer within {self._patience_s:.0f} seconds: "
            "run bouncer report later"
        )

    def _stop(self, query_ids: Iterable[str]) -> None:
        """Stop queries; where that fails or takes long, the others end by themselves."""
        until = self._ticks() + _STOPPING_S
        with suppress(NotKnownError), asking("logs:StopQuery"):
            for query_id in query_ids:
                if self._ticks() < until:
                    self._client.stop_query(queryId=query_id)


def _answer(found: Mapping[str, Any]) -> Answer:
    if found.get("status") != "Complete":
        return Answer(gap=f"the query ended as {found.get('status')}: run bouncer report later")
    rows = tuple(map(_row, found.get("results", [])))
    return Answer(rows, complete=len(rows) < MOST_ROWS)


def _row(fields: Sequence[Mapping[str, str]]) -> Row:
    return {each.get("field", ""): each.get("value", "") for each in fields}
