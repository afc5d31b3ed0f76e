"""The worker's driver, by which replay sends: every job ends, whatever becomes of its bounce."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from bouncer.caps import NO_CAPS
from bouncer.jobs.job import Job
from bouncer.judge import judge
from bouncer.mail.message import read_event
from bouncer.operator_settings import Settings
from bouncer.rules.bounce_limit import BounceLimit
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset
from bouncer.settings_reader import overlaid
from bouncer_sim.bounce_outcome import Outcome
from bouncer_sim.clock import Clock, SimulatedClock, SystemClock
from bouncer_sim.worker_driver import WorkerDriver
from tests.infra.journal_lines import NOW, event

RULE = read_rule("r", "when: {recipient: ann@example.com}\nreject: {type: DoesNotExist}")
IN_FORCE = Settings(bounce_sender="bounces@example.com", caps=NO_CAPS)


def submit(driver: WorkerDriver, message_id: str = "m1") -> Job:
    """Submit the job of a mail to Ann."""
    mail = event("eve@partner.example")
    mail["Records"][0]["ses"]["mail"]["messageId"] = message_id
    (message,) = read_event(mail)
    (job,) = judge(message, Ruleset([RULE]), IN_FORCE, now=NOW).jobs
    driver.submit(job, message, b"Subject: Hello")
    return job


def driver_in(folder: Path, clock: Clock, settings: Settings = IN_FORCE) -> WorkerDriver:
    return WorkerDriver(out=folder, clock=clock, settings=settings, verified=["example.com"])


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(NOW.timestamp())


@pytest.mark.parametrize(
    ("held", "outcome"),
    [(True, Outcome(status="queued", reason="held")), (False, Outcome(status="sent"))],
)
def test_held_jobs_stay_queued(
    tmp_path: Path, clock: SimulatedClock, *, held: bool, outcome: Outcome
) -> None:
    """In AWS they would wait for an operator, for up to a day."""
    driver = driver_in(tmp_path, clock, replace(IN_FORCE, sending=not held))
    job = submit(driver)
    assert driver.drain() == {job.reference: outcome}
    assert bool(list(tmp_path.glob("*.eml"))) is not held


def test_a_repeated_mail_is_one_job_and_later_a_duplicate(
    tmp_path: Path, clock: SimulatedClock
) -> None:
    """SQS drops the same job for five minutes; after that the ledger knows whom it answered."""
    driver = driver_in(tmp_path, clock)
    job = submit(driver)
    assert driver.drain() == {job.reference: Outcome(status="sent")}
    submit(driver)
    assert driver.drain() == {}
    clock.sleep(300)
    submit(driver)
    assert driver.drain() == {job.reference: Outcome(status="withheld", reason="duplicate")}
    assert len(list(tmp_path.glob("*.eml"))) == 1


def test_a_batch_takes_a_second_for_each_bounce(tmp_path: Path, clock: SimulatedClock) -> None:
    """The simulated clock shows the real pace, in order of submission."""
    driver = driver_in(tmp_path, clock)
    jobs = [submit(driver, f"m{number}") for number in range(12)]
    began = clock.time()
    assert list(driver.drain()) == [job.reference for job in jobs]
    assert 11 <= clock.time() - began < 12
    assert len(list(tmp_path.glob("*.eml"))) == 12


def test_a_bounce_that_cannot_be_written_has_failed(tmp_path: Path, clock: SimulatedClock) -> None:
    """An internal error of SES does not say if the bounce was sent, so it is not sent again."""
    folder = tmp_path / "out"
    driver = driver_in(folder, clock)
    folder.rmdir()
    submit(driver)
    (outcome,) = driver.drain().values()
    assert outcome.status == "failed"
    assert outcome.reason is not None
    assert "InternalFailure: The fake SES failed: FileNotFoundError" in outcome.reason
    folder.mkdir()
    assert driver.drain() == {}
    assert not list(folder.iterdir())


def test_in_real_time_the_second_bounce_waits_a_second(tmp_path: Path) -> None:
    """With the system's clock nothing is faster than at AWS."""
    driver = driver_in(tmp_path, SystemClock())
    assert driver.batch == 1
    for message_id in ("m1", "m2"):
        submit(driver, message_id)
    began = time.monotonic()
    assert {outcome.status for outcome in driver.drain().values()} == {"sent"}
    assert time.monotonic() - began >= 1.0


def test_caps_hold_as_they_do_in_aws(tmp_path: Path, clock: SimulatedClock) -> None:
    """A replay that sends shows the bounces that a deployment with these settings would send."""
    driver = driver_in(tmp_path, clock, overlaid(IN_FORCE, "caps: {sender: {24h: 1}}"))
    jobs = [submit(driver, message_id) for message_id in ("m1", "m2")]
    found = driver.drain()
    assert [found[job.reference] for job in jobs] == [
        Outcome(status="sent"),
        Outcome(status="withheld", reason="capped"),
    ]
    assert len(list(tmp_path.glob("*.eml"))) == 1


def test_bounces_beyond_a_limit_are_withheld(tmp_path: Path, clock: SimulatedClock) -> None:
    """A replay counts what `at_most` would withhold, as it does for caps."""
    limits = {"r": BounceLimit(1, 3600)}
    driver = WorkerDriver(
        out=tmp_path, clock=clock, settings=IN_FORCE, verified=["example.com"], limits=limits
    )
    jobs = [submit(driver, f"m{number}") for number in range(3)]
    outcomes = driver.drain()
    ends = [outcomes[job.reference] for job in jobs]
    assert ends == [Outcome(status="sent"), *[Outcome(status="withheld", reason="braked")] * 2]
