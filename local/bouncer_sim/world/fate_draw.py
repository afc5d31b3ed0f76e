"""Draws what becomes of a scenario's bounces, after all else: most scenarios have no event."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from bouncer.sending.bounce_event import Kind
from bouncer.sources.source import HELD
from bouncer_sim.world.event_bus import OUR_SENDER
from bouncer_sim.world.incident import CallIncident, Incident, InvocationIncident, Mishap, Trouble
from bouncer_sim.world.scenario import (
    BounceFate,
    JobWaits,
    MailArrives,
    OtherEvent,
    ParameterChanges,
    Scenario,
    Step,
)

_SELDOM = 4
_SENDERS = ("eve@partner.example", "Eve+x@partner.example", "fay@partner.example", "guy@b.example")
_OTHERS = (OUR_SENDER, "shop@example.com", "")
_CALLS = ("events.receive_message", "events.delete_message_batch")
_TROUBLES = (Trouble.LOST_ANSWER, Trouble.UNAVAILABLE, Trouble.UNREACHABLE)


def with_fates(scenario: Scenario, random: Random) -> Scenario:
    """Return a scenario whose bounces may bounce, from several senders; or it as it is."""
    if random.randrange(_SELDOM):
        return scenario
    if random.randrange(_SELDOM) == 0:
        return _with_campaign(scenario, random)
    senders: dict[str, str] = {}
    steps = [_from_somebody(step, senders, random) for step in scenario.steps]
    steps += _other_events(random)
    return replace(
        scenario,
        steps=tuple(sorted(steps, key=lambda step: step.at)),
        incidents=(*scenario.incidents, *_incidents(random)),
        fates=tuple(_fates(random)),
    )


def _with_campaign(scenario: Scenario, random: Random) -> Scenario:
    """Add mails whose bounces nearly all bounce: of many organisations, or of a few."""
    hosts = random.choice((2, 6, 8, 40))
    jobs = [
        JobWaits(
            at=random.uniform(0, 60),
            message_id=f"campaign{number}",
            recipients=(f"{number}@example.com",),
            sender=f"{number}@h{random.randrange(hosts)}.example",
        )
        for number in range(random.choice((15, 30, 40)))
    ]
    fates = (
        BounceFate(nth=nth, kind=Kind.PERMANENT, after_s=random.uniform(0, 60))
        for nth in range(1, len(jobs) + 1)
        if random.randrange(10)
    )
    steps: list[Step] = [*scenario.steps, *jobs]
    if random.randrange(2):  # a person resumes it, later
        at = random.choice((300.0, 1000.0, 7200.0))
        steps.append(ParameterChanges(at=at, name=HELD, text=None))
    return replace(
        scenario,
        steps=tuple(sorted(steps, key=lambda step: step.at)),
        fates=tuple(fates),
    )


def _from_somebody(step: Step, senders: dict[str, str], random: Random) -> Step:
    """Give a mail, and all of its jobs, one of a few senders; one without a sender stays so."""
    if not isinstance(step, MailArrives | JobWaits) or not step.sender:
        return step
    sender = senders.setdefault(step.message_id, random.choice(_SENDERS))
    return replace(step, sender=sender)


def _fates(random: Random) -> Iterator[BounceFate]:
    for nth in range(1, random.choice((2, 4, 8))):
        for _ in range(random.choice((0, 1, 1, 1, 2))):
            yield BounceFate(
                nth=nth,
                kind=random.choice((Kind.PERMANENT, *Kind)),
                after_s=random.choice((0.0, 0.0, random.uniform(0, 5), random.uniform(0, 900))),
            )


def _other_events(random: Random) -> Iterator[OtherEvent]:
    for number in range(random.choice((0, 0, 1, 2))):
        yield OtherEvent(
            at=random.uniform(0, 100),
            mail_id=f"other{number}",
            kind=random.choice(tuple(Kind)),
            source=random.choice(_OTHERS),
        )


def _incidents(random: Random) -> Iterator[Incident]:
    for _ in range(random.choice((0, 0, 1, 2))):
        mishap = random.choice((Mishap.TWICE, Mishap.KILLED, Mishap.ANSWER_LOST, Mishap.COLD))
        seconds = random.uniform(0.0, 0.1) if mishap is Mishap.KILLED else 0.0
        nth = random.choice((1, 1, 2, 3))
        yield InvocationIncident(function="feedback", nth=nth, mishap=mishap, seconds=seconds)
    for _ in range(random.choice((0, 0, 1))):
        call, trouble = random.choice(_CALLS), random.choice(_TROUBLES)
        yield CallIncident(call=call, nth=random.choice((1, 2, 3)), trouble=trouble)
