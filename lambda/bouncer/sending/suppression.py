"""The ledger's items by which senders are suppressed: those to whom a bounce of ours bounced.

A bounce that SES accepted leaves an item by its id, with its sender as a digest. So an event about
it can be told from events of other mail, and its sender is found without an address. An event of a
permanent bounce, or a complaint, leaves an item by the sender. Both go after 30 days.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bouncer.jobs.job import Job
from bouncer.jobs.job_json import from_json
from bouncer.mail.address import domain
from bouncer.mail.organisation import organisational_domain
from bouncer.mail.rewritten_sender import is_shared, normal_sender
from bouncer.sending.day_tally import count_sent, hour_of
from bouncer.sending.digest import Salt, digest
from bouncer.sending.ending import Ending
from bouncer.sending.terms import Terms
from bouncer.sending.write import SET_EXPIRES, Item, Write, expires, number, number_of, text

LONGEST = timedelta(days=30)  # for which a sender is suppressed


def suppressed_form(sender: str, recipients: tuple[str, ...] = ()) -> str:
    """Return the form of a sender in which it is suppressed: that of the caps, but for two.

    Microsoft's `bounces+SRS=hash=day` is one sender for the caps, although a whole organisation
    relays its mail by it, and so is `bounces+customer-hash-recipient` of a mail service. Not all
    of them lose their bounces because one of these failed.
    """
    return sender.lower() if is_shared(sender) else normal_sender(sender, recipients)


def sender_digest(job: Job, salt: Salt) -> str:
    """Return the digest of a job's sender."""
    return salt.digest(suppressed_form(job.sender, job.recipients))


def suppressed_key(sender: str) -> str:
    """Return the key of the item that suppresses a sender, by its digest."""
    return f"suppressed#{sender}"


def bounce_key(bounce_id: str) -> str:
    """Return the key of a bounce's item, by the id that SES gave it."""
    return f"bounce#{digest(bounce_id)}"


def is_suppressed(item: Item, *, now: datetime, days: int) -> bool:
    """Tell whether a sender with this item is suppressed, if suppression lasts so many days."""
    since = suppressed_since(item)
    return since is not None and now < since + timedelta(days=days)


def suppressed_since(item: Item) -> datetime | None:
    """Return the time of the event that suppresses a sender, or None without an item."""
    seconds = number_of(item, "since")
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def notes(ending: Ending, body: str, terms: Terms, now: datetime) -> list[Write]:
    """Return the writes that belong to an end of the job in `body`: those of a bounce, if sent.

    It is the whole job, as the form of a sender may depend on recipients that were taken out.
    """
    if not ending.bounce_id:
        return []
    job = from_json(body)
    noted = note(ending.bounce_id, job.sender, job.recipients, terms.salt, now)
    return counted(noted, terms.counted_from, now)


def counted(
    noted: Write, counted_from: int, now: datetime, *, replied: bool = False
) -> list[Write]:
    """Return the note of a bounce or reply, and what counts it for the breaker, from a time on."""
    if now.timestamp() < counted_from:  # sending is about to be held
        return [noted]
    counting = {":counted_from": number(counted_from), ":hour": number(hour_of(now))}
    found = replace(
        noted,
        update=f"{noted.update}, #counted_from = :counted_from, #hour = :hour",
        values={**noted.values, **counting},
    )
    return [found, count_sent(counted_from, now, replied=replied)]


def note(
    mail_id: str, sender: str, recipients: tuple[str, ...], salt: Salt, now: datetime
) -> Write:
    """Return the write that notes a mail of ours, for the events that tell what became of it.

    `sender` is the one who gets it, and who wrote to these recipients.
    """
    digest_of_sender = salt.digest(suppressed_form(sender, recipients))
    return Write(
        key=bounce_key(mail_id),
        update=f"SET #sender = :sender, #organisation = :organisation, {SET_EXPIRES}",
        values={
            ":sender": text(digest_of_sender),
            ":organisation": text(salt.digest(organisational_domain(domain(sender)))[:16]),
            **expires(now, LONGEST),
        },
    )


def settle_bounce(bounce_id: str, kind: str, now: datetime) -> Write:
    """Return the write that notes what became of a bounce, unless that was noted before."""
    return Write(
        key=bounce_key(bounce_id),
        update="SET #became = :became, #at = :at",
        condition="attribute_exists(#sender) AND attribute_not_exists(#became)",
        values={":became": text(kind), ":at": number(int(now.timestamp()))},
    )


def suppress(sender: str, kind: str, now: datetime) -> Write:
    """Return the write that suppresses a sender, by its digest, from now on."""
    return Write(
        key=suppressed_key(sender),
        update=f"SET #since = :since, #why = :why, {SET_EXPIRES}",
        values={
            ":since": number(int(now.timestamp())),
            ":why": text(kind),
            **expires(now, LONGEST),
        },
    )
