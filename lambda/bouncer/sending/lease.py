"""The lease: one item of the ledger, by which one invocation of the worker calls SES at a time.

Lambda may run two invocations at once: a throttled one is tried again for as long as the
visibility timeout lasts, and any may run twice. Here the lease only decides; `Ledger` writes.

The wall clocks of environments differ, so no time in the item is one of theirs. All are times of
Lambda, which gives each invocation its deadline: the present is that deadline, less the timeout,
plus the monotonic time since the start.

The item also has the table's salt: whoever takes the lease reads it, and makes it if it is missing,
in the one request that every invocation needs anyway.
"""

from dataclasses import dataclass

from bouncer.errors import BouncerError
from bouncer.sending.digest import Salt
from bouncer.sending.write import Item, Write, number, number_of, text, text_of, texts

LEASE = "lease"  # the key of the item
_GRACE_S = 5.0  # a lease ends this long after its invocation's deadline
_LONGEST_START_S = 10.0  # from Lambda's start of the timeout to the call of the function
_AFTER_S = 11  # a batch comes again this long after the lease that kept it out
_NOBODY = "nobody"
_MOST_KEPT = 1000  # some 37 KB
_LONGEST_ASKING_S = 20.0  # for the lease: five requests of three seconds, and the pauses


class LeaseBusyError(BouncerError):
    """Another invocation has the lease; `free_in_s` is the time in seconds until it ends."""

    def __init__(self, free_in_s: float) -> None:
        self.free_in_s = max(free_in_s, 0.0)
        super().__init__(f"another invocation has the lease for {self.free_in_s:.1f} s")

    @property
    def delay_s(self) -> int:
        """The whole seconds after which a batch that had to wait is delivered again."""
        return int(self.free_in_s) + _AFTER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """The time of one invocation: Lambda's `deadline_s`, and the rest on the monotonic clock."""

    deadline_s: float
    timeout_s: float
    began: float
    remaining_s: float
    knows_now: bool = True

    @classmethod
    def begin(cls, *, wall_s: float, ticks: float, remaining_s: float, timeout_s: float) -> "Term":
        """Return the term of an invocation that begins now.

        `remaining_s` is Lambda's answer, made with the wall clock of this environment: together
        they are the deadline, whatever that clock says. A remaining time of more than the timeout,
        or less by more than 10 s, shows that the clock is wrong: all of the timeout remains. Lambda
        says 0 for any deadline that is over by that clock, so that the present is not known then.
        """
        likely = timeout_s - _LONGEST_START_S <= remaining_s <= timeout_s
        return cls(
            deadline_s=wall_s + remaining_s,
            timeout_s=timeout_s,
            began=ticks,
            remaining_s=remaining_s if likely else timeout_s,
            knows_now=remaining_s > 0,
        )

    @property
    def ends(self) -> float:
        """The moment at which Lambda ends the function, on the monotonic clock."""
        return self.began + self.remaining_s

    @property
    def until_s(self) -> float:
        """The end of the lease, in Lambda's time."""
        return self.deadline_s + _GRACE_S

    def now_s(self, ticks: float) -> float:
        """Return the present, in Lambda's time; 0 if it is not known, so that no lease is over."""
        if not self.knows_now:
            return 0.0
        return self.deadline_s - self.timeout_s + (ticks - self.began)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A lease that was taken.

    `taken_over` is true if its last holder died with it, as far as is known. `after_stranger` is
    true if another environment may have called SES less than a second ago: its last invocation
    could still run.
    `kept` are the ids of queue messages whose bodies the ledger keeps. `salt_is_new` is true if the
    table had no salt until now. Bounces count for the breaker from `counted_from` on, in epoch
    seconds.
    """

    taken_over: bool
    after_stranger: bool
    salt: Salt
    salt_is_new: bool = False
    kept: tuple[str, ...] = ()
    counted_from: int = 0

    @property
    def has_room(self) -> bool:
        """True if further bodies can be kept: the item is written twice in each invocation."""
        return len(self.kept) < _MOST_KEPT


@dataclass(slots=True)
class KeptOut:
    """The holder that keeps an environment out, and since when, on its monotonic clock.

    It is for an environment that does not know the present, and so can't tell that a lease is over.
    """

    holder: str = _NOBODY
    since: float = 0.0

    def note(self, item: Item, *, ticks: float) -> None:
        """Note the lease of another invocation, which an invocation that began at `ticks` met."""
        holder = text_of(item, "holder")
        if holder and holder != self.holder:
            self.holder, self.since = holder, ticks

    def past(self, term: Term, *, ticks: float) -> str:
        """Return the holder whose lease is over, as it was met longer ago than any lease lasts."""
        longest_s = term.timeout_s + _GRACE_S + _LONGEST_ASKING_S
        return self.holder if ticks - self.since > longest_s else _NOBODY


def take(me: str, term: Term, ticks: float, *, new_salt: str, past: str = _NOBODY) -> Write:
    """Return the write that takes the lease for the invocation `me`, if it is free or over.

    `new_salt` becomes the salt of a table that has none. `past` is a holder whose lease is known to
    be over. Whoever has given the lease back can't get it again: a late effect of this write
    changes nothing.
    """
    return Write(
        key=LEASE,
        update="SET #was = if_not_exists(#holder, :nobody), #holder = :me, #until = :until,"
        " #salt = if_not_exists(#salt, :salt)",
        condition="(attribute_not_exists(#gone) OR #gone <> :me) AND "
        "(attribute_not_exists(#holder) OR #holder = :me OR #until < :now OR #holder = :past)",
        values={
            ":me": text(me),
            ":nobody": text(_NOBODY),
            ":past": text(past),
            ":salt": text(new_salt),
            ":until": number(_ms(term.until_s)),
            ":now": number(_ms(term.now_s(ticks))),
        },
    )


def taken(item: Item, *, environment: str, now_s: float, new_salt: str, living: str = "") -> Lease:
    """Return the lease that the item shows after the write `take`.

    If `was` is the taker itself, the write was repeated, and nobody knows who was before: that
    counts as a holder that died. `living` is an invocation of this environment, which did not die:
    it could only not give the lease back.
    """
    stranger = text_of(item, "env") not in ("", environment)
    return Lease(
        taken_over=text_of(item, "was") not in ("", _NOBODY, living),
        after_stranger=stranger and number_of(item, "over") >= _ms(now_s),
        salt=salt(item),
        salt_is_new=salt(item) == Salt(new_salt),
        kept=kept(item),
        counted_from=counted_from(item),
    )


def salt(item: Item) -> Salt:
    """Return the salt that the item has."""
    return Salt(text_of(item, "salt"))


def counted_from(item: Item) -> int:
    """Return the time from which on bounces count for the breaker, in epoch seconds."""
    return number_of(item, "counted_from")


def kept(item: Item) -> tuple[str, ...]:
    """Return the ids of the queue messages whose bodies the ledger keeps."""
    return tuple(sorted(item.get("kept", {}).get("SS", ())))


def busy(item: Item, *, now_s: float, term: Term) -> LeaseBusyError:
    """Return the error of a lease that somebody else has, as the item shows it, if it is known."""
    longest_s = term.timeout_s + _GRACE_S
    until = number_of(item, "until") / 1000 if item else now_s + longest_s
    return LeaseBusyError(min(until - now_s, longest_s))


def give_back(me: str, term: Term, *, environment: str) -> Write:
    """Return the write that frees the lease, and notes who had it, in which environment."""
    return Write(
        key=LEASE,
        update="SET #gone = :me, #env = :env, #over = :over REMOVE #holder",
        condition="#holder = :me",
        values={
            ":me": text(me),
            ":env": text(environment),
            ":over": number(_ms(term.until_s)),
        },
    )


def keep(record_id: str) -> Write:
    """Return the write that notes a queue message whose body the ledger keeps."""
    return Write(key=LEASE, update="ADD #kept :one", values={":one": texts([record_id])})


def keep_salt(new_salt: str) -> Write:
    """Return the write that gives the table a salt, if it has none; it takes no lease."""
    return Write(
        key=LEASE,
        update="SET #salt = if_not_exists(#salt, :salt)",
        values={":salt": text(new_salt)},
    )


def forget(record_id: str) -> Write:
    """Return the write after which the ledger keeps a body no longer: it is somewhere else."""
    return Write(key=LEASE, update="DELETE #kept :one", values={":one": texts([record_id])})


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
