"""Caps hold over crashes and redeliveries, and their laws break where nothing is capped."""

import pytest

from bouncer.sending import gate
from bouncer.sending.counters import Capped
from bouncer_sim.world.incident import CallIncident, Trouble
from bouncer_sim.world.laws import breaches
from bouncer_sim.world.scenario import JobWaits, Scenario
from bouncer_sim.world.simulated_world import History, SimulatedWorld

# Eight mails of one sender to one mailbox: three more than the default allows in a day.
JOBS = tuple(
    JobWaits(at=0.0, message_id=f"m{number}", recipients=("ann@example.com",))
    for number in range(8)
)


def run(*incidents: CallIncident) -> History:
    return SimulatedWorld(Scenario(name="caps", steps=JOBS, incidents=incidents)).run()


def ends(history: History) -> list[str]:
    """The end of each job, `sent` or the reason, in the order of time."""
    lines = [line for line in history.lines if "record" in line.members]
    return [
        line.members.get("reason", line.event) for line in lines if not line.members.get("again")
    ]


@pytest.mark.parametrize(
    "trouble", [Trouble.CRASH_BEFORE, Trouble.CRASH_AFTER, Trouble.LOST_ANSWER, Trouble.THROTTLED]
)
@pytest.mark.parametrize("call", ["ses.send_bounce", "dynamodb.transact_write_items"])
def test_caps_hold_whatever_happens_to_a_call(call: str, trouble: Trouble) -> None:
    """The third job is begun once, or more often; it counts once, and the cap is met exactly."""
    history = run(CallIncident(call=call, nth=3, trouble=trouble))
    assert not [breach for breach in breaches(history) if "cap" in breach.law]
    assert ends(history).count("capped") == 3
    assert len(ends(history)) == 8


def test_the_law_breaks_where_nothing_is_capped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate that caps nobody is found."""
    monkeypatch.setattr(gate, "capped", lambda *_, **__: Capped())
    laws = {breach.law for breach in breaches(run())}
    assert laws == {"no_recipient_and_rule_pass_their_cap"}
