"""The laws of the breaker: it holds sending when it should, and never otherwise.

They count by themselves, from what SES accepted and published. Each law is a function whose first
sentence is the promise, as in `sending_laws`.
"""

from collections.abc import Iterator
from typing import NamedTuple

from bouncer.breaker import BY, DEFAULT_PERCENT, LEAST, MOST_OF_ONE
from bouncer.function_limits import WORKER_TIMEOUT_S
from bouncer.held_document import read_held
from bouncer.mail.address import domain
from bouncer.mail.organisation import organisational_domain
from bouncer.operator_settings import Settings
from bouncer.sending.bounce_event import Kind
from bouncer.sources.source import HELD
from bouncer_sim.world.event_bus import Published
from bouncer_sim.world.evidence import Evidence, Found
from bouncer_sim.world.scenario import DAY_S, HOUR_S
from bouncer_sim.world.ssm_service import ParameterChange

_NOTICED_S = Settings().cache_s + WORKER_TIMEOUT_S  # after which the worker knows that it is held
_SETTLED_S = 2 * HOUR_S  # within which an event is settled, unless the ledger is away for longer


class _Count(NamedTuple):
    """The bounces that could trip the breaker at one moment, and those of them that bounced."""

    sent: int
    doubles: int

    @property
    def is_too_much(self) -> bool:
        return self.doubles >= LEAST and 100 * self.doubles > DEFAULT_PERCENT * self.sent


def the_breaker_holds_only_when_due(evidence: Evidence) -> Found:
    """The breaker holds sending only if more than 5 % of a day's bounces, and 20, had bounced."""
    for at in _trips(evidence):
        before = max((each for each in _trips(evidence) if each < at), default=0.0)
        count = _count(evidence, at, since=before + _NOTICED_S * bool(before), sure=False)
        if not count.is_too_much:
            yield at, f"the breaker holds sending at {count.doubles} of {count.sent}"


def the_breaker_holds_when_due(evidence: Evidence) -> Found:
    """When more than 5 % of a day's bounces, and 20, have bounced, sending is held within hours."""
    trips, last = list(_trips(evidence)), 0.0
    settled = sorted(_settled(evidence).values())
    for at in settled:
        since = max((each + _NOTICED_S for each in trips if each <= at), default=0.0)
        if _count(evidence, at, since=since, sure=True).is_too_much and at > last:
            last = at + _SETTLED_S
            held = any(at - 1 <= each <= last for each in trips)
            if not held and not _is_held_by_somebody(evidence, at):
                yield at, "too many bounces bounced, and sending is not held"


def _count(evidence: Evidence, at: float, *, since: float, sure: bool) -> _Count:
    """Count bounces of the day before `at` that were sent after `since`.

    With `sure` only those that the function has counted by then, of all that were sent: where
    clocks differ, not those of hours that are to come by its own.
    """
    begin = max(since, at - DAY_S)
    until = at - (evidence.most_skew_s if sure else 0.0)
    ends, settled = evidence.sent_at, _settled(evidence)
    sent = sum(begin <= sent_at <= at for sent_at in ends.values())
    known = settled if sure else {each.mail_id: each.at for each in _doubles(evidence)}
    organisations: dict[str, int] = {}
    for event in {each.mail_id: each for each in _doubles(evidence)}.values():
        sent_at = ends.get(event.mail_id, at + 1)
        if begin <= sent_at <= until and known.get(event.mail_id, at + 1) <= at:
            name = organisational_domain(domain(evidence.sender_of[event.answers]))
            organisations[name] = organisations.get(name, 0) + 1
    doubles = sum(min(number, MOST_OF_ONE) for number in organisations.values())
    return _Count(sent=sent, doubles=doubles)


def _doubles(evidence: Evidence) -> Iterator[Published]:
    for event in evidence.history.published:
        if event.answers and event.kind in (Kind.PERMANENT, Kind.COMPLAINT):
            yield event


def _settled(evidence: Evidence) -> dict[str, float]:
    """Return when each double bounce was settled, as the journal has it, by its id."""
    return {
        line.members["bounce_id"]: line.at
        for line in evidence.history.lines
        if line.event == "bounce_bounced" and line.members["kind"] != Kind.TRANSIENT
    }


def _trips(evidence: Evidence) -> Iterator[float]:
    """Yield the times at which the breaker wrote the parameter `held`."""
    for change in evidence.history.parameters:
        if _is_hold(change) and read_held(change.text or "", document=HELD).by == BY:
            yield change.at


def _is_held_by_somebody(evidence: Evidence, at: float) -> bool:
    """Tell whether a person had held sending at a time, or did within a few hours after it."""
    changes = evidence.history.parameters
    return any(
        change.at <= at + _SETTLED_S and ("paused" in (change.text or "") or _is_hold(change))
        for change in changes
    )


def _is_hold(change: ParameterChange) -> bool:
    return change.name.endswith(f"/{HELD}") and bool(change.text)
