"""Finds the reason not to send a reply now: the last check before SES is asked.

A reply comes from the intake, or from whoever else may write to the queue: so what the guard
decides by addresses alone is decided here again.
"""

from datetime import datetime

from bouncer.guard import Context, never_answered
from bouncer.jobs.reply import Reply
from bouncer.judge import bounce_sender
from bouncer.mail.address import domain, mailbox_address
from bouncer.operator_settings import Settings
from bouncer.reasons import Reason
from bouncer.sending.gate import LIFETIME, ForeignSenderError
from bouncer.sending.reply_ledger import ReplyReading
from bouncer.sending.reply_tally import is_capped
from bouncer.sending.suppression import is_suppressed


def is_expired(reply: Reply, *, now: datetime) -> bool:
    """Tell whether a reply is too old to be sent; asked again before every call."""
    return now - reply.received_at >= LIFETIME


def withheld(
    reply: Reply,
    reading: ReplyReading,
    *,
    now: datetime,
    settings: Settings,
    senders: frozenset[str],
) -> Reason | None:
    """Return the first reason not to send this reply, or None.

    `senders` are the bare addresses, in lower case, that replies may come from.
    """
    if reason := _never_answered(reply, settings, senders):
        return reason
    if is_expired(reply, now=now):
        return Reason.EXPIRED
    if reading.last.is_within(reply.once_per_s, now):
        return Reason.REPLIED_BEFORE
    if is_suppressed(reading.suppressed, now=now, days=settings.suppression_days):
        return Reason.SENDER_BOUNCED_BEFORE
    if is_capped(reply, reading.sent_today, settings.caps):
        return Reason.CAPPED
    return None


def _never_answered(
    reply: Reply, settings: Settings, reply_senders: frozenset[str]
) -> Reason | None:
    """Return the guard's reason never to answer the sender of a mail, whatever the mail was."""
    own_domains = (*map(domain, reply.recipients), *settings.own_domains)
    senders = {*settings.senders, *reply_senders}
    for recipient in reply.recipients:
        ours = senders | {bounce_sender(recipient, None, settings)}
        if reason := never_answered(reply.sender, Context(recipient, ours, own_domains, ())):
            return reason
    return None


def foreign_sender(reply: Reply, senders: frozenset[str]) -> ForeignSenderError | None:
    """Return the reason not to call SES for a From that is not a reply sender, or None.

    `senders` are bare addresses in lower case; IAM refuses other ones, too.
    """
    if mailbox_address(reply.from_).lower() in senders:
        return None
    return ForeignSenderError(
        f"from: found {reply.from_!r:.320}, expected one of reply_senders in cdk.json"
    )
