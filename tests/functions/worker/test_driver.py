"""The worker's driver, by which replay sends: jobs of a held deployment don't keep it waiting."""

from pathlib import Path

import pytest

from bouncer.judge import judge
from bouncer.mail.message import read_event
from bouncer.operator_settings import Settings
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset
from bouncer_sim.bounce_outcome import Outcome
from bouncer_sim.clock import SimulatedClock
from bouncer_sim.worker_driver import WorkerDriver
from tests.infra.journal_lines import NOW, event


@pytest.mark.parametrize(
    ("held", "outcome"),
    [(True, Outcome(status="queued", reason="held")), (False, Outcome(status="sent"))],
)
def test_held_jobs_stay_queued(tmp_path: Path, *, held: bool, outcome: Outcome) -> None:
    """In AWS they would wait for an operator, for up to a day."""
    settings = Settings(sending=not held, bounce_sender="bounces@example.com")
    rule = read_rule("r", "when: {recipient: ann@example.com}\nreject: {type: DoesNotExist}")
    (message,) = read_event(event("eve@partner.example"))
    (job,) = judge(message, Ruleset([rule]), settings, now=NOW).jobs
    clock = SimulatedClock(NOW.timestamp())
    driver = WorkerDriver(out=tmp_path, clock=clock, settings=settings, verified=["example.com"])
    driver.submit(job, message, b"Subject: Hello")
    assert driver.drain() == {job.reference: outcome}
    assert bool(list(tmp_path.glob("*.eml"))) is not held
