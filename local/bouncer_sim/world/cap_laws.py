"""The laws of the caps: what SES may accept for one sender, and what counts, over all crashes.

Worlds have the default caps. Each law is a function whose first sentence is the promise, as in
`sending_laws`.
"""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence

from bouncer.caps import DEFAULT_CAPS, Ladder
from bouncer.jobs.job import Job
from bouncer.mail.address import without_tag
from bouncer.mail.rewritten_sender import normal_sender
from bouncer.reasons import Reason
from bouncer.rules.bounce_limit import BounceLimit
from bouncer.sending import counters
from bouncer.sending.digest import Salt
from bouncer.sending.ending import Failure
from bouncer.sending.job_item import JobItem, State
from bouncer.sending.write import number_of
from bouncer_sim.world.evidence import Evidence, Found, QueuedJob, bounced_by

ROUNDED_S = 1.0  # the ledger has whole seconds

# The names of what is capped, with the time of receipt of each mail that was bounced.
_Times = dict[tuple[str, ...], dict[str, float]]


def no_sender_gets_more_than_its_caps(evidence: Evidence) -> Found:
    """SES accepts no more bounces for the mails of one sender in a time than the caps allow."""
    found: _Times = {}
    for queued, _ in accepted(evidence):
        sender = normal_sender(queued.job.sender, queued.job.recipients)
        found.setdefault((sender,), {})[queued.job.message_id] = received_at(queued)
    yield from _beyond(found, DEFAULT_CAPS.sender)


def no_recipient_and_rule_pass_their_cap(evidence: Evidence) -> Found:
    """SES accepts no more bounces for one sender, recipient and rule than the caps allow."""
    found: _Times = {}
    for queued, recipient in accepted(evidence):
        sender = normal_sender(queued.job.sender, queued.job.recipients)
        rules = (each.rule for each in queued.job.refusals if each.recipient.lower() == recipient)
        for rule in rules:
            names = (sender, without_tag(recipient), rule)
            found.setdefault(names, {})[queued.job.message_id] = received_at(queued)
    yield from _beyond(found, DEFAULT_CAPS.sender_recipient_rule)


def a_counter_has_only_jobs_that_were_begun(evidence: Evidence) -> Found:
    """A counter has only jobs that were begun, each once, however often each was delivered."""
    begun: defaultdict[str, set[str]] = defaultdict(set)  # names in a log, messages of a tally
    states = deque(evidence.states)
    for at, key, item in evidence.history.versions:
        while states and states[0][0] <= at:
            _, record, state = states.popleft()
            if state.state is State.BEGUN:
                _count(record, evidence.jobs[record].job, evidence.salt, begun)
        names = {name for name in item or {} if name.startswith(("j", "p"))}
        hours = sum(number_of(item, name) for name in item if name[0] == "h") if item else 0
        if key.startswith(("count#", "brake#")) and (names - begun[key] or hours > len(begun[key])):
            yield at, f"{key:.40} has {len(names) or hours} jobs, {len(begun[key])} were begun"


def _count(record: str, job: Job, salt: Salt, begun: Mapping[str, set[str]]) -> None:
    """Note the names under which the job of a message may be counted."""
    limits = {each.rule: BounceLimit(1, 1) for each in job.refusals}
    mine = counters.counters(job, DEFAULT_CAPS, salt, limits=limits)
    brakes = (brake.entry for brake in mine.brakes.values())
    for entry in (*filter(None, [mine.sender]), *mine.recipients.values(), *brakes):
        begun[entry.key].add(entry.name)
    begun[mine.organisation].add(record)


def a_job_that_counts_was_called_for(evidence: Evidence) -> Found:
    """SES was called for each job that was begun, or it says that it was freed, lost or expired."""
    open_since: dict[str, float] = {}
    for at, record, item in evidence.states:
        if item.state is State.BEGUN:  # also written again, when a start is counted
            open_since.setdefault(record, at)
            continue
        since = open_since.pop(record, None)
        if since is not None and not _is_excused(item) and not _called(evidence, record, since, at):
            yield at, f"{record} was begun, and SES was not called for it"


def _is_excused(item: JobItem) -> bool:
    """Tell whether a job is begun no longer for a cause that may come before its call."""
    return item.state is State.FREE or item.reason in (Failure.UNKNOWN, Reason.EXPIRED)


def _called(evidence: Evidence, record: str, since: float, until: float) -> bool:
    job = evidence.jobs[record]
    mine = {(job.job.message_id, recipient) for recipient in job.recipients}
    return any(
        since <= call.started_at <= until and mine.issuperset(bounced_by(call))
        for call in evidence.calls
    )


def accepted(evidence: Evidence) -> Iterator[tuple[QueuedJob, str]]:
    """Yield each recipient whose bounce SES accepted, with its job."""
    for queued in evidence.jobs.values():
        for recipient in queued.recipients:
            if evidence.accepted.get((queued.job.message_id, recipient)):
                yield queued, recipient


def received_at(queued: QueuedJob) -> float:
    """Return the time at which SES received the mail of a job."""
    return queued.job.received_at.timestamp()


def _beyond(found: Mapping[tuple[str, ...], Mapping[str, float]], ladder: Ladder) -> Found:
    for names, by_mail in found.items():
        times = sorted(by_mail.values())
        for seconds, limit in ladder:
            if at := too_many(times, limit, seconds - ROUNDED_S):
                yield at, f"{' '.join(names):.80} gets over {limit} bounces in {seconds} s"


def too_many(times: Sequence[float], limit: int, within_s: float) -> float:
    """Return the time of the first mail beyond a limit, or 0."""
    pairs = zip(times, times[limit:], strict=False)
    return next((last for first, last in pairs if last - first < within_s), 0.0)
