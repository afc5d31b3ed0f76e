"""The ledger's tally of the replies that one organisation got on one day (UTC), for their cap.

An organisation vouches for all its addresses, and says where their mail goes: a mail exchanger may
be a victim's. So `once_per`, which is about one sender, does not bound what it gets.
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

_KEPT = timedelta(days=2)


def tally_key(reply: Reply, salt: Salt, now: datetime) -> str:
    """Return the key of the tally of a sender's organisation; `now` is in UTC."""
    organisation = organisational_domain(domain(reply.sender))
    return f"replies#{now:%Y-%m-%d}#{salt.digest(organisation)}"


def sent_today(item: Item) -> int:
    """Return the number of replies that were sent, or may have been."""
    return number_of(item, "sent")


def count_reply(reply: Reply, salt: Salt, now: datetime) -> Write:
    """Return the write that counts a reply that was sent, or may have been."""
    return Write(
        key=tally_key(reply, salt, now),
        update=f"ADD #sent :reply SET {SET_EXPIRES}",
        values={":reply": number(1), **expires(now, _KEPT)},
    )


def is_capped(reply: Reply, sent: int, caps: Caps) -> bool:
    """Tell whether a sender's organisation, which got this many today, gets no more."""
    most, host = caps.domain_replies, domain(reply.sender)
    if most is None or sent < most:
        return False
    sender = normal_sender(reply.sender, reply.recipients)
    return sender not in caps.allow and not in_domains(host, caps.allow)
