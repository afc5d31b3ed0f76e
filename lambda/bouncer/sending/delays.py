"""The times after which queue messages that were handed back are delivered again, in seconds.

They wait for seconds after a short failure, for two minutes in an outage. So a message is delivered
some 750 times in its 24 hours; a queue's maximum receive count must be higher. Once it has waited
for 24 hours it can't be sent any more: then it is delivered seldom, as SQS makes a dead letter of
it after 1,000 receives, and its end could not be reported.
"""

from datetime import datetime

from bouncer.sending.gate import LIFETIME
from bouncer.sending.queue import Record, deliveries

_FIRST_DELAY_S = 5
LONGEST_DELAY_S = 120
_LATE_DELAY_S = 900
_MOST_DOUBLINGS = 10


def while_held_s(record: Record, now: datetime) -> int:
    """Return the delay of a message that waits because sending is held."""
    return _LATE_DELAY_S if _is_late(record, now) else LONGEST_DELAY_S


def after_failure_s(record: Record, now: datetime) -> int:
    """Return the delay of a message after a failure that may pass: longer with each delivery."""
    exponent = min(deliveries(record) - 1, _MOST_DOUBLINGS)
    delay_s = min(_FIRST_DELAY_S * 2**exponent, LONGEST_DELAY_S)
    return _LATE_DELAY_S if _is_late(record, now) else delay_s


def _is_late(record: Record, now: datetime) -> bool:
    queued_s = int(record.get("attributes", {}).get("SentTimestamp", 0)) / 1000
    return bool(queued_s) and now.timestamp() - queued_s > LIFETIME.total_seconds()
