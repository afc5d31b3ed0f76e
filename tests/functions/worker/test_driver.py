"""The worker's driver, by which replay sends: jobs of a held deployment don't keep it waiting."""

from dataclasses import replace
from pathlib import Path

import pytest

from bouncer.judge import judge
from bouncer.mail.message import read_event
from bouncer.operator_settings import Settings
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset
from bouncer_sim.clock import SimulatedClock
from bouncer_sim.worker_driver import Outcome, sending
from tests.infra.journal_lines import NOW, event

MAIL = event("eve@partner.example")


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
    with sending(out=tmp_path, clock=clock, settings=settings, verified=["example.com"]) as driver:
        driver.submit(job, message, b"Subject: Hello")
        assert driver.drain() == {job.reference: outcome}
    assert bool(list(tmp_path.glob("*.eml"))) is not held


def test_caps_hold_as_they_do_in_aws(tmp_path: Path) -> None:
    """A replay that sends shows the bounces that a deployment with these settings would send."""
    settings = Settings(bounce_sender="bounces@example.com").overlaid("caps: {sender: {24h: 1}}")
    rule = read_rule("r", "when: {recipient: ann@example.com}\nreject: {type: DoesNotExist}")
    clock = SimulatedClock(NOW.timestamp())
    mails = [replace(each, message_id=f"m{n}") for n in range(2) for each in read_event(MAIL)]
    jobs = [judge(each, Ruleset([rule]), settings, now=NOW).jobs[0] for each in mails]
    with sending(out=tmp_path, clock=clock, settings=settings, verified=["example.com"]) as driver:
        for job, message in zip(jobs, mails, strict=True):
            driver.submit(job, message, b"Subject: Hello")
        found = driver.drain()
    assert [found[job.reference] for job in jobs] == [
        Outcome(status="sent"),
        Outcome(status="withheld", reason="capped"),
    ]
    assert len(list(tmp_path.glob("*.eml"))) == 1
