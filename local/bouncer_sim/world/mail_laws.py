"""The laws of the intake: no mail is lost, and none is stopped without a word."""

from typing import Any

from bouncer.reasons import Reason
from bouncer.rules.rule import Action
from bouncer.sources.stopped_mail import read_key
from bouncer_sim.world.evidence import Evidence, Found
from bouncer_sim.world.simulated_world import raw_mail


def nothing_is_sent_that_the_guard_forbids(evidence: Evidence) -> Found:
    """No bounce is sent for a mail that is forged, comes from a machine, or has no sender."""
    steps = (mail.step for mail in evidence.history.mails)
    forbidden = {step.message_id for step in steps if not step.may_be_answered}
    for (message_id, recipient), calls in evidence.accepted.items():
        if message_id in forbidden:
            yield calls[0].arrived_at or 0.0, f"{message_id} is bounced for {recipient}"


def no_mail_is_stopped_and_silent(evidence: Evidence) -> Found:
    """A mail is stopped for its jobs, a reason about its sender, or a rule that drops it."""
    jobs = evidence.jobs.values()
    for mail in evidence.history.mails:
        if not any(answer.startswith("STOP") for answer in mail.answers):
            continue
        message_id = mail.step.message_id
        mine = [queued.recipients for queued in jobs if queued.job.message_id == message_id]
        answered = frozenset[str]().union(*mine)
        excused = _excused(evidence, message_id)
        for recipient in sorted({each.lower() for each in mail.step.recipients}):
            if recipient not in answered | excused:
                yield mail.received_at, f"{message_id} {recipient:.40} is stopped and silent"


def every_stopped_mail_is_kept(evidence: Evidence) -> Found:
    """A mail that SES stored and that is stopped for its bounces is kept, byte for byte."""
    if not evidence.history.scenario.stores:
        return
    found = ((read_key(key), data) for key, data in evidence.history.kept.items())
    kept = {stopped.message_id: data for stopped, data in found if stopped}
    bounced = {queued.job.message_id for queued in evidence.jobs.values()}
    for mail in evidence.history.mails:
        message_id = mail.step.message_id
        stopped = message_id in bounced and any(
            answer.startswith("STOP") for answer in mail.answers
        )
        if stopped and kept.get(message_id) != raw_mail(mail.step):
            yield mail.received_at, f"{message_id} is stopped, and nobody has it"


def _excused(evidence: Evidence, message_id: str) -> set[str]:
    """Return the recipients that the guard withheld, or a rule dropped."""
    lines = [line for line in evidence.history.lines if line.event == "mail"]
    decisions = (
        decision
        for line in lines
        if line.members["message_id"] == message_id
        for decision in line.members["decisions"]
    )
    return {
        decision["recipient"].lower()
        for decision in decisions
        if decision["action"] == Action.DROP or _is_about_sender(decision["withheld"])
    }


def _is_about_sender(reason: Any) -> bool:
    return bool(reason and Reason(reason).about_sender)


def every_bounced_mail_is_reported(evidence: Evidence) -> Found:
    """A mail whose job was queued by an intake that answered has a line with the job."""
    reported = {
        reference
        for line in evidence.history.lines
        for reference in line.members.get("references", ())
    }
    answered = {mail.step.message_id for mail in evidence.history.mails if not mail.unanswered}
    for queued in evidence.jobs.values():
        mail = queued.job.message_id
        if mail in answered and queued.job.reference not in reported:
            yield evidence.history.ended_at, f"{mail} has a job, but no line of the intake says so"
