"""The laws of feedback: who is suppressed after the events of our bounces, and who is not.

Each law is a function whose first sentence is the promise, as in `sending_laws`.
"""

from collections.abc import Iterable, Iterator

from bouncer.feedback import LOOKED_UP_S
from bouncer.sending.bounce_event import Kind
from bouncer.sending.suppression import suppressed_form, suppressed_key
from bouncer_sim.world.attempt import DONE
from bouncer_sim.world.event_bus import Published
from bouncer_sim.world.evidence import Evidence, Found, bounced_by

# An attempt reads the ledger, and its call may start later in the same invocation.
_LONGEST_INVOCATION_S = 65.0


def suppression_is_never_lost(evidence: Evidence) -> Found:
    """A double bounce or a complaint suppresses, if the job ended in time for its last look-up."""
    given_up = {message.message_id for message in evidence.history.lost_events}
    for event in _first(_suppressing(evidence)):
        known_at = evidence.sent_at.get(event.mail_id)
        in_time = event.at + LOOKED_UP_S - evidence.most_skew_s - 1
        if event.message_id in given_up or known_at is None or known_at > in_time:
            continue
        if not any(at >= event.at for at, _ in _suppressions(evidence, event)):
            yield event.at, f"{event.mail_id} bounced, and its sender is not suppressed"


def nobody_is_suppressed_without_cause(evidence: Evidence) -> Found:
    """Nobody is suppressed without a permanent bounce, or a complaint, of a bounce to him."""
    causes: dict[str, float] = {}
    for event in _suppressing(evidence):
        causes.setdefault(_key(evidence, event.answers), event.at)
    for at, key, _ in evidence.history.versions:
        if key.startswith(suppressed_key("")) and not causes.get(key, at + 1) <= at:
            yield at, f"{key} is suppressed, and no bounce to it bounced for good"


def nobody_suppressed_is_bounced(evidence: Evidence) -> Found:
    """SES accepts no bounce for a sender who was suppressed when the invocation began."""
    since: dict[str, float] = {}
    for at, key, _ in evidence.history.versions:
        if key.startswith(suppressed_key("")):
            since.setdefault(key, at)
    for at, call in evidence.arrivals:
        mail, recipient = bounced_by(call)[0]
        began = since.get(_key(evidence, mail), at) + _LONGEST_INVOCATION_S
        if call.result == DONE and call.started_at > began + evidence.most_skew_s:
            yield at, f"{mail} for {recipient} is bounced although its sender is suppressed"


def _suppressing(evidence: Evidence) -> Iterator[Published]:
    """Yield the events of bounces of ours after which nobody should be told again."""
    for event in evidence.history.published:
        if event.answers and event.kind in (Kind.PERMANENT, Kind.COMPLAINT):
            yield event


def _first(events: Iterable[Published]) -> Iterable[Published]:
    """Return the first event of each bounce: those that come after it change nothing."""
    found: dict[str, Published] = {}
    for event in events:
        found.setdefault(event.mail_id, event)
    return found.values()


def _suppressions(evidence: Evidence, event: Published) -> Iterator[tuple[float, str]]:
    mine = _key(evidence, event.answers)
    return ((at, key) for at, key, _ in evidence.history.versions if key == mine)


def _key(evidence: Evidence, message_id: str) -> str:
    """Return the key of the item that suppresses the sender of a mail."""
    return suppressed_key(evidence.salt.digest(suppressed_form(evidence.sender_of[message_id])))
