"""The ledger's item of one queue message: the state of its job, and the writes that change it.

The states and who may change them are those of docs/decisions/0004-at-most-once.md. The key is the
id of the queue message: a dead letter that is put back is a new job.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from bouncer.sending.ending import Ending, Outcome
from bouncer.sending.write import SET_EXPIRES, Item, Value, Write, expires, text, text_of, texts

# A job is buried after so many starts under dead holders among so many receives: between two deaths
# the ledger may refuse the lease, and no start is counted then.
_DEADLY_STARTS = 3
_RECENT_RECEIVES = 6


class State(StrEnum):
    """A job's state in the ledger; a job without a state was never begun."""

    FREE = "free"  # begun once, surely not sent, and given up
    BEGUN = "begun"  # claimed: SES may have been called
    ENDED = "ended"


_STATES = frozenset(State)
_OUTCOMES = frozenset(Outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobItem:
    """A job's item as it was read; `mine` are the digests it has claimed in the item `mail`.

    `counted` is true once the counters of the caps have the job; `capped` are the digests of those
    recipients that a cap took out of it, `braked` of those whose rule is braked. `cap` is the
    cap of a job that was withheld for one, or the rule and its limit.
    `nonce` names the attempt, `mark` the write that ended the job. `kept` is true if the item has
    the message's body, because the dead-letter queue would not take it. `strange` is the word of a
    state that this version does not know: as SES may have been called, it counts as begun.
    """

    key: str
    state: State | None = None
    strange: str = ""
    nonce: str = ""
    mark: str = ""
    starts: frozenset[int] = frozenset()
    mail: str = ""
    mine: frozenset[str] = frozenset()
    counted: bool = False
    capped: frozenset[str] = frozenset()
    braked: frozenset[str] = frozenset()
    cap: str = ""
    outcome: str = ""
    reason: str = ""
    bounce_id: str = ""
    dead: bool = False
    kept: bool = False

    @property
    def is_open(self) -> bool:
        """True while nothing is known to have been asked of SES."""
        return self.state in (None, State.FREE)

    @property
    def ending(self) -> Ending:
        """The end of an ended job."""
        return Ending(
            outcome=Outcome(self.outcome) if self.outcome in _OUTCOMES else Outcome.FAILED,
            reason=self.reason,
            dead=self.dead,
            bounce_id=self.bounce_id,
            cap=self.cap,
        )

    def is_poison(self, receives: int) -> bool:
        """Tell whether too many of the last receives, up to this one, began under dead holders."""
        recent = range(receives - _RECENT_RECEIVES + 1, receives + 1)
        return len(self.starts.intersection(recent)) >= _DEADLY_STARTS

    def begun(
        self,
        nonce: str,
        mail: str,
        mine: frozenset[str],
        *,
        capped: frozenset[str] = frozenset(),
        braked: frozenset[str] = frozenset(),
    ) -> "JobItem":
        """Return the item after its claim by the attempt `nonce`."""
        return replace(
            self,
            state=State.BEGUN,
            nonce=nonce,
            mail=mail,
            mine=mine,
            counted=True,
            capped=capped,
            braked=braked,
        )


def job_key(record_id: str) -> str:
    """Return the key of a queue message's item."""
    return f"job#{record_id}"


def job_item(key: str, item: Item) -> JobItem:
    """Read an item; an empty one is that of a job without a state."""
    state, strange = _state(text_of(item, "state"))
    return JobItem(
        key=key,
        state=state,
        strange=strange,
        nonce=text_of(item, "nonce"),
        mark=text_of(item, "mark"),
        starts=frozenset(map(int, item.get("starts", {}).get("NS", ()))),
        mail=text_of(item, "mail"),
        mine=frozenset(item.get("mine", {}).get("SS", ())),
        counted=bool(item.get("counted", {}).get("BOOL", False)),
        capped=frozenset(item.get("capped", {}).get("SS", ())),
        braked=frozenset(item.get("braked", {}).get("SS", ())),
        cap=text_of(item, "cap"),
        outcome=text_of(item, "outcome"),
        reason=text_of(item, "reason"),
        bounce_id=text_of(item, "bounce_id"),
        dead=bool(item.get("dead", {}).get("BOOL", False)),
        kept="body" in item,
    )


def _state(word: str) -> tuple[State | None, str]:
    if not word:
        return None, ""
    return (State(word), "") if word in _STATES else (State.BEGUN, word)


def start(key: str, receives: int, now: datetime) -> Write:
    """Return the write that counts a start; a repeat of it adds nothing."""
    return Write(
        key=key,
        update=f"ADD #starts :receives SET {SET_EXPIRES}",
        values={":receives": {"NS": [str(receives)]}, **expires(now)},
    )


def claim(item: JobItem, claimed: JobItem, *, reference: str, now: datetime) -> Write:
    """Return the write that begins the open job `item`, so that it becomes `claimed`."""
    condition, read = _as_read(item)
    sets = {"capped": claimed.capped, "braked": claimed.braked}
    left_out = {name: texts(digests) for name, digests in sets.items() if digests}
    return Write(
        key=item.key,
        update="SET #state = :begun, #nonce = :nonce, #mail = :mail, #mine = :mine,"
        f" #reference = :reference, #counted = :counted,"
        f"{''.join(f' #{name} = :{name},' for name in left_out)} {SET_EXPIRES}",
        condition=condition,
        values={
            ":begun": text(State.BEGUN),
            ":nonce": text(claimed.nonce),
            ":mail": text(claimed.mail),
            ":mine": texts(claimed.mine),
            ":reference": text(reference),
            ":counted": {"BOOL": True},
            **{f":{name}": value for name, value in left_out.items()},
            **read,
            **expires(now),
        },
    )


def fence(item: JobItem, nonce: str, now: datetime) -> Write:
    """Return the write after which a claim that comes late finds another item than it read."""
    condition, read = _as_read(item)
    return Write(
        key=item.key,
        update=f"SET #state = :free, #nonce = :nonce, {SET_EXPIRES}",
        condition=condition,
        values={":free": text(State.FREE), ":nonce": text(nonce), **read, **expires(now)},
    )


def release(item: JobItem, now: datetime) -> Write:
    """Return the write that frees a begun job: SES surely did not accept it."""
    condition, read = _as_read(item)
    return Write(
        key=item.key,
        update=f"SET #state = :free, {SET_EXPIRES} REMOVE #mine, #capped, #braked",
        condition=condition,
        values={":free": text(State.FREE), **read, **expires(now)},
    )


def end(item: JobItem, ending: Ending, mark: str, now: datetime) -> Write:
    """Return the write that ends a job; `mark` tells this write from any other."""
    condition, read = _as_read(item)
    return Write(
        key=item.key,
        update="SET #state = :ended, #outcome = :outcome, #reason = :reason, #dead = :dead,"
        f" #bounce_id = :bounce_id, #cap = :cap, #mark = :mark, {SET_EXPIRES}",
        condition=condition,
        values={
            ":ended": text(State.ENDED),
            ":outcome": text(ending.outcome),
            ":reason": text(ending.reason),
            ":dead": {"BOOL": ending.dead},
            ":bounce_id": text(ending.bounce_id),
            ":cap": text(ending.cap),
            ":mark": text(mark),
            **read,
            **expires(now),
        },
    )


def keep_body(key: str, body: str) -> Write:
    """Return the write that keeps the body of a dead job that the dead-letter queue refused."""
    return Write(
        key=key,
        update="SET #body = :body",
        condition="#state = :ended",
        values={":body": text(body), ":ended": text(State.ENDED)},
    )


def _as_read(item: JobItem) -> tuple[str, Mapping[str, Value]]:
    """Return the condition that nobody has changed the item since, and its values."""
    if item.state is None:
        return "attribute_not_exists(#state)", {}
    read = {":state_read": text(item.strange or item.state), ":nonce_read": text(item.nonce)}
    return "#state = :state_read AND #nonce = :nonce_read", read
