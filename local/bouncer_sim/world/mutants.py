"""Mistakes planted into the deployed classes, to see whether the laws find them.

A mutant replaces one function for the length of a `with`. It is found by a seed in which it breaks
a law that the unchanged code keeps in the same seed.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from unittest.mock import patch

from bouncer.intake import Intake
from bouncer.jobs.job import Job
from bouncer.judge import Disposition, Judgement
from bouncer.operator_settings import Settings
from bouncer.reasons import Reason
from bouncer.sending import gate, ledger
from bouncer.sending.ledger import Ledger
from bouncer.sending.pacer import Pacer
from bouncer.sending.queue import WorkerQueue
from bouncer.sending.ses_errors import UnknownOutcomeError
from bouncer.worker import Worker
from bouncer_sim.world.laws import breaches
from bouncer_sim.world.scenario_draw import draw
from bouncer_sim.world.simulated_world import SimulatedWorld


@dataclass(frozen=True, slots=True)
class Mutant:
    """A mistake: its name, the patch that plants it, and the laws of which it must break one."""

    name: str
    plant: Callable[[], AbstractContextManager[object]]
    laws: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The seed and the law by which a mutant was found, or None for both."""

    mutant: str
    seed: int | None
    law: str | None


def search(mutant: Mutant, seeds: Iterable[int]) -> Verdict:
    """Run seeds with the mistake and without it until a law tells the two apart."""
    for seed in seeds:
        with mutant.plant():
            broken = _broken(seed) & set(mutant.laws)
        if broken and (new := broken - _broken(seed)):
            return Verdict(mutant.name, seed, min(new))
    return Verdict(mutant.name, None, None)


def _broken(seed: int) -> set[str]:
    return {breach.law for breach in breaches(SimulatedWorld(draw(seed)).run())}


def _replaced(owner: Any, name: str, function: object) -> Callable[[], Any]:
    return lambda: patch.object(owner, name, function)


_send = Worker._send  # noqa: SLF001  # a mutant changes what nobody else may
_withheld = gate.withheld


def _send_unclaimed(self: Worker, job: Job, in_force: Settings, until: float, _: str) -> None:
    """Send first and claim afterwards."""
    reason = _withheld(job, now=self._now(), answered=(), settings=in_force)
    if reason is not None:
        self._outcomes.withheld(job, in_force, reason)
        return
    self._send(job, in_force, until)
    self._ledger.claim(job, now=self._now(), claimant="late")


def _send_and_release(self: Worker, job: Job, in_force: Settings, until: float) -> None:
    """Give the claim back although SES may have accepted."""
    send = self._sender.send

    def unsure(job: Job) -> str:
        try:
            return send(job)
        except UnknownOutcomeError:
            self._release(job)
            raise

    with patch.object(self._sender, "send", unsure):
        _send(self, job, in_force, until)


def _withheld_late(job: Job, *, now: datetime, answered: Any, settings: Settings) -> Reason | None:
    """Forget the margin before the end of the 24 hours."""
    patient = replace(settings, expiry_margin_s=0)
    return _withheld(job, now=now, answered=answered, settings=patient)


def _withheld_early(job: Job, *, now: datetime, answered: Any, settings: Settings) -> Reason | None:
    """Count the margin twice."""
    hasty = replace(settings, expiry_margin_s=2 * settings.expiry_margin_s + 60)
    return _withheld(job, now=now, answered=answered, settings=hasty)


def _carry_out_unsure(self: Intake, judgement: Judgement | None, _: Settings) -> Disposition:
    """Stop the mail whether or not its job is in the queue."""
    if judgement is None:
        return Disposition.CONTINUE
    for job in judgement.jobs:
        try:
            self._jobs.send(job)
        except Exception as error:  # noqa: BLE001  # the mistake
            self._journal.intake_failed("queue", error, judgement.message.message_id)
    return judgement.disposition


def _never_held(self: Pacer) -> None:
    """Keep no slot."""


def _always_claimed(*_: Any) -> bool:
    """Claim without asking the table."""
    return True


def _answer_done(handle: Callable[..., Any]) -> Callable[..., Any]:
    def done(self: Worker, records: Any, **more: Any) -> dict[str, list[dict[str, str]]]:
        """Report a batch as done whose jobs were handed back."""
        handle(self, records, **more)
        return {"batchItemFailures": []}

    return done


def _first_recipient(job: Job, recipient: str) -> str:
    """Key the claims of a mail by its first letter."""
    return f"{job.message_id} {recipient[:1]}"


def _not_buried(self: WorkerQueue, record: Any) -> None:
    """Delete the record without putting it into the dead-letter queue."""


_PACE = "no_two_calls_arrive_within_a_second"
_TWICE = "no_recipient_of_a_mail_is_bounced_twice"
_TRUE = "every_outcome_is_true"
_ENDS = "every_job_ends"
_LATE = "nothing_starts_after_its_24_hours"
_EARLY = "nothing_expires_early"
_SILENT = "no_mail_is_stopped_and_silent"
_KEPT = "every_message_that_is_not_a_job_is_kept"

MUTANTS = (
    Mutant("claim after the call", _replaced(Worker, "_job", _send_unclaimed), (_TWICE,)),
    Mutant(
        "claim without a condition", _replaced(Ledger, "_claim_one", _always_claimed), (_TWICE,)
    ),
    Mutant("slot not kept", _replaced(Pacer, "hold", _never_held), (_PACE,)),
    Mutant("release on unknown outcome", _replaced(Worker, "_send", _send_and_release), (_TWICE,)),
    Mutant("margin forgotten", _replaced(gate, "withheld", _withheld_late), (_LATE,)),
    Mutant("expired too early", _replaced(gate, "withheld", _withheld_early), (_EARLY,)),
    Mutant("stopped without a job", _replaced(Intake, "_carry_out", _carry_out_unsure), (_SILENT,)),
    Mutant("deleted undone", _replaced(Worker, "handle", _answer_done(Worker.handle)), (_ENDS,)),
    Mutant("dead letter not put", _replaced(WorkerQueue, "bury", _not_buried), (_KEPT,)),
    Mutant("one claim for several", _replaced(ledger, "_key", _first_recipient), (_TRUE,)),
)
