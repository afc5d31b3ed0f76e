"""The law of reasons: whatever a job was not sent for had happened to it, as the world knows."""

from collections.abc import Callable, Iterator, Mapping

from bouncer.caps import DEFAULT_CAPS, Ladder
from bouncer.jobs.job import Job
from bouncer.mail.address import without_tag
from bouncer.mail.rewritten_sender import normal_sender
from bouncer.reasons import Reason
from bouncer.sending.bounce_event import Kind
from bouncer.sending.ending import Failure, Outcome
from bouncer.sending.job_item import job_key
from bouncer.sending.refused_identities import KEPT_S
from bouncer_sim.world.attempt import DONE, Attempt
from bouncer_sim.world.evidence import Evidence, Found, LedgerEnding, bounced_by
from bouncer_sim.world.incident import Trouble
from bouncer_sim.world.lambda_function import Invocation
from bouncer_sim.world.scenario import HOUR_S
from bouncer_sim.world.simulated_world import job_in

_BROKEN = (Trouble.BROKEN_BEFORE, Trouble.BROKEN_AFTER)
_NO_ANSWER = ("ReadTimeoutError", "ConnectionClosedError")
_NOT_REFUSALS = {
    "",
    DONE,
    "InternalFailure",
    "ServiceUnavailable",
    "Throttling",
    "ThrottlingException",
}
_ROUNDED_S = 1.0  # the ledger counts mails by whole seconds
_LONGEST_WRITE_S = 15.0  # of an end, whose requests may be lost, after its reason was found
_DEATHS_OF_POISON = 2  # before the third start, at which the job is buried

Holds = Callable[[Evidence, str, LedgerEnding], bool]


def every_reason_is_true(evidence: Evidence) -> Found:
    """A job that ended without a bounce had met what its reason says."""
    for record, (ending, *_) in evidence.endings.items():
        reason = ending.item.reason
        if ending.item.outcome == Outcome.SENT or reason == Reason.EXPIRED:
            continue  # other laws look at these
        if reason not in _REASONS or not _REASONS[reason](evidence, record, ending):
            yield ending.at, f"{record} ended as {reason}, which did not happen"


def _is_duplicate(evidence: Evidence, record: str, _: LedgerEnding) -> bool:
    """Tell whether another job of the same mail has each of the recipients."""
    return evidence.jobs[record].recipients <= _of_other_jobs(evidence, record)


def _of_other_jobs(evidence: Evidence, record: str) -> frozenset[str]:
    """Return the recipients that other jobs of the same mail have, in lower case."""
    mail = evidence.jobs[record].job.message_id
    others = (
        other.recipients
        for name, other in evidence.jobs.items()
        if name != record and other.job.message_id == mail
    )
    return frozenset[str]().union(*others)


def _is_capped(evidence: Evidence, record: str, ending: LedgerEnding) -> bool:
    """Tell whether a cap was full: of the sender, or for each recipient left and a rule."""
    mine = evidence.jobs[record].job
    others = [
        job
        for at, job in evidence.begun
        if at <= ending.at and job.reference != mine.reference and _sender(job) == _sender(mine)
    ]
    done = _of_other_jobs(evidence, record)
    left = [_pairs(mine, each) for each in mine.recipients if each.lower() not in done]
    same = ([job for job in others if pairs & _pairs(job)] for pairs in left)
    at = mine.received_at.timestamp()
    return _is_full(DEFAULT_CAPS.sender, others, at) or all(
        _is_full(DEFAULT_CAPS.sender_recipient_rule, each, at) for each in same
    )


def _is_full(ladder: Ladder, begun: list[Job], at: float) -> bool:
    """Tell whether the mails of enough jobs were received in a window that `at` is in."""
    times = list({job.reference: job.received_at.timestamp() for job in begun}.values())
    return any(
        sum(start <= each <= start + seconds + _ROUNDED_S for each in times) >= limit
        for seconds, limit in ladder
        for start in (*times, at)
        if at - seconds - _ROUNDED_S <= start <= at + _ROUNDED_S
    )


def _sender(job: Job) -> str:
    return normal_sender(job.sender, job.recipients)


def _pairs(job: Job, recipient: str = "") -> set[tuple[str, str]]:
    """Return the recipients of a job, or this one alone, with the rules that refused them."""
    return {
        (without_tag(each.recipient).lower(), each.rule)
        for each in job.refusals
        if recipient in ("", each.recipient)
    }


