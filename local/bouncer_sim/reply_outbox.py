"""Sends replies into a folder as the deployed replier would: one of a rule to a sender in a while.

The time between two replies is that between their mails, so that a mailbox of years is replayed as
it was; caps count by these times, too. SES and the queue are left out.
"""

from collections import Counter
from datetime import datetime
from functools import partial

from bouncer.caps import Caps
from bouncer.jobs.reply import Reply
from bouncer.mail.rewritten_sender import normal_sender
from bouncer.reasons import Reason
from bouncer.reply_text import mime
from bouncer.sending.digest import Salt
from bouncer.sending.reply_tally import is_capped, tally_key
from bouncer_sim.bounce_outcome import Outcome
from bouncer_sim.clock import Clock, now
from bouncer_sim.fake_ses.outbox import Outbox


class ReplyOutbox:
    """The replies that were sent, and to whom; each becomes a file of the outbox."""

    def __init__(self, outbox: Outbox, clock: Clock, caps: Caps) -> None:
        self._outbox = outbox
        self._caps = caps
        self._now = partial(now, clock)
        self._last: dict[tuple[str, str], datetime] = {}
        self._sent: Counter[str] = Counter()

    def send(self, reply: Reply) -> Outcome:
        """Write a reply as a file, unless its sender got one by its rule before, or is capped."""
        key = (normal_sender(reply.sender, reply.recipients), reply.rule)
        last = self._last.get(key)
        if last and abs(reply.received_at - last).total_seconds() < reply.once_per_s:
            return Outcome(status="withheld", reason=Reason.REPLIED_BEFORE)
        tally = tally_key(reply, Salt(""), reply.received_at)
        if is_capped(reply, self._sent[tally], self._caps):
            return Outcome(status="withheld", reason=Reason.CAPPED)
        self._sent[tally] += 1
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
