"""The breaker holds sending in the world when it should, and its laws break where it does not."""

import pytest

from bouncer import feedback
from bouncer.sending.bounce_event import Kind
from bouncer.sources.source import HELD
from bouncer_sim.world.laws import breaches
from bouncer_sim.world.scenario import BounceFate, JobWaits, ParameterChanges, Scenario
from bouncer_sim.world.simulated_world import History, SimulatedWorld

HOUR_S = 3600.0


def campaign(*, hosts: int, count: int = 30, more: int = 0, resumed_at: float = 0.0) -> Scenario:
    """Mails of many senders whose bounces bounce, and `more` that come hours later."""
    jobs = [
        JobWaits(
            at=0.0 if number < count else 3 * HOUR_S,
            message_id=f"m{number}",
            recipients=(f"{number}@example.com",),
            sender=f"{number}@h{number % hosts}.example",
        )
        for number in range(count + more)
    ]
    fates = (BounceFate(nth=nth, kind=Kind.PERMANENT, after_s=5.0) for nth in range(1, count + 1))
    resume = [ParameterChanges(at=resumed_at, name=HELD, text=None)] if resumed_at else []
    return Scenario(name="campaign", steps=(*jobs, *resume), fates=tuple(fates))


def run(scenario: Scenario) -> History:
    history = SimulatedWorld(scenario).run()
    assert breaches(history) == []
    return history


def trips(history: History) -> int:
    return sum(line.event == "breaker_tripped" for line in history.lines)


def test_a_campaign_of_many_organisations_holds_sending() -> None:
    """Jobs that come later wait until they expire, as nobody resumes it."""
    history = run(campaign(hosts=30, more=3))
    assert trips(history) == 1
    ends = [line.members.get("reason") for line in history.lines if line.event == "withheld"]
    assert ends == ["expired"] * 3


def test_after_a_resume_the_same_campaign_does_not_trip_it_again() -> None:
    """Late events of its bounces change nothing, and new bounces are sent."""
    history = run(campaign(hosts=30, more=3, resumed_at=2 * HOUR_S))
    assert trips(history) == 1
    assert [line.event for line in history.lines if line.event == "withheld"] == []


@pytest.mark.parametrize("hosts", [1, 6])
def test_a_few_organisations_cannot_trip_it(hosts: int) -> None:
    """Six domains are eighteen double bounces, however many bounced."""
    assert trips(run(campaign(hosts=hosts))) == 0


def test_the_law_breaks_where_nothing_trips(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that never finds a cause is found."""
    monkeypatch.setattr(feedback, "cause_to_hold", lambda *_: "")
    laws = {breach.law for breach in breaches(SimulatedWorld(campaign(hosts=30)).run())}
    assert laws == {"the_breaker_holds_when_due"}
