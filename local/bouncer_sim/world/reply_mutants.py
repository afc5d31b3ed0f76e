"""Mistakes with replies, each of which a law of theirs has to find."""

from dataclasses import replace
from typing import Any

from bouncer.replier import Replier
from bouncer.sending import reply_gate, reply_ledger
from bouncer.sending.ending import Outcome
from bouncer.sending.job_item import State
from bouncer.sending.reply_attempts import ReplyAttempts
from bouncer.sending.reply_item import LastReply, replace_reply
from bouncer.sending.reply_queue import ReplierQueue
from bouncer.sending.write import Write
from bouncer_sim.world.mutant import Mutant, replaced

_handle = Replier.handle


def _unconditional(*arguments: Any) -> Write:
    """Replace the last reply whatever it is by now."""
    return replace(replace_reply(*arguments), condition="")


def _surely_sent(self: LastReply) -> bool:
    """Take a reply of which nobody knows for one that was not sent."""
    return self.state is State.ENDED and self.outcome == Outcome.SENT


def _never(*_: Any, **__: Any) -> bool:
    """Find no reply too old."""
    return False


def _all_done(self: Replier, *arguments: Any, **named: Any) -> Any:
    """Have the queue delete what was not brought to an end."""
    _handle(self, *arguments, **named)
    return {"batchItemFailures": []}


def _settled_as_free(self: ReplyAttempts, _: Any, reply: Any, reading: Any, __: Any) -> bool:
    """Take a reply that was begun for one that was surely not sent."""
    self._ledger.replace(reading.key, reply.rule, reading.last, reading.last.freed())
    return False


def _not_buried(*_: Any) -> None:
    """Put nothing into the dead-letter queue."""


_TWICE = "no_sender_gets_two_replies_of_a_rule"
_LATE = "no_reply_is_sent_after_a_day"
_TRUE = "every_reply_is_reported_truly"
_KEPT = "every_dead_reply_is_kept"

REPLY_MUTANTS = (
    Mutant("reply not claimed", replaced(reply_ledger, replace_reply=_unconditional), (_TWICE,)),
    Mutant(
        "unknown reply read as free",
        replaced(LastReply, may_have_been_sent=property(_surely_sent)),
        (_TWICE,),
    ),
    Mutant("begun reply freed", replaced(ReplyAttempts, _settle=_settled_as_free), (_TWICE,)),
    Mutant("old reply sent", replaced(reply_gate, is_expired=_never), (_LATE,)),
    Mutant("reply deleted undone", replaced(Replier, handle=_all_done), (_TRUE,)),
    Mutant("dead reply not put", replaced(ReplierQueue, bury=_not_buried), (_KEPT,)),
)
