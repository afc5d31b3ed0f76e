"""The laws of the caps: what SES may accept for one sender, over crashes and redeliveries.

Worlds have the default caps. Each law is a function whose first sentence is the promise, as in
`sending_laws`.
"""

from collections.abc import Iterator, Mapping, Sequence

from bouncer.caps import DEFAULT_CAPS, Ladder
from bouncer.mail.address import without_tag
from bouncer.mail.rewritten_sender import normal_sender
from bouncer_sim.world.evidence import Evidence, Found, QueuedJob

# A job counts at its claim, and SES accepts it within the same invocation.
_LONGEST_CALL_S = 60.0

# The names of what is capped, with the time of each accepted bounce by its mail.
_Times = dict[tuple[str, ...], dict[str, float]]


def no_sender_gets_more_than_its_caps(evidence: Evidence) -> Found:
    """SES accepts no more bounces for one sender in a time than the caps allow."""
    found: _Times = {}
    for queued, _, at in _accepted(evidence):
        sender = normal_sender(queued.job.sender, queued.job.recipients)
        found.setdefault((sender,), {})[queued.job.message_id] = at
    yield from _beyond(found, DEFAULT_CAPS.sender, evidence)


def no_recipient_and_rule_pass_their_cap(evidence: Evidence) -> Found:
    """SES accepts no more bounces for one sender, recipient and rule than the caps allow."""
    found: _Times = {}
    for queued, recipient, at in _accepted(evidence):
        sender = normal_sender(queued.job.sender, queued.job.recipients)
        rules = (each.rule for each in queued.job.refusals if each.recipient.lower() == recipient)
        for rule in rules:
            names = (sender, without_tag(recipient), rule)
            found.setdefault(names, {})[queued.job.message_id] = at
    yield from _beyond(found, DEFAULT_CAPS.sender_recipient_rule, evidence)


def _accepted(evidence: Evidence) -> Iterator[tuple[QueuedJob, str, float]]:
    """Yield each recipient whose bounce SES accepted, with its job and the time of arrival."""
    for queued in evidence.jobs.values():
        for recipient in queued.recipients:
            for call in evidence.accepted.get((queued.job.message_id, recipient), ()):
                if call.arrived_at is not None:
                    yield queued, recipient, call.arrived_at


def _beyond(
    found: Mapping[tuple[str, ...], Mapping[str, float]], ladder: Ladder, evidence: Evidence
) -> Found:
    for names, by_mail in found.items():
        times = sorted(by_mail.values())
        for seconds, limit in ladder:
            sure_s = seconds - _LONGEST_CALL_S - evidence.most_skew_s
            if at := _too_many(times, limit, sure_s):
                yield at, f"{' '.join(names):.80} gets over {limit} bounces in {seconds} s"


def _too_many(times: Sequence[float], limit: int, within_s: float) -> float:
    """Return the time of the first bounce beyond a limit, or 0."""
    pairs = zip(times, times[limit:], strict=False)
    return next((last for first, last in pairs if last - first < within_s), 0.0)