def _is_braked(evidence: Evidence, record: str, ending: LedgerEnding) -> bool:
    """Tell whether the limit of a rule was full for this job, or one that was braked before."""
    at_most = evidence.history.scenario.at_most
    mine = _rules(evidence.jobs[record].job)
    braked = [
        evidence.jobs[other].job
        for other, (end, *_) in evidence.endings.items()
        if end.item.reason == Reason.BRAKED and end.at <= ending.at
    ]
    begun = [job for at, job in evidence.begun if at <= ending.at and mine & _rules(job)]
    return bool(at_most) and any(
        _is_full(((int(HOUR_S), at_most),), begun, job.received_at.timestamp())
        for job in braked
        if mine & _rules(job)
    )


def _rules(job: Job) -> set[str]:
    return {each.rule for each in job.refusals}


def _is_refused(evidence: Evidence, record: str, ending: LedgerEnding) -> bool:
    """Tell whether SES refused a call for this mail."""
    mail = evidence.jobs[record].job.message_id
    return any(bounced_by(call)[0][0] == mail for call in _refused(evidence, ending.at, since=0.0))


def _is_forbidden(evidence: Evidence, record: str, ending: LedgerEnding) -> bool:
    """Tell whether SES refused a call with this sender, of this job or within a minute before."""
    sender = evidence.jobs[record].job.bounce_sender
    calls = list(_refused(evidence, ending.at, since=ending.at - KEPT_S - _LONGEST_WRITE_S))
    return _is_refused(evidence, record, ending) or any(
        call.arguments["BounceSender"] == sender for call in calls
    )


def _refused(evidence: Evidence, until: float, *, since: float) -> Iterator[Attempt]:
    for at, call in evidence.arrivals:
        if since <= at <= until and call.result not in _NOT_REFUSALS:
            yield call


def _is_unknown(evidence: Evidence, record: str, ending: LedgerEnding) -> bool:
    """Tell whether a call had no clear answer, or a worker died or lost the ledger with the job."""
    mail, key = evidence.jobs[record].job.message_id, job_key(record)
    unclear = (
        call
        for call in evidence.calls
        if bounced_by(call)[0][0] == mail and (call.raised in _NO_ANSWER or call.trouble in _BROKEN)
    )
    lines = evidence.reports.get(record)
    lost = (
        attempt
        for attempt in evidence.history.attempts
        if attempt.trouble and attempt.call.startswith("dynamodb.") and key in repr(attempt)
        if lines and attempt.caller != lines[0].environment  # which would remember
    )
    return any(unclear) or any(_deaths(evidence, record, ending)) or any(lost)


def _is_poison(evidence: Evidence, record: str, ending: LedgerEnding) -> bool:
    """Tell whether two workers died with this message before."""
    return len(list(_deaths(evidence, record, ending))) >= _DEATHS_OF_POISON


def _deaths(evidence: Evidence, record: str, ending: LedgerEnding) -> Iterator[Invocation]:
    for invocation in evidence.history.invocations:
        records = invocation.event["Records"]
        mine = any(each.get("messageId") == record for each in records)
        if mine and invocation.end != "answered" and (invocation.ended_at or 0.0) <= ending.at:
            yield invocation


def _is_unreadable(evidence: Evidence, record: str, _: LedgerEnding) -> bool:
    bodies = (each for each in evidence.history.queued if each.message_id == record)
    return all(job_in(message) is None for message in bodies)


def _is_suppressed(evidence: Evidence, record: str, ending: LedgerEnding) -> bool:
    """Tell whether a bounce to this sender had bounced for good, or been complained of."""
    sender = _sender(evidence.jobs[record].job)
    return any(
        event.at <= ending.at and event.kind is not Kind.TRANSIENT
        for event in evidence.history.published
        if normal_sender(evidence.sender_of.get(event.answers, "")) == sender
    )


_REASONS: Mapping[str, Holds] = {
    Reason.SENDER_BOUNCED_BEFORE: _is_suppressed,
    Reason.CAPPED: _is_capped,
    Reason.BRAKED: _is_braked,
    Reason.DUPLICATE: _is_duplicate,
    Failure.REFUSED: _is_refused,
    Failure.FORBIDDEN: _is_forbidden,
    Failure.UNKNOWN: _is_unknown,
    Failure.POISON: _is_poison,
    Failure.UNREADABLE: _is_unreadable,
}
