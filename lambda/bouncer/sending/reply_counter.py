"""The ledger's counter of the replies that an organisation gets in a day (UTC).

A stranger can make up as many senders of his domain as he likes, so `once_per` does not bound what
goes there. The counter is an item for each organisational domain and day. It counts a reply in the
write of its end, if it was sent or may have been; the other invocation may have one on its way.
"""

from datetime import datetime, timedelta

from bouncer.caps import Caps
from bouncer.guard import in_domains
from bouncer.jobs.reply import Reply
from bouncer.mail.address import domain
from bouncer.mail.organisation import organisational_domain
from bouncer.mail.rewritten_sender import normal_sender
from bouncer.sending.digest import Salt
from bouncer.sending.write import SET_EXPIRES, Item, Write, expires, number, number_of

MOST_REPLIES = 100  # to one organisation in a day
_KEPT = timedelta(days=2)


def capped_organisation(reply: Reply, caps: Caps) -> str:
    """Return the organisational domain that a reply counts for, or "" if no cap is about it."""
    host = domain(reply.sender)
    sender = normal_sender(reply.sender, reply.recipients)
    if not caps.domain_share or sender in caps.allow or in_domains(host, caps.allow):
        return ""
    return organisational_domain(host)


def counter_key(reply: Reply, caps: Caps, salt: Salt, now: datetime) -> str:
    """Return the key of the counter of a reply today, or "" if no cap is about it."""
    organisation = capped_organisation(reply, caps)
    return f"count#replies#{now:%Y%m%d}#{salt.digest(organisation)}" if organisation else ""


def is_full(item: Item) -> bool:
    """Tell whether an organisation with this counter had all replies of the day."""
    return number_of(item, "sent") >= MOST_REPLIES


def count(key: str, now: datetime) -> Write:
    """Return the write that counts a reply."""
    return Write(
        key=key,
        update=f"ADD #sent :one SET {SET_EXPIRES}",
        values={":one": number(1), **expires(now, _KEPT)},
    )
