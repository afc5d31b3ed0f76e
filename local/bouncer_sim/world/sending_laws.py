"""The laws of the sending side: what SES may see, and what becomes of every job.

Each law is a function whose first sentence is the promise. It yields a time and a text for each
breach. It looks at what happened, never at how the code came to it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from bouncer.reasons import Reason
from bouncer.sending.delays import LONGEST_DELAY_S
from bouncer.sending.gate import LIFETIME
from bouncer.sources.source import HELD, SETTINGS
from bouncer_sim.fake_ses.arrival_rate import INTERVAL_S
from bouncer_sim.world.deployed_services import DEAD_LETTERS
from bouncer_sim.world.evidence import (
    Evidence,
    Found,
    QueuedJob,
    bounced_by,
    is_unknown,
    names,
    outcome,
    outcomes_of,
    taken_out,
)
from bouncer_sim.world.incident import CallIncident, Incident, InvocationIncident, Outage, Trouble
from bouncer_sim.world.journal_tape import JournalLine
from bouncer_sim.world.scenario import JobWaits

_CACHE_S = 60.0  # the settings' default

# The longest that a job may wait for a dead worker, or for each job that kills three of them.
_LONGEST_DELAY_S = 480.0
_DELAY_OF_A_CRASH_S = 370.0
_DELAY_OF_A_JOB_S = 2.5
_DELAY_OF_A_TROUBLE_S = 20.0
_DELAY_OF_A_REFUSAL_S = LONGEST_DELAY_S + 5.0  # the SDK does not repeat it: a job goes back for it
_CRASHES = {Trouble.CRASH_BEFORE, Trouble.CRASH_AFTER}
_REFUSALS = {Trouble.FORBIDDEN, Trouble.MISSING}


def no_two_calls_arrive_within_a_second(evidence: Evidence) -> Found:
    """No two SendBounce calls arrive within a second, save those that outlived their time-out.

    With a `rate` below one a second it is that much longer.
    """
    spacing_s = INTERVAL_S / evidence.history.scenario.rate
    in_time = [(at, call) for at, call in evidence.arrivals if not call.is_late]
    for (before, first), (at, second) in pairwise(in_time):
        if at - before < spacing_s:
            callers = f"{first.caller} and {second.caller}"
            yield at, f"calls of {callers} arrive {at - before:.3f} s apart"


def no_recipient_of_a_mail_is_bounced_twice(evidence: Evidence) -> Found:
    """SES accepts at most one bounce for a mail and a recipient."""
    for (mail, recipient), calls in evidence.accepted.items():
        if len(calls) > 1:
            yield calls[1].started_at, f"{mail} {recipient:.40} is bounced {len(calls)} times"


def every_job_has_one_outcome(evidence: Evidence) -> Found:
    """A job has one outcome: a line that repeats it says `again` and the same."""
    for record, lines in evidence.outcomes.items():
        first_lines = [line for line in lines if not line.members.get("again")]
        if len(first_lines) > 1 or len(set(map(outcome, lines))) > 1:
            mail = lines[0].members.get("message_id", record)
            yield lines[-1].at, f"{mail} has {len(lines)} outcomes: {outcomes_of(lines)}"


def every_job_ends(evidence: Evidence) -> Found:
    """Each job that the queue took has an outcome in the journal, or is a dead letter."""
    end = evidence.history.ended_at
    dead = {str(letter.body) for letter in evidence.history.dead}
    waiting = {message.message_id for message in evidence.history.left}
    for record, queued in evidence.jobs.items():
        if record in waiting:
            yield end, f"{queued.job.message_id} still waits at the end"
        elif record not in evidence.outcomes and str(queued.message.body) not in dead:
            yield end, f"{queued.job.message_id} is gone without an outcome"


def every_outcome_is_true(evidence: Evidence) -> Found:
    """The journal says of each recipient what became of the bounce, and nothing else."""
    for record, queued in evidence.jobs.items():
        if record in evidence.outcomes:
            lines = evidence.outcomes_of_mail[queued.job.message_id]
            yield from _untrue(evidence, queued, lines)


def _untrue(evidence: Evidence, queued: QueuedJob, lines: Sequence[JournalLine]) -> Found:
    mail = queued.job.message_id
    for recipient in sorted(queued.recipients):
        said = [line for line in lines if names(line, recipient)]
        bounced = (mail, recipient) in evidence.accepted
        if not said and not bounced and recipient in taken_out(lines):
            continue
        if text := _untruth(said, bounced=bounced):
            yield lines[-1].at, f"{mail} {recipient:.40}: {text}"


def _untruth(said: Sequence[JournalLine], *, bounced: bool) -> str:
    """Return in which way lines about one recipient are not true; empty if they are."""
    unknown = any(map(is_unknown, said))
    sent = any(line.event == "sent" for line in said)
    if not said:
        return f"bounced: {bounced}, but no line says what became of it"
    if bounced and not sent and not unknown:
        return f"bounced, but the journal says {outcomes_of(said)}"
    if sent and not bounced:
        return "not bounced, but the journal says sent"
    reasons = {line.members.get("reason") for line in said}
    if reasons == {Reason.DUPLICATE} and not bounced:
        return "never bounced, but the journal says withheld: duplicate"
    return ""


def nothing_expires_early(evidence: Evidence) -> Found:
    """A job is withheld as expired only when its 24 hours less the margin are over."""
    for lines in evidence.outcomes.values():
        for line in lines:
            if line.members.get("reason") != Reason.EXPIRED:
                continue
            received_at = evidence.received_at[line.members["message_id"]]
            age_s = line.at - received_at + evidence.most_skew_s
            if age_s < _life_s(evidence):
                yield line.at, f"{line.members['message_id']} expired after {age_s:.0f} s"


def nothing_starts_after_its_24_hours(evidence: Evidence) -> Found:
    """No SendBounce call starts when the mail is older than 24 hours less the margin."""
    for call in evidence.calls:
        mail = bounced_by(call)[0][0]
        late_s = call.started_at - evidence.received_at[mail] - _life_s(evidence)
        if late_s > evidence.most_skew_s + 1e-6:
            yield call.started_at, f"{mail} is called {late_s:.1f} s after its time"


def every_dead_letter_can_be_seen(evidence: Evidence) -> Found:
    """Each dead letter that the worker put has a message group of its own, so that all are seen."""
    letters = [each for each in evidence.history.dead if each.message_id.startswith(DEAD_LETTERS)]
    different = {(letter.group, str(letter.body)) for letter in letters}  # one may be put again
    for group, count in Counter(group for group, _ in different).items():
        if count > 1:
            yield letters[-1].sent_at, f"{count} dead letters share the group {group}"


def every_dead_letter_is_reported(evidence: Evidence) -> Found:
    """Each dead letter has a line of its own: an outcome, or that it is not a job."""
    unreadable = {line.members.get("record") for line in evidence.history.lines}
    reported = {
        str(queued.message.body)
        for record, queued in evidence.jobs.items()
        if record in evidence.outcomes
    }
    known = {str(each.body) for each in evidence.history.queued if each.message_id in unreadable}
    for letter in evidence.history.dead:
        if str(letter.body) not in reported | known:
            yield letter.sent_at, f"the dead letter {letter.message_id} has no line"


def no_function_raises(evidence: Evidence) -> Found:
    """No invocation ends with an error of the function: whatever happens is settled inside."""
    for invocation in evidence.history.invocations:
        if invocation.error is not None:
            yield invocation.started_at, f"{invocation.environment}: {invocation.error!r}"


def _life_s(evidence: Evidence) -> float:
    return LIFETIME.total_seconds() - evidence.history.scenario.expiry_margin_s


def nothing_is_sent_while_paused(evidence: Evidence) -> Found:
    """While sending is held or paused, no call starts once the worker had time to read of it."""
    scenario = evidence.history.scenario
    if any("s3." in str(incident) or "'s3'" in str(incident) for incident in scenario.incidents):
        return  # settings that can't be read stay as they were
    for since, until in _paused(evidence):
        for call in evidence.calls:
            if since + 2 * _CACHE_S < call.started_at < until:
                yield call.started_at, f"{bounced_by(call)[0][0]} is called although paused"


def _paused(evidence: Evidence) -> Iterator[tuple[float, float]]:
    """Yield from when to when sending was held, by a person or by the breaker."""
    for name, holds in ((SETTINGS, "paused"), (HELD, "since")):
        changes = (each for each in evidence.history.parameters if each.name.endswith(f"/{name}"))
        texts = [(each.at, each.text or "") for each in changes]
        for (at, text), (until, _) in pairwise([*texts, (float("inf"), "")]):
            if holds in text:
                yield at, until


def no_job_waits_for_a_bad_one(evidence: Evidence) -> Found:
    """Once all services answer again, each job ends within minutes, whatever stands before it."""
    scenario = evidence.history.scenario
    deadly = {
        each.message_id for each in scenario.steps if isinstance(each, JobWaits) and each.deadly
    }
    patience_s = _patience_s(evidence) + len(deadly) * _LONGEST_DELAY_S
    for record, queued in evidence.jobs.items():
        ended_at = _ended_at(evidence, record, queued)
        since = _all_well_at(evidence, queued.message.sent_at)
        if queued.job.message_id not in deadly and ended_at - since > patience_s:
            yield ended_at, f"{queued.job.message_id} waited {(ended_at - since) / 60:.0f} minutes"


def _ended_at(evidence: Evidence, record: str, queued: QueuedJob) -> float:
    """Return the time of a job's first outcome, or that at which it became a dead letter."""
    if lines := evidence.outcomes.get(record):
        return lines[0].at
    body = str(queued.message.body)
    mine = (each.sent_at for each in evidence.history.dead if str(each.body) == body)
    return min(mine, default=evidence.history.ended_at)


