"""Finds the reason not to send a job now: the last check before a SendBounce call.

Sending that is held is not a reason to withhold a bounce: the job waits. A job comes from the
intake, or from whoever else may write to the queue: so what the guard decides by addresses alone
is decided here again.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from bouncer.errors import BouncerError
from bouncer.guard import Context, never_answered
from bouncer.jobs.job import Job
from bouncer.judge import bounce_sender
from bouncer.mail.address import domain, mailbox_address
from bouncer.operator_settings import Settings
from bouncer.reasons import Reason
from bouncer.sending import counters, ending
from bouncer.sending.counters import Braked, Capped, Counters, Items
from bouncer.sending.ending import Ending
from bouncer.sending.suppression import is_suppressed
from bouncer.sending.write import Item

LIFETIME = timedelta(hours=24)  # after this SES refuses a bounce (API reference, SendBounce)


class ForeignSenderError(BouncerError):
    """The deployment may not bounce from this job's bounce sender."""


def foreign_sender(job: Job, settings: Settings) -> ForeignSenderError | None:
    """Return the reason not to call SES for a job's bounce sender, or None; IAM refuses it, too."""
    address = mailbox_address(job.bounce_sender).lower()
    if not settings.senders or address in settings.senders:
        return None
    return ForeignSenderError(
        f"bounce_sender: found {job.bounce_sender!r:.320}, expected one that cdk.json lists"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The end of a job that is withheld, with what its line is about; or the job to be sent.

    `capped` are recipients that were taken out of the job, and the first cap that says so; `braked`
    are those whose rule is braked.
    """

    job: Job
    ending: Ending | None = None
    capped: Capped = counters.NOBODY_CAPPED
    braked: Braked = counters.NOBODY_BRAKED

    @property
    def is_limited(self) -> bool:
        """True if caps or brakes alone withhold the job: it waits as long as sending is held."""
        return self.ending is not None and self.ending.reason in (Reason.CAPPED, Reason.BRAKED)


def is_expired(job: Job, *, now: datetime, settings: Settings) -> bool:
    """Tell whether a job is too old to be sent; asked again before every call."""
    return now - job.received_at >= LIFETIME - timedelta(seconds=settings.expiry_margin_s)


def withheld(
    job: Job, *, now: datetime, answered: Collection[str], suppressed: Item, settings: Settings
) -> Reason | None:
    """Return the first reason not to send this job, or None; caps and brakes are asked later.

    `answered` are those of its recipients that were bounced before; `suppressed` is the item that
    suppresses its sender, or an empty one.
    """
    if reason := _never_answered(job, settings):
        return reason
    if is_expired(job, now=now, settings=settings):
        return Reason.EXPIRED
    if set(job.recipients) <= set(answered):
        return Reason.DUPLICATE
    if is_suppressed(suppressed, now=now, days=settings.suppression_days):
        return Reason.SENDER_BOUNCED_BEFORE
    return None


def _never_answered(job: Job, settings: Settings) -> Reason | None:
    """Return the guard's reason never to answer the sender of a job, whatever its mail was."""
    senders = {job.bounce_sender, *settings.senders}
    own_domains = (*map(domain, job.recipients), *settings.own_domains)
    for recipient in job.recipients:
        context = Context(
            recipient=recipient,
            our_senders=senders | {bounce_sender(recipient, None, settings)},
            own_domains=own_domains,
            answer=(),
        )
        if reason := never_answered(job.sender, context):
            return reason
    return None


def verdict(
    job: Job,
    mine: Counters,
    *,
    now: datetime,
    answered: Collection[str],
    suppressed: Item,
    items: Items,
    settings: Settings,
) -> Verdict:
    """Return what becomes of a job; the arguments are as for `withheld` and `capped`."""
    reason = withheld(job, now=now, answered=answered, suppressed=suppressed, settings=settings)
    if reason is not None:
        return Verdict(job=job, ending=ending.withheld(reason))
    unanswered = job.without(answered)
    found = capped(unanswered, mine, items, now=now, settings=settings)
    if found.recipients >= set(unanswered.recipients):
        end = ending.withheld(Reason.CAPPED, cap=found.cap)
        return Verdict(job=unanswered, ending=end, capped=found)
    uncapped = unanswered.without(found.recipients)
    stopped = counters.braked(uncapped, mine, items)
    if stopped.recipients >= set(uncapped.recipients):
        # Its one line is about all recipients, also about those that a cap would have taken out.
        end = ending.withheld(Reason.BRAKED, cap=stopped.limit, trips=stopped.trips)
        return Verdict(job=unanswered, ending=end, capped=found, braked=stopped)
    return Verdict(job=uncapped.without(stopped.recipients), capped=found, braked=stopped)


def capped(job: Job, mine: Counters, items: Items, *, now: datetime, settings: Settings) -> Capped:
    """Return which recipients of a job are capped; of all of them, the job is withheld.

    `job` has only recipients that were not bounced before. `mine` are its counters, and `items`
    their items as they were read.
    """
    left = job.received_at + LIFETIME - now
    return counters.capped(
        job, mine, items, now=now, left=left, caps=settings.caps, rate=settings.rate
    )
