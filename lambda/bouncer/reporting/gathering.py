"""Gathers a report: the counts of its period, and what holds now."""

from datetime import datetime

from bouncer.reporting.journal_counts import QUERIES, counts_of
from bouncer.reporting.journal_query import JournalQueries
from bouncer.reporting.period import Period
from bouncer.reporting.report import Report
from bouncer.reporting.standing_look import StandingLook


def gathered(
    deployment: str, period: Period, *, queries: JournalQueries, look: StandingLook, now: datetime
) -> Report:
    """Return the report on a period; what AWS does not say is a gap of it, and never raised."""
    return Report(
        deployment=deployment,
        period=period,
        counts=counts_of(queries.answers(QUERIES, period)),
        standing=look.standing(now),
    )
