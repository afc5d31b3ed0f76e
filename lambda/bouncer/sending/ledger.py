"""The ledger: the state of every job and the recipients it claimed, so that none is answered twice.

A DynamoDB table with the text key `id` and the time-to-live attribute `expires`. A write whose
answer was lost is repeated; every write has a condition that such a repeat fails if the first one
took effect, and reading the job then settles the matter. All methods raise `LedgerError`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import NamedTuple, TypeVar

from bouncer.jobs.job import Job
from bouncer.sending import brakes, claims, job_item, lease
from bouncer.sending.asking_again import PAUSE_S, TRIES, asked_again
from bouncer.sending.counters import NO_COUNTERS, Counters, Items
from bouncer.sending.ending import Ending
from bouncer.sending.job_item import JobItem, State, job_key
from bouncer.sending.lease import KeptOut, Lease, Term
from bouncer.sending.ledger_errors import ConditionError, LedgerError
from bouncer.sending.suppression import suppressed_key
from bouncer.sending.table import Table
from bouncer.sending.write import Item, Write, text_of

T = TypeVar("T")

_MOST_KEYS = 100  # of one request (API reference, BatchGetItem)


class EndedByAnotherError(LedgerError):
    """Somebody else ended the job, otherwise than we would have; `item` is the job as it stands."""

    def __init__(self, item: JobItem) -> None:
        self.item = item
        super().__init__(f"the job was ended as {item.ending.said} by another worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A job's item, those of its recipients that any job has claimed, and its counters' items.

    `suppressed` is the item that suppresses its sender, or an empty one.
    """

    item: JobItem
    answered: frozenset[str]
    counts: Items
    suppressed: Item


class Question(NamedTuple):
    """A job of which all is asked: its queue message, its counters, the digest of its sender."""

    record_id: str
    job: Job
    counters: Counters
    sender: str


def _keys(asked: Question) -> Iterable[str]:
    """Return the keys of all items that say something of a job."""
    own = (job_key(asked.record_id), claims.mail_key(asked.job.message_id))
    earlier = claims.earlier_keys(asked.job)
    return (*own, suppressed_key(asked.sender), *earlier, *asked.counters.keys)


def _reading(found: Mapping[str, Item], asked: Question) -> Reading:
    job, key = asked.job, job_key(asked.record_id)
    earlier = claims.earlier_keys(job)
    by_earlier = (each for old in earlier if old in found for each in earlier[old])
    claimed = claims.claimed(found.get(claims.mail_key(job.message_id), {}), job)
    return Reading(
        item=job_item.job_item(key, found.get(key, {})),
        answered=frozenset((*claimed, *by_earlier)),
        counts={each: found[each] for each in asked.counters.keys if each in found},
        suppressed=found.get(suppressed_key(asked.sender), {}),
    )


