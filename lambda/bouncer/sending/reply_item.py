"""The ledger's item of one sender's replies: for each rule, the last reply and its state.

An item belongs to a sender, so that it is found by the address alone; an attribute of it belongs to
a rule. An attribute is a JSON text that is only replaced as a whole, if it is still the text that
was read: so two invocations never both claim the reply to a sender.
"""

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from bouncer.jobs.reply import Reply
from bouncer.mail.rewritten_sender import normal_sender
from bouncer.sending.digest import Salt, digest
from bouncer.sending.ending import Ending, Failure, Outcome
from bouncer.sending.job_item import State
from bouncer.sending.ledger_errors import LedgerError
from bouncer.sending.write import SET_EXPIRES, Item, Write, expires, text, text_of


class OtherFormError(LedgerError):
    """The last reply of a rule stands in the ledger in a form that this version can't read."""


# Longer than the longest `once_per` and the 24 hours of a reply, for every rule that uses the item.
KEPT = timedelta(days=33)
_NAME_LENGTH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class LastReply:
    """The last reply to one sender by one rule; without a state there was none.

    `record` is the id of its queue message, `nonce` the name of its attempt. `at` is when SES took
    it, in epoch seconds; while that is not known, the last moment at which SES can have been asked.
    `earlier` is the same of a reply before this one, for as long as this one was surely not sent.
    The end is `outcome`, `reason`, `sent_id` and `dead`, as in `Ending`.
    """

    state: State | None = None
    record: str = ""
    nonce: str = ""
    at: int = 0
    earlier: int = 0
    outcome: str = ""
    reason: str = ""
    sent_id: str = ""
    dead: bool = False

    @property
    def ending(self) -> Ending:
        """The end of an ended reply."""
        return Ending(
            outcome=Outcome(self.outcome),
            reason=self.reason,
            dead=self.dead,
            bounce_id=self.sent_id,
        )

    @property
    def may_have_been_sent(self) -> bool:
        """True if the sender got this reply, or may have got it."""
        if self.state is State.ENDED:
            return self.outcome == Outcome.SENT or self.reason == Failure.UNKNOWN
        return self.state is State.BEGUN

    def is_within(self, once_per_s: int, now: datetime) -> bool:
        """Tell whether this reply forbids another one that is due once in `once_per_s` seconds."""
        return now.timestamp() < self.last_at + once_per_s

    @property
    def last_at(self) -> int:
        """The time of the last reply that was sent, or may have been; 0 if there was none."""
        return self.at if self.may_have_been_sent else self.earlier

    def is_at_work(self, now: datetime) -> bool:
        """Tell whether the attempt that began it may still ask SES."""
        return self.state is State.BEGUN and now.timestamp() <= self.at

    def ended(self, ending: Ending, now: datetime) -> "LastReply":
        """Return it with its end."""
        is_unknown = ending.reason == Failure.UNKNOWN
        return replace(
            self,
            state=State.ENDED,
            at=self.at if is_unknown else int(now.timestamp()),
            outcome=str(ending.outcome),
            reason=str(ending.reason),
            sent_id=ending.bounce_id,
            dead=ending.dead,
        )

    def freed(self) -> "LastReply":
        """Return it given up: SES surely did not take it."""
        return replace(self, state=State.FREE)

    def next(self, record: str, *, nonce: str = "", until: datetime | None = None) -> "LastReply":
        """Return the reply after this one.

        With `until` an attempt begins it, which asks SES no later than that.
        """
        state = State.BEGUN if until else None
        at = int(until.timestamp()) + 1 if until else 0
        return LastReply(state=state, record=record, nonce=nonce, at=at, earlier=self.last_at)


def reply_key(sender: str, salt: Salt) -> str:
    """Return the key of the item of a sender in its normal form."""
    return f"reply#{salt.digest(sender)}"


def key_of(reply: Reply, salt: Salt) -> str:
    """Return the key of the item of a reply's sender, who is counted in the form of the caps."""
    return reply_key(normal_sender(reply.sender, reply.recipients), salt)


def attribute(rule: str) -> str:
    """Return the name of the attribute of a rule."""
    return f"r{digest(rule)[:_NAME_LENGTH]}"


def last_reply(item: Item, rule: str) -> LastReply:
    """Read the attribute of a rule; raises `OtherFormError` if a later version wrote it."""
    written = text_of(item, attribute(rule))
    if not written:
        return LastReply()
    try:
        members = json.loads(written)
        return LastReply(**{**members, "state": State(members["state"])})
    except (ValueError, KeyError, TypeError) as error:
        raise OtherFormError(f"the ledger has a reply in another form ({error!r:.200})") from error


def replace_reply(key: str, rule: str, before: LastReply, after: LastReply, now: datetime) -> Write:
    """Return the write that replaces the last reply of a rule, if it is still the one read."""
    name = attribute(rule)
    old = {":before": text(_written(before))} if before.state else {}
    return Write(
        key=key,
        update=f"SET #{name} = :after, {SET_EXPIRES}",
        condition=f"#{name} = :before" if old else f"attribute_not_exists(#{name})",
        values={":after": text(_written(after)), **old, **expires(now, KEPT)},
    )


def _written(last: LastReply) -> str:
    return json.dumps(asdict(last), separators=(",", ":"))
