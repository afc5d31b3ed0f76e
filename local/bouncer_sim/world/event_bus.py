"""SES's events on the default event bus, as our rule puts them into the queue of events.

What becomes of a bounce is drawn with the scenario. An event may come at once, before the worker
has noted its bounce; late; twice; and about mail that is not ours.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from bouncer.sending.bounce_event import Kind
from bouncer_sim.world.fifo_queue import FifoQueue
from bouncer_sim.world.scenario import DOMAIN, BounceFate
from bouncer_sim.world.timeline import Timeline

OUR_SENDER = f"bounces@{DOMAIN}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """An event on the bus: the id of its message in the queue, and the mail that it is about.

    `answers` is the message id of the mail that it answers; it is empty of other mail.
    """

    at: float
    message_id: str
    mail_id: str
    kind: Kind
    answers: str


class EventBus:
    """The bus and our rule on it; `published` are all events so far."""

    def __init__(self, timeline: Timeline, queue: FifoQueue, fates: Sequence[BounceFate]) -> None:
        self.published: list[Published] = []
        self._timeline = timeline
        self._queue = queue
        self._fates = fates
        self._accepted = 0

    def follow(self, bounce_id: str, message_id: str) -> None:
        """Publish, when it is time, what becomes of a bounce that SES has accepted just now."""
        self._accepted += 1
        for fate in self._fates:
            if fate.nth == self._accepted:
                tell = partial(self.publish, bounce_id, fate.kind, answers=message_id)
                self._timeline.at(self._timeline.now + fate.after_s, tell)

    def publish(
        self, mail_id: str, kind: Kind, *, source: str = OUR_SENDER, answers: str = ""
    ) -> None:
        """Put an event into the queue; each message is a group of its own, so in no order."""
        name = f"event-{len(self.published)}"
        message = self._queue.send(event_text(mail_id, kind, source), name, name)
        self.published.append(
            Published(
                at=self._timeline.now,
                message_id=message.message_id,
                mail_id=mail_id,
                kind=kind,
                answers=answers,
            )
        )


def event_text(mail_id: str, kind: Kind, source: str) -> str:
    """Return an event as EventBridge writes it (SES Developer Guide, "Examples of event data")."""
    complained = kind is Kind.COMPLAINT
    fate = {"complaint": {}} if complained else {"bounce": {"bounceType": kind.capitalize()}}
    return json.dumps(
        {
            "version": "0",
            "detail-type": "Email Complaint Received" if complained else "Email Bounced",
            "source": "aws.ses",
            "detail": {"mail": {"messageId": mail_id, "source": source}, **fate},
        }
    )
