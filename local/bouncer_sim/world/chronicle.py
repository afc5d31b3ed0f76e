"""Tells a run as a short story: time, who, what; fit for a terminal of 80 columns."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bouncer_sim.world.attempt import DONE, Attempt
from bouncer_sim.world.evidence import SEND_BOUNCE, bounced_by, outcome
from bouncer_sim.world.incident import Outage
from bouncer_sim.world.journal_tape import JournalLine
from bouncer_sim.world.lambda_function import Invocation
from bouncer_sim.world.laws import Breach
from bouncer_sim.world.simulated_world import History

_WIDTH = 80
_MOST_LINES = 60
_QUIET = ("mail",)


class _Entry(NamedTuple):
    at: float
    who: str
    text: str


def story(history: History, breaches: Sequence[Breach]) -> list[str]:
    """Return the lines of a run's story up to its first breach, and all breaches after it."""
    start = history.started_at
    last = breaches[0].at if breaches else history.ended_at
    entries = sorted(
        (each for each in _entries(history) if each.at <= last), key=lambda entry: entry.at
    )
    lines = [_line(entry, start) for entry in entries]
    if len(lines) > _MOST_LINES:
        half = _MOST_LINES // 2
        left_out = len(lines) - 2 * half
        lines = [*lines[:half], f"  ... {left_out} lines left out ...", *lines[-half:]]
    return [*_circumstances(history), *lines, *(_broken(breach, start) for breach in breaches[:8])]


def _circumstances(history: History) -> Iterator[str]:
    scenario = history.scenario
    yield f"{scenario.name}: {len(scenario.steps)} steps, {len(scenario.incidents)} incidents"
    for incident in scenario.incidents:
        yield f"  {incident}"[:_WIDTH]
    if scenario.skews:
        skews = ", ".join(f"{skew:+.1f} s" for skew in scenario.skews)
        yield f"  clocks of new environments are off by {skews}"[:_WIDTH]


def _line(entry: _Entry, start: float) -> str:
    return f"{_clock(entry.at - start):>12} {entry.who:<9} {entry.text}"[:_WIDTH]


def _clock(seconds: float) -> str:
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours:.0f}:{minutes:02.0f}:{left:06.3f}"


def _broken(breach: Breach, start: float) -> str:
    words = breach.law.replace("_", " ")
    return f"BROKEN at {_clock(breach.at - start)}: {words}\n  {breach.text}"


def _entries(history: History) -> Iterator[_Entry]:
    for step in history.scenario.steps:
        yield _Entry(history.started_at + step.at, "outside", str(step))
    for incident in history.scenario.incidents:
        if isinstance(incident, Outage):
            yield _Entry(history.started_at + incident.start, "AWS", f"outage: {incident}")
    yield from map(_beginning, history.invocations)
    for attempt in history.attempts:
        yield from _attempt(attempt)
    for line in history.lines:
        if line.event not in _QUIET:
            yield _Entry(line.at, line.environment, _journal(line))
    yield from map(_end, history.invocations)


def _beginning(invocation: Invocation) -> _Entry:
    records = invocation.event.get("Records") or [{}]
    jobs = f" with {len(records)} records" if "body" in records[0] else ""
    text = f"begins {invocation.request_id}{jobs}"
    return _Entry(invocation.started_at, invocation.environment, text)


def _end(invocation: Invocation) -> _Entry:
    returned = (invocation.answer or {}).get("batchItemFailures") or ()
    left = f", {len(returned)} to be delivered again" if returned else ""
    ended_at = math.inf if invocation.ended_at is None else invocation.ended_at
    error = f": {invocation.error!r}" if invocation.error else ""
    return _Entry(ended_at, invocation.environment, f"{invocation.end}{left}{error}")


def _attempt(attempt: Attempt) -> Iterator[_Entry]:
    """Tell of each SendBounce call, and of any other call that met a trouble or was refused."""
    what = _what(attempt)
    sends = attempt.call == SEND_BOUNCE
    if sends or attempt.trouble or attempt.result not in (DONE, ""):
        trouble = f" [{attempt.trouble}]" if attempt.trouble else ""
        raised = f" -> {attempt.raised}" if attempt.raised else ""
        yield _Entry(attempt.started_at, attempt.caller, f"{what}{trouble}{raised}")
    if attempt.arrived_at is not None and (sends or attempt.is_late):
        name = attempt.call.partition(".")[0]
        late = ", after its caller gave up" if attempt.is_late else ""
        yield _Entry(attempt.arrived_at, name, f"{what}: {attempt.result}{late}")


def _what(attempt: Attempt) -> str:
    if attempt.call == SEND_BOUNCE:
        mail, recipient = bounced_by(attempt)[0]
        return f"send_bounce {mail} {recipient:.24}"
    key = attempt.arguments.get("Key") or attempt.arguments.get("Item") or {}
    name = key if isinstance(key, str) else key.get("id", {}).get("S", "")  # S3's is a text
    return f"{attempt.call} {name:.36}".rstrip()


def _journal(line: JournalLine) -> str:
    members = line.members
    error = members.get("error", "")
    subject = members.get("message_id") or members.get("reference") or members.get("record") or ""
    said = outcome(line) if "reason" in members else line.event
    return f"journal: {said} {subject} {error}".rstrip()
