"""Sends replies into a folder as the deployed replier would: one of a rule to a sender in a while.

The time between two replies is that between their mails, so that a mailbox of years is replayed as
it was. SES and the queue are left out.
"""

from collections import Counter
from datetime import UTC, date, datetime
from functools import partial

from bouncer.caps import Caps
from bouncer.jobs.reply import Reply
from bouncer.mail.rewritten_sender import normal_sender
from bouncer.reasons import Reason
from bouncer.reply_text import mime
from bouncer.sending.reply_counter import MOST_REPLIES, capped_organisation
from bouncer_sim.bounce_outcome import Outcome
from bouncer_sim.clock import Clock, now
from bouncer_sim.fake_ses.outbox import Outbox


class ReplyOutbox:
    """The replies that were sent, and to whom; each becomes a file of the outbox."""

    def __init__(self, outbox: Outbox, clock: Clock, caps: Caps) -> None:
        self._outbox = outbox
        self._now = partial(now, clock)
        self._caps = caps
        self._last: dict[tuple[str, str], datetime] = {}
        self._sent: Counter[tuple[str, date]] = Counter()

    def send(self, reply: Reply) -> Outcome:
        """Write a reply as a file, if its sender and his organisation may have one more."""
        key = (normal_sender(reply.sender, reply.recipients), reply.rule)
        last = self._last.get(key)
        if last and abs(reply.received_at - last).total_seconds() < reply.once_per_s:
            return Outcome(status="withheld", reason=Reason.REPLIED_BEFORE)
        organisation = capped_organisation(reply, self._caps)
        day = (organisation, reply.received_at.astimezone(UTC).date())
        if organisation and self._sent[day] >= MOST_REPLIES:
            return Outcome(status="withheld", reason=Reason.CAPPED)
        self._sent[day] += 1
        self._last[key] = reply.received_at
        moment = self._now()
        self._outbox.put(
            mime(reply, date=moment),
            message_id=reply.reference,
            original_message_id=reply.message_id,
            recipients=(reply.sender,),
            at=moment.timestamp(),
        )
        self._outbox.forget(reply.message_id)
        return Outcome(status="sent")
