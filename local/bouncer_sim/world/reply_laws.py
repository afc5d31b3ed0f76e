"""The laws of replies: who may get how many, until when, and what becomes of each.

Each law is a function whose first sentence is the promise.
"""

from collections.abc import Iterator
from itertools import pairwise

from bouncer.jobs.job import JobError
from bouncer.jobs.reply import Reply
from bouncer.jobs.reply_json import from_json
from bouncer.mail.rewritten_sender import normal_sender
from bouncer.reasons import Reason
from bouncer.sending.ending import Failure
from bouncer.sending.gate import LIFETIME
from bouncer_sim.world.attempt import DONE, Attempt
from bouncer_sim.world.evidence import Evidence, Found
from bouncer_sim.world.journal_tape import JournalLine

SEND_RAW_EMAIL = "mail.send_raw_email"
_EVENTS = ("replied", "reply_withheld", "reply_failed")


def no_sender_gets_two_replies_of_a_rule(evidence: Evidence) -> Found:
    """SES accepts at most one reply to a sender by a rule within the `once_per` of the later."""
    taken: dict[tuple[str, str], list[tuple[float, Reply]]] = {}
    for at, reply in _accepted(evidence):
        who = (normal_sender(reply.sender, reply.recipients), reply.rule)
        taken.setdefault(who, []).append((at, reply))
    for (sender, rule), sent in taken.items():
        for (before, _), (at, reply) in pairwise(sent):
            if at - before < reply.once_per_s - evidence.most_skew_s:
                yield at, f"{sender} gets a second reply of {rule} after {at - before:.0f} s"


def no_reply_is_sent_after_a_day(evidence: Evidence) -> Found:
    """No SendRawEmail call for a reply starts when its mail is older than 24 hours."""
    for call, reply in _calls(evidence):
        late_s = call.started_at - reply.received_at.timestamp() - LIFETIME.total_seconds()
        if late_s > evidence.most_skew_s + 1e-6:
            yield call.started_at, f"{reply.message_id} is called {late_s:.1f} s after its time"


def every_reply_is_reported_truly(evidence: Evidence) -> Found:
    """Each reply that the queue took has a line that says what became of it, and no other."""
    history, end = evidence.history, evidence.history.ended_at
    accepted = {(reply.message_id) for _, reply in _accepted(evidence)}
    lines = _lines(evidence)
    waiting = {message.message_id for message in history.replies_left}
    by_mail: dict[str, list[JournalLine]] = {}
    for message in history.replies:
        said = lines.get(message.message_id, [])
        if message.message_id in waiting or not said:
            yield end, f"{message.message_id} has no end"
        by_mail.setdefault(_reply(str(message.body)).message_id, []).extend(said)
    for mail, said in by_mail.items():
        if text := _untruth(said, accepted=mail in accepted):
            yield end, f"{mail}: {text}"


def every_dead_reply_is_kept(evidence: Evidence) -> Found:
    """Each reply whose last end is a cause that may be removed is in the dead-letter queue.

    If the replier died before it buried one, a later reply to the same sender may have taken its
    place in the ledger: then it is attempted again, and has another end.
    """
    dead = {str(letter.body) for letter in evidence.history.dead_replies}
    lines = _lines(evidence)
    for message in evidence.history.replies:
        last = lines.get(message.message_id, [])[-1:]
        for line in last:
            if line.members.get("reason") == Failure.FORBIDDEN and str(message.body) not in dead:
                yield line.at, f"{message.message_id} is forbidden, and no dead letter"


def _untruth(said: list[JournalLine], *, accepted: bool) -> str:
    """Return in which way the lines about the replies to one mail are not true."""
    replied = [line for line in said if line.event == "replied"]
    unknown = any(line.members.get("reason") == Failure.UNKNOWN for line in said)
    if accepted and not replied and not unknown:
        return "sent, and no line says so"
    if replied and not accepted:
        return "not sent, and the journal says replied"
    first = [line for line in replied if not line.members.get("again")]
    if len(first) > 1 and len({line.members["reply_id"] for line in first}) > 1:
        return f"{len(first)} lines say replied"
    expired = (line for line in said if line.members.get("reason") == Reason.EXPIRED)
    return "expired, and sent" if accepted and any(expired) and not replied and not unknown else ""


def _accepted(evidence: Evidence) -> Iterator[tuple[float, Reply]]:
    """Yield the replies that SES accepted, with the time, in the order of arrival."""
    calls = ((call.arrived_at, call, reply) for call, reply in _calls(evidence))
    arrived = [(at, reply) for at, call, reply in calls if at is not None and call.result == DONE]
    yield from sorted(arrived, key=lambda each: each[0])


def _calls(evidence: Evidence) -> Iterator[tuple[Attempt, Reply]]:
    """Yield the calls for replies; a call names its reply by the reference among its tags."""
    known = (_reply(str(message.body)) for message in evidence.history.replies)
    by_reference = {reply.reference: reply for reply in known}
    for call in evidence.history.attempts:
        if call.call == SEND_RAW_EMAIL:
            tags = {each["Name"]: each["Value"] for each in call.arguments["Tags"]}
            yield call, by_reference[tags["reference"]]


def _lines(evidence: Evidence) -> dict[str, list[JournalLine]]:
    found: dict[str, list[JournalLine]] = {}
    for line in evidence.history.lines:
        if line.event in _EVENTS:
            found.setdefault(line.members["record"], []).append(line)
    return found


def _reply(body: str) -> Reply:
    try:
        return from_json(body)
    except JobError as error:
        raise AssertionError("the world puts replies only") from error
