"""Finds the reason not to send a job now: the last check before a SendBounce call.

Sending that is held is not a reason to withhold a bounce: the job waits.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from bouncer.jobs.job import Job
from bouncer.operator_settings import Settings
from bouncer.reasons import Reason
from bouncer.sending import counters
from bouncer.sending.counters import Capped, Counters, Items
from bouncer.sending.suppression import is_suppressed
from bouncer.sending.write import Item

LIFETIME = timedelta(hours=24)  # after this SES refuses a bounce (API reference, SendBounce)


def is_expired(job: Job, *, now: datetime, settings: Settings) -> bool:
    """Tell whether a job is too old to be sent; asked again before every call."""
    return now - job.received_at >= LIFETIME - timedelta(seconds=settings.expiry_margin_s)


def withheld(
    job: Job, *, now: datetime, answered: Collection[str], suppressed: Item, settings: Settings
) -> Reason | None:
    """Return the first reason not to send this job, or None; `capped` is asked after that.

    `answered` are those of its recipients that were bounced before; `suppressed` is the item that
    suppresses its sender, or an empty one.
    """
    if is_expired(job, now=now, settings=settings):
        return Reason.EXPIRED
    if set(job.recipients) <= set(answered):
        return Reason.DUPLICATE
    if is_suppressed(suppressed, now=now, days=settings.suppression_days):
        return Reason.SENDER_BOUNCED_BEFORE
    return None


def capped(job: Job, mine: Counters, items: Items, *, now: datetime, settings: Settings) -> Capped:
    """Return which recipients of a job are capped; of all of them, the job is withheld.

    `job` has only recipients that were not bounced before. `mine` are its counters, and `items`
    their items as they were read.
    """
    return counters.capped(job, mine, items, now=now, caps=settings.caps, rate=settings.rate)