class Ledger:
    """The items of jobs, mails, bounces and the lease, in one table.

    `now` is the time of day, `sleep` waits for seconds, `new_name` returns a name that was never
    used before.
    """

    def __init__(
        self,
        table: Table,
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
        new_name: Callable[[], str],
    ) -> None:
        self._table = table
        self._now = now
        self._sleep = sleep
        self._new_name = new_name
        self._kept_out = KeptOut()

    def take_lease(
        self, me: str, term: Term, *, environment: str, ticks: float, living: str = ""
    ) -> Lease:
        """Take the lease for the invocation `me`; raises `LeaseBusyError`.

        `living` is an earlier invocation of this environment that could not give the lease back.
        """
        now_s, salt = term.now_s(ticks), self._new_name()
        past = self._kept_out.past(term, ticks=ticks)
        write = lease.take(me, term, ticks, new_salt=salt, past=past)
        try:
            item = self._repeated(lambda: self._table.write(write))
        except ConditionError as error:
            self._kept_out.note(error.item, ticks=ticks)
            raise lease.busy(error.item, now_s=now_s, term=term) from error
        return lease.taken(item, environment=environment, now_s=now_s, new_salt=salt, living=living)

    def give_lease_back(self, me: str, term: Term, *, environment: str) -> None:
        """Give the lease back, in one request; a lease that somebody else took is left alone."""
        try:
            self._table.write(lease.give_back(me, term, environment=environment))
        except ConditionError:  # an earlier request did it, or the term was over
            return

    def read(
        self, record_id: str, job: Job, counters: Counters = NO_COUNTERS, *, sender: str = ""
    ) -> Reading:
        """Read all that is known of a job, in one request: all items, of which it takes 100.

        Only a job with many recipients and a dozen rules with brakes has more.

        `sender` is the digest of its sender.
        """
        return self.read_first([Question(record_id, job, counters, sender)])[0]

    def read_first(self, questions: Iterable[Question]) -> list[Reading]:
        """Read all that is known of the first of several jobs: as many as one request can ask."""
        keys: dict[str, None] = {}
        first: list[Question] = []
        for each in questions:
            more = keys | dict.fromkeys(_keys(each))
            if first and len(more) > _MOST_KEYS:
                break
            keys = more
            first.append(each)
        found = self._read(list(keys)) if keys else {}
        return [_reading(found, each) for each in first]

    def read_item(self, record_id: str) -> JobItem:
        """Read the item of a queue message."""
        return self._read_item(job_key(record_id))

    def start(self, record_id: str, receives: int) -> JobItem:
        """Count a start of a job, by its receive count, and return its item."""
        key = job_key(record_id)
        write = job_item.start(key, receives, self._now())
        return job_item.job_item(key, self._repeated(lambda: self._table.write(write)))

    def claim(
        self,
        item: JobItem,
        job: Job,
        nonce: str,
        *,
        capped: Collection[str] = (),
        braked: Collection[str] = (),
        count: Sequence[Write] = (),
    ) -> JobItem | None:
        """Claim the recipients of `job` for the attempt `nonce`, and return the begun item.

        The writes of `count` are made with it; `capped` are recipients that a cap took out, and
        `braked` those whose rule is braked. At most 87 writes are made, of the 100 that DynamoDB
        takes together: 36, one for each brake and one for those that trip.
        Returns None if somebody changed the job or claimed a recipient first: read again then. A
        claim without an answer is repeated as the same request. It may still take effect after a
        `LedgerError`, unless `fence` stops it.
        """
        now, mail = self._now(), claims.mail_key(job.message_id)
        begun = item.begun(
            nonce,
            mail,
            claims.digests(job.recipients),
            capped=claims.digests(capped),
            braked=claims.digests(braked),
        )
        writes = (
            job_item.claim(item, begun, reference=job.reference, now=now),
            claims.claim(mail, begun.mine, now),
            *count,
        )
        stands = self._settled(
            lambda: self._table.write_together(writes, token=nonce),
            item.key,
            lambda found: found.state is State.BEGUN and found.nonce == nonce,
        )
        return begun if stands else None

    def fence(self, item: JobItem, nonce: str) -> JobItem | None:
        """Stop the claim of `item` by `nonce` from taking effect; return it if it already has."""
        write = job_item.fence(item, self._new_name(), self._now())
        try:
            self._repeated(lambda: self._table.write(write))
        except ConditionError:  # or it is an earlier request of ours that was refused by itself
            found = self._read_item(item.key)
            return found if found.state is State.BEGUN and found.nonce == nonce else None
        return None

    def release(self, item: JobItem) -> None:
        """Free a begun job and its recipients: SES surely did not accept the bounce."""
        now = self._now()
        writes = (job_item.release(item, now), claims.release(item.mail, item.mine, now))
        stands = self._settled(
            self._together(writes),
            item.key,
            lambda found: found.state is State.FREE and found.nonce == item.nonce,
        )
        if not stands:
            raise LedgerError("the job was changed by another worker")

    def end(self, item: JobItem, ending: Ending, *notes: Write) -> None:
        """End a job, and free its recipients if SES surely did not accept, in one transaction.

        The writes of `notes` are made with it. Raises `EndedByAnotherError`, and `LedgerError` as
        well if another worker began the job, so that it goes back.
        """
        now, mark = self._now(), self._new_name()
        writes = [job_item.end(item, ending, mark, now), *brakes.trip(ending.trips), *notes]
        if item.state is State.BEGUN and ending.frees:
            writes.append(claims.release(item.mail, item.mine, now))
        if not self._settled(self._together(writes), item.key, lambda each: each.mark == mark):
            found = self._read_item(item.key)
            if found.state is State.ENDED:
                raise EndedByAnotherError(found)
            raise LedgerError("the job was changed by another worker")

    def end_together(self, ends: Sequence[tuple[JobItem, Ending]]) -> bool:
        """End several open jobs, fewer than 100, in one transaction; tell whether it stands.

        It does not if somebody changed one of them since it was read.
        """
        now, mark = self._now(), self._new_name()
        writes = [job_item.end(item, ending, mark, now) for item, ending in ends]
        writes += brakes.trip({rule for _, ending in ends for rule in ending.trips})
        first, _ = ends[0]
        return self._settled(self._together(writes), first.key, lambda each: each.mark == mark)

    def keep_body(self, record_id: str, body: str) -> None:
        """Keep the body of a dead job in its item, and note in the lease's item that it is kept."""
        writes = (job_item.keep_body(job_key(record_id), body), lease.keep(record_id))
        try:
            self._repeated(self._together(writes))
        except ConditionError as error:
            raise LedgerError("the job has not ended") from error

    def kept_body(self, record_id: str) -> str:
        """Return the body that is kept of a dead job, or "" if its item has gone."""
        key = job_key(record_id)
        return text_of(self._read([key]).get(key, {}), "body")

    def forget_body(self, record_id: str) -> None:
        """Note that a dead job's body is in the dead-letter queue; its item goes by itself."""
        write = lease.forget(record_id)
        self._repeated(lambda: self._table.write(write))

    def _together(self, writes: Sequence[Write]) -> Callable[[], object]:
        if len(writes) == 1:
            return lambda: self._table.write(writes[0])
        token = self._new_name()
        return lambda: self._table.write_together(writes, token=token)

    def _settled(
        self, write: Callable[[], object], key: str, stands: Callable[[JobItem], bool]
    ) -> bool:
        """Make a write; tell whether it `stands`, which the job's item shows if it was refused."""
        try:
            self._repeated(write)
        except ConditionError:
            return stands(self._read_item(key))
        return True

    def _read_item(self, key: str) -> JobItem:
        return job_item.job_item(key, self._read([key]).get(key, {}))

    def _read(self, keys: Sequence[str]) -> dict[str, Item]:
        """Read items; a key that DynamoDB did not process is asked for again, never missing."""
        found: dict[str, Item] = {}
        left = list(keys)
        for _ in range(TRIES):
            some, refused = self._repeated(partial(self._table.read, left[:_MOST_KEYS]))
            found |= some
            left = [*refused, *left[_MOST_KEYS:]]
            if not left:
                return found
            if refused:
                self._sleep(PAUSE_S)
        raise LedgerError(f"the ledger did not process {len(left)} of {len(keys)} keys")

    def _repeated(self, ask: Callable[[], T]) -> T:
        return asked_again(ask, self._sleep)
