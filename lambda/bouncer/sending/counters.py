"""The ledger's counters of caps and brakes: those of a job, what they say, and what counts it.

Most are logs: items with an attribute for each job that was begun, and the time at which its mail
was received. So a job is in a window once, however often it is delivered, freed or put back as a
dead letter; and jobs that waited, as while sending is held, are as far apart as their mails were.
A sender has one log for himself, and 32 for what he wrote to whom: so a job needs few items, and
all that is kept about an address can be found by it. A rule that has `at_most` has a log, too. An
organisation may have thousands of bounces
in a day: its counter has a number for each hour of receipt.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from bouncer.caps import Caps, Ladder, Shares
from bouncer.guard import in_domains
from bouncer.jobs.job import Job, Refusal
from bouncer.mail.address import domain, without_tag
from bouncer.mail.organisation import organisational_domain
from bouncer.mail.rewritten_sender import normal_sender
from bouncer.rules.bounce_limit import DAY_S, BounceLimit, window_name
from bouncer.sending.brakes import BRAKES, braked_rules, log_key
from bouncer.sending.digest import Salt, digest
from bouncer.sending.write import SET_EXPIRES, Item, Write, expires, number, number_of

Items = Mapping[str, Item]

_KEPT = timedelta(days=2)  # after the longest window
_OLDEST_S = 24 * 3600  # of a mail that can still be bounced
_HOUR_S = 3600
_BINDS_AFTER = timedelta(minutes=15)  # a younger job hardly waits, so nobody waits for it
_LOGS = 32  # of one sender, for recipients and rules
# A log's most jobs, and the most that a write takes out: more than it can add, and what fits into
# an expression of 4 KB (DynamoDB Developer Guide, "Constraints").
_LONGEST_LOG = 1000
_MOST_REMOVED = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The place of a job in a log: the log's key, and the attribute `name` of this job.

    Attributes that begin as `series` are those of jobs of the same kind.
    """

    key: str
    series: str
    name: str


class Brake(NamedTuple):
    """The place of a job in the log of a rule; without a limit the rule is braked from before."""

    entry: Entry
    limit: BounceLimit | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """The counters of a job; None, "" or empty where no cap, and no brake, is about it."""

    sender: Entry | None = None
    organisation: str = ""
    recipients: Mapping[str, Entry] = field(default_factory=dict)
    brakes: Mapping[str, Brake] = field(default_factory=dict)

    @property
    def keys(self) -> list[str]:
        """The keys of all items, each once: at most 34, and those of the brakes."""
        entries = [*filter(None, [self.sender]), *self.recipients.values()]
        entries += [brake.entry for brake in self.brakes.values()]
        found = dict.fromkeys([*(entry.key for entry in entries), self.organisation])
        return list(filter(None, [*found, BRAKES if self.brakes else ""]))


NO_COUNTERS = Counters()
Limits = Mapping[str, BounceLimit]  # `at_most` of each rule that has it, by the rule's name
_NO_LIMITS: Limits = {}


def counters(
    job: Job, caps: Caps, salt: Salt, *, limits: Limits = _NO_LIMITS, braked: Collection[str] = ()
) -> Counters:
    """Return the counters of a job, in the table that has this salt.

    `braked` are rules that were known to be braked, whether or not they still have a limit.
    """
    sender, host = normal_sender(job.sender, job.recipients), domain(job.sender)
    mark = digest(job.reference)[:12]
    brakes = {
        rule: Brake(Entry(key=log_key(rule), series="j", name=f"j{mark}"), limits.get(rule))
        for rule in {each.rule for each in job.refusals}
        if rule in limits or rule in braked
    }
    if sender in caps.allow or in_domains(host, caps.allow):
        return Counters(brakes=brakes)
    own = Entry(key=sender_key(sender, salt), series="j", name=f"j{mark}")
    organisation = f"count#domain#{salt.digest(organisational_domain(host))}"
    others = {each.recipient: _entry(sender, each, mark, salt) for each in job.refusals}
    return Counters(
        sender=own if caps.sender else None,
        organisation=organisation if caps.domain_share else "",
        recipients=others if caps.sender_recipient_rule else {},
        brakes=brakes,
    )


def sender_key(sender: str, salt: Salt) -> str:
    """Return the key of the log of a sender in its normal form."""
    return f"count#sender#{salt.digest(sender)}"


def log_keys(sender: str, salt: Salt) -> list[str]:
    """Return the keys of the logs of what a sender, in its normal form, wrote to whom."""
    return [_log_key(sender, each, salt) for each in range(_LOGS)]


