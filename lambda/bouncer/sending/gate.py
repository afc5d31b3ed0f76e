"""Finds the reason not to send a job now: the last check before a SendBounce call.

Caps per sender come later; their place is between `duplicate` and `paused`.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from bouncer.jobs.job import Job
from bouncer.operator_settings import Settings
from bouncer.reasons import Reason

LIFETIME = timedelta(hours=24)  # after this SES refuses a bounce (API reference, SendBounce)


def withheld(
    job: Job, *, now: datetime, answered: Collection[str], settings: Settings
) -> Reason | None:
    """Return the first reason not to send this job, or None to send it.

    `answered` are those of its recipients that were bounced before.
    """
    if now - job.received_at >= LIFETIME - timedelta(seconds=settings.expiry_margin_s):
        return Reason.EXPIRED
    if set(job.recipients) <= set(answered):
        return Reason.DUPLICATE
    if not settings.sending:
        return Reason.PAUSED
    return None
