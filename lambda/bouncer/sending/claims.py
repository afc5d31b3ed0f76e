"""The ledger's item of one mail: the recipients that a job has claimed, so that none gets two."""

from collections.abc import Collection, Iterable
from datetime import datetime

from bouncer.jobs.job import Job
from bouncer.sending.digest import digest
from bouncer.sending.write import SET_EXPIRES, Item, Write, expires, text, texts

_LONGEST_KEY = 2048  # bytes (DynamoDB Developer Guide, "Constraints")


def mail_key(message_id: str) -> str:
    """Return the key of a mail's item."""
    return f"mail#{digest(message_id)}"


def recipient_digest(recipient: str) -> str:
    """Return the digest of a recipient; upper and lower case are the same recipient."""
    return digest(recipient.lower())


def claimed(item: Item, job: Job) -> set[str]:
    """Return the recipients of a job that the mail's item has as claimed."""
    return set(named(job, item.get("claimed", {}).get("SS", ())))


def claim(key: str, digests: Collection[str], now: datetime) -> Write:
    """Return the write that claims recipients, if nobody has claimed one of them."""
    named = {f":d{index}": text(digest) for index, digest in enumerate(sorted(digests))}
    return Write(
        key=key,
        update=f"ADD #claimed :digests SET {SET_EXPIRES}",
        condition=" AND ".join(f"NOT contains(#claimed, {name})" for name in named),
        values={":digests": texts(digests), **named, **expires(now)},
    )


def release(key: str, digests: Collection[str], now: datetime) -> Write:
    """Return the write that gives up the claims of one job."""
    return Write(
        key=key,
        update=f"DELETE #claimed :mine SET {SET_EXPIRES}",
        values={":mine": texts(digests), **expires(now)},
    )


def earlier_keys(job: Job) -> dict[str, list[str]]:
    """Return the keys of the claims that version 0.1.0 wrote, with their recipients.

    It wrote an item for each recipient. A key that DynamoDB would not take was never written.
    """
    keys: dict[str, list[str]] = {}
    for recipient in job.recipients:
        key = f"{job.message_id} {recipient.lower()}"
        if len(key.encode("utf-8", "replace")) <= _LONGEST_KEY:
            keys.setdefault(key, []).append(recipient)
    return keys


def claimed_part(job: Job, mine: Collection[str]) -> Job:
    """Return the job for the recipients with these digests; all of it if it claimed none."""
    others = [each for each in job.recipients if recipient_digest(each) not in mine]
    return job.without(others) if 0 < len(others) < len(job.recipients) else job


def named(job: Job, digests: Collection[str]) -> list[str]:
    """Return the recipients of a job that have one of these digests."""
    return [each for each in job.recipients if recipient_digest(each) in digests]


def digests(recipients: Iterable[str]) -> frozenset[str]:
    """Return the digests of several recipients."""
    return frozenset(map(recipient_digest, recipients))