def _log_key(sender: str, number: int, salt: Salt) -> str:
    return f"count#recipient#{salt.digest(sender, str(number))}"


def _entry(sender: str, refusal: Refusal, mark: str, salt: Salt) -> Entry:
    """Return the place for a recipient and a rule; a recipient's plus tag makes no difference."""
    pair = salt.digest(without_tag(refusal.recipient).lower(), refusal.rule)
    series = f"p{pair[:8]}"
    number_of_log = int(pair[8:12], 16) % _LOGS
    return Entry(
        key=_log_key(sender, number_of_log, salt), series=series, name=f"{series}{mark[:8]}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Capped:
    """The recipients of a job that may not be bounced, and the first cap that says so."""

    recipients: frozenset[str] = frozenset()
    cap: str = ""


NOBODY_CAPPED = Capped()


def capped(
    job: Job,
    mine: Counters,
    items: Items,
    *,
    now: datetime,
    left: timedelta,
    caps: Caps,
    rate: float,
) -> Capped:
    """Return what the caps say of a job; `items` are its counters as they were read.

    A cap of the sender or of the organisation is about all recipients, the third about single ones.
    `left` is the time until SES refuses the bounce, `rate` is in bounces a second.
    """
    everybody = frozenset(job.recipients)
    at = job.received_at
    if mine.sender and (full := _full(mine.sender, items, caps.sender, at)):
        return Capped(recipients=everybody, cap=f"sender: {full}")
    of_all = items.get(mine.organisation, {})
    waited, left_s = now - job.received_at > _BINDS_AFTER, left.total_seconds()
    if waited and (taken := _share_taken(of_all, caps.domain_share, at, left_s=left_s, rate=rate)):
        return Capped(recipients=everybody, cap=f"domain_share: {taken}")
    found = {
        each: full
        for each, entry in mine.recipients.items()
        if each in everybody and (full := _full(entry, items, caps.sender_recipient_rule, at))
    }
    cap = next((f"sender_recipient_rule: {full}" for full in found.values()), "")
    return Capped(recipients=frozenset(found), cap=cap)


@dataclass(frozen=True, slots=True, kw_only=True)
class Braked:
    """The recipients of a job whose rules are braked, and those rules.

    `limit` is the first of the rules with its limit; `trips` are the rules that this job is the
    first to brake.
    """

    recipients: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()
    limit: str = ""
    trips: frozenset[str] = frozenset()


NOBODY_BRAKED = Braked()


def braked(job: Job, mine: Counters, items: Items) -> Braked:
    """Return what the brakes say of a job; `items` are its counters as they were read."""
    before = braked_rules(items.get(BRAKES, {}))
    found = {
        rule: f"{rule}: {brake.limit}" if brake.limit else rule
        for rule, brake in sorted(mine.brakes.items())
        if rule in before or _is_beyond(brake, items, job.received_at)
    }
    recipients = {each.recipient: each.rule for each in job.refusals if each.rule in found}
    rules = frozenset(recipients.values())
    return Braked(
        recipients=frozenset(recipients),
        rules=rules,
        limit=next((found[rule] for rule in sorted(rules)), ""),
        trips=rules - before,
    )


def _is_beyond(brake: Brake, items: Items, at: datetime) -> bool:
    """Tell whether one more bounce at a time is beyond the limit of a rule."""
    if brake.limit is None:
        return False
    return bool(_full(brake.entry, items, ((brake.limit.per_s, brake.limit.bounces),), at))


def _full(entry: Entry, items: Items, ladder: Ladder, at: datetime) -> str:
    """Return the first window about a time that is full without this job, as `20 in 10m`, or ""."""
    logged = _times(items.get(entry.key, {}), entry.series)
    logged.pop(entry.name, None)
    times = sorted(logged.values())
    for seconds, limit in ladder:
        if _fullest(times, at.timestamp(), seconds) >= limit:
            return f"{limit} in {window_name(seconds)}"
    return ""


def _fullest(times: Sequence[int], at: float, seconds: int) -> int:
    """Return the most of sorted times that are in one window with `at`.

    Times after `at` count as well: a dead letter that was put back is older than what came since.
    """
    starts = [each for each in times if at - seconds < each <= at]
    ends = (bisect_left(times, start + seconds) for start in (*starts, at))
    return max(
        end - bisect_left(times, start) for start, end in zip((*starts, at), ends, strict=True)
    )


def _share_taken(item: Item, shares: Shares, at: datetime, *, left_s: float, rate: float) -> str:
    """Return the first window up to a time of which an organisation took its share, or "".

    It is a share of what can still be sent: of the time that the job has left, if that is shorter
    than the window, and at least of an hour.
    """
    most_s = max(left_s, _HOUR_S)
    for seconds, percent in shares:
        if _begun(item, at, seconds) >= min(seconds, most_s) * rate * percent / 100:
            return f"{percent}% in {window_name(seconds)}"
    return ""


def _begun(item: Item, at: datetime, seconds: int) -> float:
    """Return the jobs of an organisation in a window of whole hours that ends at a time.

    Of the hour in which the window begins, that part counts which is in it.
    """
    last = _hour(at)
    first = last - seconds // _HOUR_S
    part = 1 - at.timestamp() % _HOUR_S / _HOUR_S
    whole = sum(number_of(item, f"h{hour}") for hour in _hours(item) if first < hour <= last)
    return whole + part * number_of(item, f"h{first}")


def writes(
    job: Job, mine: Counters, items: Items, *, now: datetime, caps: Caps, again: bool
) -> list[Write]:
    """Return the writes, at most 34 and one for each brake, that count a job as begun.

    With `again` it was begun before.

    They have no conditions. Each also takes out what no window needs any more.
    """
    names: defaultdict[str, set[str]] = defaultdict(set)
    for recipient in job.recipients:
        if entry := mine.recipients.get(recipient):
            names[entry.key].add(entry.name)
    ladders = dict.fromkeys(names, caps.sender_recipient_rule)
    if mine.sender:
        names[mine.sender.key] = {mine.sender.name}
        ladders[mine.sender.key] = caps.sender
    kept = {key: ladder[-1][0] for key, ladder in ladders.items()}
    for rule in {each.rule for each in job.refusals}:
        if (brake := mine.brakes.get(rule)) and brake.limit:
            names[brake.entry.key] = {brake.entry.name}
            kept[brake.entry.key] = brake.limit.per_s
    found = [
        _log(key, names[key], items.get(key, {}), job, now=now, kept_s=kept_s)
        for key, kept_s in sorted(kept.items())
    ]
    if mine.organisation and not again:
        found.append(_tally(mine.organisation, items.get(mine.organisation, {}), job, now))
    return found


def _log(
    key: str, names: Iterable[str], item: Item, job: Job, *, now: datetime, kept_s: int
) -> Write:
    """Return the write that puts a job into a log, at the time of its mail."""
    added = ", ".join(f"#{name} = :at" for name in sorted(names))
    others = {name: then for name, then in _times(item).items() if name not in set(names)}
    latest = sorted(others, key=others.__getitem__, reverse=True)
    past = now.timestamp() - kept_s - _OLDEST_S
    old = latest[_LONGEST_LOG:] + [name for name in latest[:_LONGEST_LOG] if others[name] <= past]
    return Write(
        key=key,
        update=f"SET {added}, {SET_EXPIRES}{_removed(old)}",
        values={
            ":at": number(round(job.received_at.timestamp())),
            **expires(now, timedelta(seconds=kept_s) + _KEPT),
        },
    )


def _tally(key: str, item: Item, job: Job, now: datetime) -> Write:
    """Return the write that adds a job to the hour of its mail, for its organisation."""
    past = _hour(now) - (DAY_S + _OLDEST_S) // _HOUR_S
    old = [f"h{each}" for each in _hours(item) if each < past]
    return Write(
        key=key,
        update=f"ADD #h{_hour(job.received_at)} :one SET {SET_EXPIRES}{_removed(old)}",
        values={":one": number(1), **expires(now, timedelta(seconds=DAY_S) + _KEPT)},
    )


def _removed(names: list[str]) -> str:
    aliases = [f"#{name}" for name in names[:_MOST_REMOVED]]
    return f" REMOVE {', '.join(aliases)}" if aliases else ""


def _times(item: Item, series: str = "") -> dict[str, int]:
    """Return the time of each job in a log, or in one series of it, in seconds."""
    logged = (name for name in item if name.startswith(("j", "p")) and name.startswith(series))
    return {name: number_of(item, name) for name in logged}


def _hours(item: Item) -> list[int]:
    return [int(name[1:]) for name in item if name[0] == "h" and name[1:].isdecimal()]


def _hour(at: datetime) -> int:
    return int(at.timestamp()) // _HOUR_S
