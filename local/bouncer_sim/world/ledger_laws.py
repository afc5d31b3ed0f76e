"""The laws of the ledger: one end for each job, before its line, its metric and its dead letter."""

from bouncer.metric_names import Metric
from bouncer.sending import lease
from bouncer_sim.world.deployed_services import DEAD_LETTERS
from bouncer_sim.world.evidence import Evidence, Found, LedgerEnding, said_by
from bouncer_sim.world.journal_tape import JournalLine
from bouncer_sim.world.simulated_world import job_in

_OF_AN_END = (Metric.SENT, Metric.WITHHELD, Metric.FAILED, Metric.UNREADABLE_JOBS)


def a_job_ends_once_in_the_ledger(evidence: Evidence) -> Found:
    """A job that has ended in the ledger stays as it ended."""
    for record, endings in evidence.endings.items():
        for later in endings[1:]:
            if later.said != endings[0].said:
                yield later.at, f"{record} ended as {endings[0].said}, and then is {later.said}"


def an_end_stands_before_its_line(evidence: Evidence) -> Found:
    """Each line about the end of a job says what the ledger has had as its end before."""
    for record, lines in evidence.reports.items():
        for line in lines:
            ending = _standing(evidence, record, line.at)
            if ending is None:
                yield line.at, f"{record} is reported as {said_by(line)}, but has not ended"
            elif ending.said != said_by(line):
                yield line.at, f"{record} is reported as {said_by(line)}, but is {ending.said}"


def _standing(evidence: Evidence, record: str, at: float) -> LedgerEnding | None:
    """Return the end that a job had in the ledger at a time."""
    stood = [each for each in evidence.endings.get(record, ()) if each.at <= at]
    return stood[-1] if stood else None


def an_end_is_counted_at_most_once(evidence: Evidence) -> Found:
    """Of all lines about the end of a job one counts it, and none that says `again`."""
    for record, lines in evidence.reports.items():
        counting = [line for line in lines if _counts(line)]
        again = [line for line in counting if line.members.get("again")]
        if len(counting) > 1 or again:
            times = f"{len(counting)} times, {len(again)} of them again"
            yield counting[-1].at, f"{record} is counted {times}"


def _counts(line: JournalLine) -> bool:
    return any(metric in line.members for metric in _OF_AN_END)


def no_dead_letter_is_put_before_its_end(evidence: Evidence) -> Found:
    """A letter that the worker puts, in the group of its job, belongs to a job that has ended."""
    for letter in evidence.history.dead:
        if not letter.message_id.startswith(DEAD_LETTERS):
            continue  # SQS itself moved it
        ending = _standing(evidence, letter.group, letter.sent_at)
        if ending is None or not ending.item.dead:
            yield letter.sent_at, f"{letter.message_id} is put before its job has ended as dead"


def every_dead_job_can_be_found(evidence: Evidence) -> Found:
    """A dead job is a dead letter, or kept and named with the lease, or on its way in the queue."""
    history = evidence.history
    named = set(lease.kept(history.ledger.get(lease.LEASE, {})))
    bodies = {each.message_id: str(each.body) for each in history.queued}
    seen = {str(each.body) for each in (*history.dead, *history.left)}
    for record, endings in evidence.endings.items():
        last = endings[-1].item
        if last.dead and bodies[record] not in seen and not (last.kept and record in named):
            yield history.ended_at, f"the dead job {record} cannot be found"


def every_message_that_is_not_a_job_is_kept(evidence: Evidence) -> Found:
    """A message that cannot be read ends as dead, so that it is kept."""
    for message in evidence.history.queued:
        ending = _standing(evidence, message.message_id, evidence.history.ended_at)
        if job_in(message) is None and not (ending and ending.item.dead):
            yield evidence.history.ended_at, f"{message.message_id} is gone: {message.body[:30]!r}"
