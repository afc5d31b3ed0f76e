"""The laws of the brake: a rule sends no more than its `at_most`, and a trip is never lost.

They look at the rule of jobs that wait, whose document no scenario changes. Each law is a function
whose first sentence is the promise, as in `sending_laws`.
"""

from bouncer.reasons import Reason
from bouncer.sending.brakes import BRAKES, braked_rules
from bouncer_sim.world.cap_laws import ROUNDED_S, accepted, received_at, too_many
from bouncer_sim.world.evidence import Evidence, Found
from bouncer_sim.world.scenario import HOUR_S, RULE_OF_JOBS


def no_rule_sends_more_than_its_at_most(evidence: Evidence) -> Found:
    """SES accepts no more bounces of one rule, for the mails of a time, than its at_most allows."""
    limit = evidence.history.scenario.at_most
    if not limit:
        return
    by_mail = {
        queued.job.message_id: received_at(queued)
        for queued, _ in accepted(evidence)
        if any(each.rule == RULE_OF_JOBS for each in queued.job.refusals)
    }
    if at := too_many(sorted(by_mail.values()), limit, HOUR_S - ROUNDED_S):
        yield at, f"rule {RULE_OF_JOBS} sends over {limit} bounces in an hour"


def a_trip_is_never_lost(evidence: Evidence) -> Found:
    """When a job has ended as braked, the ledger names its rule as braked from then on."""
    braked = braked_rules(evidence.history.ledger.get(BRAKES, {}))
    for record, (ending, *_) in evidence.endings.items():
        if ending.item.reason != Reason.BRAKED:
            continue
        rules = {each.rule for each in evidence.jobs[record].job.refusals}
        if not rules <= braked:
            yield ending.at, f"{record} ended as braked, and {rules - braked} is not braked"