def _patience_s(evidence: Evidence) -> float:
    jobs = len(evidence.history.queued)
    troubles = sum(map(_delay_s, evidence.history.scenario.incidents))
    delay_of_jobs_s = jobs * _DELAY_OF_A_JOB_S / evidence.history.scenario.rate
    return _LONGEST_DELAY_S + delay_of_jobs_s + troubles


def _delay_s(incident: Incident) -> float:
    match incident:
        case InvocationIncident():
            return _DELAY_OF_A_CRASH_S + incident.seconds
        case CallIncident() if incident.trouble in _CRASHES or incident.call.startswith("queue."):
            return _DELAY_OF_A_CRASH_S
        case CallIncident() if incident.trouble in _REFUSALS:
            return _DELAY_OF_A_REFUSAL_S
        case CallIncident():
            return _DELAY_OF_A_TROUBLE_S + incident.seconds
    return 0.0


def _all_well_at(evidence: Evidence, queued_at: float) -> float:
    """Return the time from which a job is not held up by an outage, an operator or the breaker."""
    scenario, start = evidence.history.scenario, evidence.history.started_at
    outages = [
        start + each.end
        for each in scenario.incidents
        if isinstance(each, Outage) and each.place != DEAD_LETTERS  # no job needs that queue
    ]
    return max([queued_at, *outages, *(until for _, until in _paused(evidence))])
