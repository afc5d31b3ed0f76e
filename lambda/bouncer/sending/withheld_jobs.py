"""Ends jobs that the gate withholds many at a time: under a flood nearly all are, and others wait.

Jobs at the head of a batch are read in one request, and ended in one transaction. Whatever else is
to be done about a job is the business of `attempts`, which works on one after the other.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import takewhile
from typing import NamedTuple

from bouncer.jobs.job import Job, JobError
from bouncer.jobs.job_json import from_json
from bouncer.sending import gate, suppression
from bouncer.sending.counters import Counters
from bouncer.sending.ending import Ending
from bouncer.sending.job_item import JobItem
from bouncer.sending.ledger import Ledger, Question, Reading
from bouncer.sending.queue import Record
from bouncer.sending.terms import Terms


class WithheldJob(NamedTuple):
    """A job that was withheld: its message, its item as it was read, and its end.

    `braked` are those of its rules that are braked.
    """

    record: Record
    job: Job
    item: JobItem
    ending: Ending
    braked: frozenset[str]


class WithheldJobs:
    """Ends the jobs at the head of a batch; `now` is the time of day."""

    def __init__(self, ledger: Ledger, *, now: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._now = now

    def end(self, records: Sequence[Record], terms: Terms) -> list[WithheldJob]:
        """End the first jobs as far as each is withheld, all or none; raises `LedgerError`.

        None is ended if one of them has changed since it was read.
        """
        jobs = list(_jobs(records, terms))
        readings = self._ledger.read_first(
            Question(record["messageId"], job, mine, suppression.sender_digest(job, terms.salt))
            for record, job, mine in jobs
        )
        read = zip(jobs, readings, strict=False)
        found = (self._withheld(*each, reading, terms) for each, reading in read)
        withheld = [each for each in takewhile(bool, found) if each]
        if not withheld:
            return []
        ended = self._ledger.end_together([(each.item, each.ending) for each in withheld])
        return withheld if ended else []

    def _withheld(
        self, record: Record, job: Job, mine: Counters, reading: Reading, terms: Terms
    ) -> WithheldJob | None:
        if not reading.item.is_open:
            return None
        try:
            verdict = gate.verdict(
                job,
                mine,
                now=self._now(),
                answered=reading.answered,
                suppressed=reading.suppressed,
                items=reading.counts,
                settings=terms.settings,
            )
        except Exception:  # noqa: BLE001  # one odd job: it is worked on alone, and reported then
            return None
        if verdict.ending is None or (terms.held and verdict.is_limited):
            return None
        return WithheldJob(record, verdict.job, reading.item, verdict.ending, verdict.braked.rules)


def _jobs(records: Sequence[Record], terms: Terms) -> Iterator[tuple[Record, Job, Counters]]:
    """Yield jobs with their counters, up to the first message that is not a job."""
    for record in records:
        try:
            job = from_json(record["body"])
        except JobError:
            return
        yield record, job, terms.counters(job)
