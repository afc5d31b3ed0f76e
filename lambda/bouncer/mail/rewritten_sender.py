"""Undoes what mail systems write into an envelope sender, so that one sender has one form.

Forwarders (SRS), senders that sign (BATV) and mailings (VERP, plus tags) give every mail an address
of its own; counted as they come, none would ever reach a cap. The domain is never changed: anybody
can write `SRS0=hash=day=victim.example=bob@attacker.example`, and must not be counted as Bob. Forms
that are not listed here stay as they are, so they count as senders of their own.
"""

import re
from collections.abc import Iterable
from functools import cache

from bouncer.mail.address import domain, local_part, without_tag

# A longer address is not a sender that mail could be delivered to (RFC 5321 section 4.5.3.1.3), and
# undoing forms within forms takes time that grows with the square of the length.
_LONGEST = 320

_PARTS = "[^=]*=[^=]*"  # the hash and the day
_ORIGINAL = "(?P<host>[^=]+)=(?P<user>.+)"
_RELAYED = rf"(?P<user>[^+]+)\+srs={_PARTS}"  # Microsoft 365, relayed: `bounces+SRS=hash=day`
_OF_CUSTOMER = r"bounces?\+[0-9]+-.*"  # SendGrid: `bounces+customer-hash-ann=example.com`
_OF_FORWARDERS = (
    rf"srs0[-+=]{_PARTS}={_ORIGINAL}",  # Sender Rewriting Scheme, libsrs2
    rf"srs1[-+=][^=]*=[^=]+=[-+=]{_PARTS}={_ORIGINAL}",  # the same, forwarded once more
    rf"[^+]*\+srs={_PARTS}={_ORIGINAL}",  # Microsoft 365, from a mailbox that forwards
    _RELAYED,
)
_FORMS = (
    *_OF_FORWARDERS,
    r"prvs=[0-9a-f]+=(?P<user>.+)",  # BATV (draft-levine-smtp-batv)
    r"btv1==[^=]+==(?P<user>.+)",  # BATV of Barracuda
)
_BEFORE_RECIPIENT = "-+"  # what VERP writes between the list and the recipient
_RECIPIENT = rf"(?=[{_BEFORE_RECIPIENT}]([^=]+)=([a-z0-9_-]+(?:\.[a-z0-9_-]+)+))"


def normal_sender(sender: str, recipients: Iterable[str] = ()) -> str:
    """Return the one form of an envelope sender: `bob@example.com` for `prvs=0123456789=Bob@...`.

    The original of a forwarded mail is named within the forwarder's domain:
    `bob=home.example@forwarder.example`. VERP is undone if it holds one of the `recipients`.
    """
    host, local = domain(sender), local_part(sender)
    if not host or len(sender) > _LONGEST:
        return sender.lower()
    held = [_as_verp(recipient) for recipient in recipients]
    while (simpler := _undone(local, host, held)) != local:
        local = simpler
    return f"{local}@{host}"


def is_shared(sender: str) -> bool:
    """Tell whether a sender is in a form whose normal sender is shared by people who wrote.

    Microsoft 365 has one for all mail that an organisation relays, SendGrid for its customers.
    """
    form = f"{_RELAYED}|{_OF_CUSTOMER}"
    return len(sender) <= _LONGEST and bool(re.fullmatch(form, local_part(sender), re.DOTALL))


def is_forwarded(sender: str) -> bool:
    """Tell whether a sender is in a form of forwarders, who hand on what is sent to it."""
    return _forwarded(sender) is not None


def original_sender(sender: str) -> str:
    """Return the sender that a forwarder wrote into his address, or "" if he wrote none."""
    found = match.groupdict() if (match := _forwarded(sender)) else {}
    return f"{found['user']}@{found['host']}" if "host" in found else ""


def _forwarded(sender: str) -> re.Match[str] | None:
    if len(sender) > _LONGEST:
        return None
    local = local_part(sender)
    forms = _forms()[: len(_OF_FORWARDERS)]
    return next(filter(None, (form.fullmatch(local) for form in forms)), None)


def verp_recipients(sender: str) -> list[str]:
    """Return whom VERP may have written into a sender, in lower case, for who does not know it.

    A list and a mailbox may both have hyphens, so there may be several.
    """
    if len(sender) > _LONGEST:
        return []
    return [f"{user}@{host}" for user, host in re.findall(_RECIPIENT, local_part(sender))]


def _undone(local: str, host: str, held: Iterable[str]) -> str:
    """Undo one form; each step makes the local part shorter."""
    for form in _forms():
        if match := form.fullmatch(local):
            found = match.groupdict()
            return f"{found['user']}={found['host']}" if "host" in found else found["user"]
    for recipient in held:
        list_name = _list_name(local, recipient)
        if list_name:
            return list_name
    return without_tag(f"{local}@{host}").rpartition("@")[0] if not local.startswith("+") else local


@cache
def _forms() -> tuple[re.Pattern[str], ...]:
    """Compile the forms once, at the first sender: a new intake has somebody waiting."""
    return tuple(re.compile(form, re.DOTALL) for form in _FORMS)


def _as_verp(recipient: str) -> str:
    return f"{local_part(recipient)}={domain(recipient)}"


def _list_name(local: str, recipient: str) -> str:
    """Return the part before a recipient that VERP wrote, or "" if it wrote none."""
    place = local.find(recipient)
    return local[: place - 1] if place > 1 and local[place - 1] in _BEFORE_RECIPIENT else ""
