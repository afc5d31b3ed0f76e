"""All laws, and the check of a run by them."""

from collections.abc import Callable
from dataclasses import dataclass

from bouncer_sim.world import (
    brake_laws,
    breaker_laws,
    cap_laws,
    feedback_laws,
    ledger_laws,
    mail_laws,
    publishing_laws,
    reason_laws,
    reply_laws,
    sending_laws,
)
from bouncer_sim.world.evidence import Evidence, Found
from bouncer_sim.world.simulated_world import History


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A law that was broken: its name, the time (seconds since the epoch) and how."""

    law: str
    at: float
    text: str


Law = Callable[[Evidence], Found]

LAWS: tuple[Law, ...] = (
    sending_laws.no_two_calls_arrive_within_a_second,
    sending_laws.no_recipient_of_a_mail_is_bounced_twice,
    sending_laws.every_job_has_one_outcome,
    sending_laws.every_job_ends,
    sending_laws.every_outcome_is_true,
    sending_laws.nothing_expires_early,
    sending_laws.nothing_starts_after_its_24_hours,
    sending_laws.nothing_is_sent_while_paused,
    sending_laws.no_job_waits_for_a_bad_one,
    sending_laws.every_dead_letter_can_be_seen,
    sending_laws.every_dead_letter_is_reported,
    sending_laws.no_function_raises,
    ledger_laws.a_job_ends_once_in_the_ledger,
    ledger_laws.an_end_stands_before_its_line,
    ledger_laws.an_end_is_counted_at_most_once,
    ledger_laws.no_dead_letter_is_put_before_its_end,
    ledger_laws.every_dead_job_can_be_found,
    ledger_laws.every_message_that_is_not_a_job_is_kept,
    reason_laws.every_reason_is_true,
    cap_laws.no_sender_gets_more_than_its_caps,
    cap_laws.no_recipient_and_rule_pass_their_cap,
    cap_laws.a_counter_has_only_jobs_that_were_begun,
    cap_laws.a_job_that_counts_was_called_for,
    brake_laws.no_rule_sends_more_than_its_at_most,
    brake_laws.a_trip_is_never_lost,
    feedback_laws.suppression_is_never_lost,
    feedback_laws.nobody_is_suppressed_without_cause,
    feedback_laws.nobody_suppressed_is_bounced,
    breaker_laws.the_breaker_holds_only_when_due,
    breaker_laws.the_breaker_holds_when_due,
    mail_laws.nothing_is_sent_that_the_guard_forbids,
    mail_laws.no_mail_is_stopped_and_silent,
    mail_laws.every_stopped_mail_is_kept,
    mail_laws.every_bounced_mail_is_reported,
    reply_laws.no_sender_gets_two_replies_of_a_rule,
    reply_laws.no_reply_is_sent_after_a_day,
    reply_laws.every_reply_is_reported_truly,
    reply_laws.every_dead_reply_is_kept,
    publishing_laws.no_mail_is_judged_by_a_refused_document,
    publishing_laws.unknown_never_stops_a_mail,
    publishing_laws.the_pointer_never_moves_back,
)


def breaches(history: History) -> list[Breach]:
    """Return all breaches of a run, in the order of time."""
    evidence = Evidence(history)
    found = [
        Breach(law=law.__name__, at=at, text=text) for law in LAWS for at, text in law(evidence)
    ]
    return sorted(found, key=lambda breach: breach.at)
