"""Finds the reason not to send a job now: the last check before a SendBounce call.

Sending that is held is not a reason to withhold a bounce: the job waits.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from bouncer.jobs.job import Job
from bouncer.operator_settings import Settings
from bouncer.reasons import Reason
from bouncer.sending import counters, ending
from bouncer.sending.counters import Capped, Counters, Items
from bouncer.sending.ending import Ending

LIFETIME = timedelta(hours=24)  # after this SES refuses a bounce (API reference, SendBounce)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The end of a job that is withheld, with what its line is about; or the job to be sent.

    `capped` are recipients that were taken out of the job, and the first cap that says so.
    """

    job: Job
    ending: Ending | None = None
    capped: Capped = counters.NOBODY_CAPPED


def is_expired(job: Job, *, now: datetime, settings: Settings) -> bool:
    """Tell whether a job is too old to be sent; asked again before every call."""
    return now - job.received_at >= LIFETIME - timedelta(seconds=settings.expiry_margin_s)


def withheld(
    job: Job, *, now: datetime, answered: Collection[str], settings: Settings
) -> Reason | None:
    """Return the first reason not to send this job, or None; `capped` is asked after that.

    `answered` are those of its recipients that were bounced before.
    """
    if is_expired(job, now=now, settings=settings):
        return Reason.EXPIRED
    if set(job.recipients) <= set(answered):
        return Reason.DUPLICATE
    return None


def verdict(
    job: Job,
    mine: Counters,
    *,
    now: datetime,
    answered: Collection[str],
    items: Items,
    settings: Settings,
) -> Verdict:
    """Return what becomes of a job; `answered` and `items` are as for `withheld` and `capped`."""
    reason = withheld(job, now=now, answered=answered, settings=settings)
    if reason is not None:
        return Verdict(job=job, ending=ending.withheld(reason))
    unanswered = job.without(answered)
    found = capped(unanswered, mine, items, now=now, settings=settings)
    if found.recipients >= set(unanswered.recipients):
        end = ending.withheld(Reason.CAPPED, cap=found.cap)
        return Verdict(job=unanswered, ending=end, capped=found)
    return Verdict(job=unanswered.without(found.recipients), capped=found)


def capped(job: Job, mine: Counters, items: Items, *, now: datetime, settings: Settings) -> Capped:
    """Return which recipients of a job are capped; of all of them, the job is withheld.

    `job` has only recipients that were not bounced before. `mine` are its counters, and `items`
    their items as they were read.
    """
    left = job.received_at + LIFETIME - now
    return counters.capped(
        job, mine, items, now=now, left=left, caps=settings.caps, rate=settings.rate
    )
