"""Mistakes in the worker, its attempts, the pace and the queue, and one in the intake."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from bouncer import guard, worker
from bouncer.intake import Intake
from bouncer.jobs.job import Job
from bouncer.journal import Journal
from bouncer.judge import Judgement
from bouncer.metric_names import Metric
from bouncer.operator_settings import Settings
from bouncer.sending import gate, queue
from bouncer.sending.attempts import Attempts
from bouncer.sending.bounce_calls import BounceCalls
from bouncer.sending.ending import Ending, Failure
from bouncer.sending.job_item import JobItem
from bouncer.sending.lease import Lease, Term
from bouncer.sending.pacer import OutOfTimeError, Pacer
from bouncer.sending.queue import Record, WorkerQueue
from bouncer.sending.terms import Terms
from bouncer.sources.loaded import Loaded
from bouncer.sources.mail_bucket import MailBucket
from bouncer.worker import Answer, Worker
from bouncer_sim.world.mutant import Mutant, replaced

_end, _write = Attempts._end, Journal._write  # noqa: SLF001  # as above
_settle, _work = Attempts._settle, Worker._work  # noqa: SLF001  # a mutant changes what
_carry_out = Intake._carry_out  # noqa: SLF001  # nobody else may
_keep = Intake._keep  # noqa: SLF001  # nobody else may
_handle, _call, _make = Worker.handle, Pacer.call, BounceCalls.make
_is_expired = gate.is_expired


def _never_held(*_: object) -> None:
    """Keep no slot."""


def _make_again(self: BounceCalls, job: Job, settings: Settings, *, until: float) -> Ending:
    """Give the claim back although SES may have accepted."""
    ending = _make(self, job, settings, until=until)
    if ending.reason == Failure.UNKNOWN:
        raise OutOfTimeError("SES did not answer")
    return ending


def _settle_as_free(self: Attempts, record: Record, job: Job, item: JobItem, terms: Terms) -> bool:
    """Take a job that was begun for one that was surely not sent."""
    self._remembered.setdefault(item.nonce, None)
    return _settle(self, record, job, item, terms)


def _expired_late(job: Job, **more: Any) -> bool:
    """Forget the margin before the end of the 24 hours."""
    patient = replace(more.pop("settings"), expiry_margin_s=0)
    return _is_expired(job, settings=patient, **more)


def _expired_early(job: Job, *, settings: Settings, **more: Any) -> bool:
    """Count the margin twice."""
    hasty = replace(settings, expiry_margin_s=2 * settings.expiry_margin_s + 60)
    return _is_expired(job, settings=hasty, **more)


def _call_unchecked(self: Pacer, send: Callable[[], str], **more: Any) -> str:
    """Look at the age of a job before its first call alone, not before a retry."""
    return _call(self, send, **{**more, "check": lambda: None})


def _terms_unheld(**more: Any) -> Terms:
    """Send although sending is held."""
    return Terms(**{**more, "held": False})


def _answer_done(self: Worker, records: Any, **more: Any) -> Answer:
    """Report a batch as done whose jobs were handed back."""
    _handle(self, records, **more)
    return {"batchItemFailures": []}


def _work_counting(self: Worker, records: Sequence[Record], term: Term, lease: Lease) -> Any:
    """Count each start, although no worker died."""
    return _work(self, records, term, replace(lease, taken_over=True))


def _end_after_its_line(  # noqa: PLR0917  # as the method that it replaces
    self: Attempts, record: Record, job: Job | None, item: JobItem, ending: Ending, terms: Terms
) -> None:
    """Report the end of a job, and then write it."""
    self._report(record, job, item, ending, terms, again=False)
    with patch.object(self, "_report"):
        _end(self, record, job, item, ending, terms)


def _end_after_its_burial(  # noqa: PLR0917  # as the method that it replaces
    self: Attempts, record: Record, job: Job | None, item: JobItem, ending: Ending, terms: Terms
) -> None:
    """Put a dead job into the dead-letter queue, and then write its end."""
    if ending.dead:
        self._bury(record, job, terms)
    _end(self, record, job, item, ending, terms)


def _write_counting(
    self: Journal, event: str, fields: Any, metrics: Any, *, level: str = "info"
) -> None:
    """Count a bounce that was sent each time that it is reported."""
    again = event == "sent" and Metric.REPEATED in metrics
    _write(self, event, fields, {**metrics, Metric.SENT: 1} if again else metrics, level=level)


def _surely_refused(_: object) -> bool:
    """Take a job whose answer was lost for one that the queue refused."""
    return False


def _not_buried(*_: object) -> None:
    """Put nothing into the dead-letter queue."""


def _carry_out_unsure(self: Intake, judgement: Judgement, loaded: Loaded) -> Any:
    """Stop the mail whether or not its job is in the queue."""
    handled = _carry_out(self, judgement, loaded)
    stopped = handled.judgement._replace(disposition=judgement.disposition)
    return handled._replace(judgement=stopped)


def _keep_unsure(self: Intake, judgement: Judgement, mails: MailBucket, loaded: Loaded) -> Any:
    """Stop a mail whether or not it was kept."""
    return judgement, _keep(self, judgement, mails, loaded)[1]


def _never_withheld(*_: object) -> None:
    """Answer every mail."""


_PACE = "no_two_calls_arrive_within_a_second"
_TWICE = "no_recipient_of_a_mail_is_bounced_twice"
_LATE = "nothing_starts_after_its_24_hours"
_EARLY = "nothing_expires_early"
_HELD = "nothing_is_sent_while_paused"
_ENDS = "every_job_ends"
_FIRST = "an_end_stands_before_its_line"
_BURIED = "no_dead_letter_is_put_before_its_end"
_COUNTED = "an_end_is_counted_at_most_once"
_REASON = "every_reason_is_true"
_FOUND = "every_dead_job_can_be_found"
_REPORTED = "every_bounced_mail_is_reported"
_GUARD = "nothing_is_sent_that_the_guard_forbids"
_SILENT = "no_mail_is_stopped_and_silent"
_KEPT = "every_stopped_mail_is_kept"

SENDING_MUTANTS = (
    Mutant("slot not kept", replaced(Pacer, _wait_until=_never_held), (_PACE,)),
    Mutant("release on unknown outcome", replaced(BounceCalls, make=_make_again), (_TWICE,)),
    Mutant("lost answer read as free", replaced(Attempts, _settle=_settle_as_free), (_TWICE,)),
    Mutant("margin forgotten", replaced(gate, is_expired=_expired_late), (_LATE,)),
    Mutant("expired too early", replaced(gate, is_expired=_expired_early), (_EARLY,)),
    Mutant("age not looked at before a retry", replaced(Pacer, call=_call_unchecked), (_LATE,)),
    Mutant("sent although held", replaced(worker, Terms=_terms_unheld), (_HELD,)),
    Mutant("deleted undone", replaced(Worker, handle=_answer_done), (_ENDS,)),
    Mutant("end written after its line", replaced(Attempts, _end=_end_after_its_line), (_FIRST,)),
    Mutant("buried before its end", replaced(Attempts, _end=_end_after_its_burial), (_BURIED,)),
    Mutant("`again` counted", replaced(Journal, _write=_write_counting), (_COUNTED,)),
    Mutant("poison counted without a death", replaced(Worker, _work=_work_counting), (_REASON,)),
    Mutant("dead letter not put", replaced(WorkerQueue, bury=_not_buried), (_FOUND,)),
    Mutant("guard not asked", replaced(guard, withheld=_never_withheld), (_GUARD,)),
    Mutant("stopped without a job", replaced(Intake, _carry_out=_carry_out_unsure), (_SILENT,)),
    Mutant("stopped without a copy", replaced(Intake, _keep=_keep_unsure), (_KEPT,)),
    Mutant(
        "lost answer of the queue forgotten",
        replaced(queue, may_have_worked=_surely_refused),
        (_REPORTED,),
    ),
)
