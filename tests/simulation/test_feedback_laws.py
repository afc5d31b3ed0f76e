"""Events of bounces suppress whom they should, however early, late or often they come."""

import pytest

from bouncer.sending.bounce_event import Kind
from bouncer_sim.world.event_bus import OUR_SENDER
from bouncer_sim.world.incident import CallIncident, Incident, InvocationIncident, Mishap, Trouble
from bouncer_sim.world.laws import breaches
from bouncer_sim.world.scenario import BounceFate, JobWaits, OtherEvent, Scenario, Step
from bouncer_sim.world.simulated_world import History, SimulatedWorld

HOUR_S = 3600.0


def job(number: int, at: float = 0.0, sender: str = "eve@partner.example") -> JobWaits:
    return JobWaits(
        at=at, message_id=f"m{number}", recipients=(f"u{number}@example.com",), sender=sender
    )


def fate(kind: Kind, after_s: float = 0.0, nth: int = 1) -> BounceFate:
    return BounceFate(nth=nth, kind=kind, after_s=after_s)


def run(*parts: Step | BounceFate | Incident) -> History:
    steps = (JobWaits, OtherEvent)
    scenario = Scenario(
        name="feedback",
        steps=tuple(part for part in parts if isinstance(part, steps)),
        fates=tuple(part for part in parts if isinstance(part, BounceFate)),
        incidents=tuple(
            part for part in parts if isinstance(part, CallIncident | InvocationIncident)
        ),
    )
    history = SimulatedWorld(scenario).run()
    assert breaches(history) == []
    return history


def ends(history: History) -> list[str]:
    """The end of each job, `sent` or the reason, in the order of time."""
    return [
        line.members.get("reason", line.event)
        for line in history.lines
        if "record" in line.members and not line.members.get("again")
    ]


def said(history: History) -> list[str]:
    """The events of the feedback function's lines."""
    return [line.event for line in history.lines if line.environment.startswith("feedback")]


@pytest.mark.threat
@pytest.mark.parametrize("after_s", [0.0, 60.0, HOUR_S])
@pytest.mark.parametrize("kind", list(Kind))
def test_the_next_job_of_a_sender_waits_for_no_event(kind: Kind, after_s: float) -> None:
    """A permanent bounce and a complaint withhold it, a transient one does not."""
    history = run(job(1), fate(kind, after_s), job(2, at=2 * HOUR_S))
    expected = "sent" if kind is Kind.TRANSIENT else "sender_bounced_before"
    assert ends(history) == ["sent", expected]


def test_an_event_that_is_early_is_looked_up_again() -> None:
    """It comes before the worker has noted the bounce, and 3 minutes later again."""
    lost = [
        CallIncident(call="dynamodb.transact_write_items", nth=nth, trouble=Trouble.UNAVAILABLE)
        for nth in (2, 3, 4, 5, 6)
    ]
    history = run(job(1), fate(Kind.PERMANENT), *lost, job(2, at=HOUR_S))
    assert said(history)[-1] == "bounce_bounced"
    assert "event_waits" in said(history)
    assert ends(history) == ["sent", "sender_bounced_before"]


@pytest.mark.threat
def test_an_event_that_comes_three_times_counts_once() -> None:
    """Twice on the bus, and once more as the function was invoked twice."""
    twice = InvocationIncident(function="feedback", nth=1, mishap=Mishap.TWICE)
    fates = [fate(Kind.PERMANENT, 60.0), fate(Kind.COMPLAINT, 90.0)]
    history = run(job(1), *fates, twice)
    assert sorted(said(history)) == ["bounce_bounced", "event_repeated", "event_repeated"]


@pytest.mark.threat
@pytest.mark.parametrize("source", [OUR_SENDER, "shop@example.com"])
def test_an_event_of_other_mail_suppresses_nobody(source: str) -> None:
    """One that comes from our sender is looked up for 15 minutes all the same."""
    other = OtherEvent(at=1.0, mail_id="0102-x", kind=Kind.PERMANENT, source=source)
    history = run(job(1), other, job(2, at=HOUR_S))
    assert ends(history) == ["sent", "sent"]
    assert said(history)[-1] == "event_ignored"
    assert said(history).count("event_waits") == (5 if source == OUR_SENDER else 0)


@pytest.mark.parametrize("mishap", [Mishap.KILLED, Mishap.ANSWER_LOST])
def test_a_function_that_dies_loses_no_event(mishap: Mishap) -> None:
    """The queue hands it out again after the visibility timeout."""
    dies = InvocationIncident(function="feedback", nth=1, mishap=mishap, seconds=0.01)
    history = run(job(1), fate(Kind.PERMANENT, 60.0), dies, job(2, at=HOUR_S))
    assert ends(history) == ["sent", "sender_bounced_before"]
