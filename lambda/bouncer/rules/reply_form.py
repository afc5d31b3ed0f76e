"""The `reply` part of a rule: who sends its replies, and their texts before they are filled in."""

from collections.abc import Mapping
from typing import NamedTuple

from bouncer.rules.bounce_limit import DAY_S
from bouncer.rules.rejection import Template

DEFAULT_ONCE_PER_S = 7 * DAY_S


class ReplyForm(NamedTuple):
    """The form of a rule's replies.

    `sender` is the mailbox in From, and `sender_arn` the identity of another account that verifies
    it. `reply_to` is the mailbox that answers go to, None for that in From. Without a `subject` a
    reply has that of the mail behind `Auto:`. A sender gets one reply of the rule in `once_per_s`
    seconds.
    """

    sender: str
    sender_arn: str | None
    subject: Template | None
    text: Template
    once_per_s: int
    reply_to: str | None = None

    @property
    def texts(self) -> Mapping[str, Template]:
        """The texts of the rule, each by its key."""
        found = {"subject": self.subject, "text": self.text}
        return {key: template for key, template in found.items() if template}
