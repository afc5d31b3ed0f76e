"""The law of dead jobs that the dead-letter queue refused: each can be found without a scan."""

from bouncer.sending import lease
from bouncer.sending.job_item import job_item, job_key
from bouncer_sim.world.evidence import Evidence, Found


def every_dead_job_can_be_found(evidence: Evidence) -> Found:
    """A dead job is a dead letter, or named with the lease as kept, or on its way in the queue."""
    history = evidence.history
    named = set(lease.kept(history.ledger.get(lease.LEASE, {})))
    seen = {str(each.body) for each in (*history.dead, *history.left)}
    for message in history.queued:
        key = job_key(message.message_id)
        item = job_item(key, history.ledger.get(key, {}))
        if item.dead and message.message_id not in named and str(message.body) not in seen:
            yield history.ended_at, f"the dead job {message.message_id} cannot be found"
