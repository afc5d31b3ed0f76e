"""Finds the envelope of a raw mail in its headers: who sent it, and to whom it was delivered.

Headers below the trust line, which is the `Received` of SES or of the server that the operator
trusts, are a stranger's word. Where no server has written the envelope down, it is assumed from
From, To and Cc, and the mail says so. Nothing here decides.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from bouncer.mail.address import domain
from bouncer.mail.address_list import addresses
from bouncer.mail.message import RECIPIENTS, SENDER
from bouncer_cli.authentication_results import given, parts
from bouncer_cli.ses_headers import LAST_OF_SES, Headers, received_by_ses, values

_DELIVERED = ("delivered-to", "x-original-to", "envelope-to")
_FOR = re.compile(r"\sfor\s++<?([^\s<>;@]++@[^\s<>;]++)")
_BY = re.compile(r"(?:^|\s)by\s++([^\s;]++)")
# An mbox writes this if there was no sender.
_NO_SENDER = ("", "mailer-daemon")
_REPORT = re.compile(
    r"\s*+(?:multipart/report|message/(?:global-)?(?:delivery-status|disposition-notification)"
    r"|message/feedback-report)\b",
    re.IGNORECASE,
)


class Found(NamedTuple):
    """The envelope that a mail shows; `assumed` has those of `ASSUMABLE` that are guesses.

    `sender` is "" for the null sender, and None if nothing says or suggests who it was.
    """

    sender: str | None
    recipients: list[str]
    assumed: frozenset[str]


class Trusted(NamedTuple):
    """The headers that are believed; without a trust line these are all, from the top.

    `above` ends with the trust line, `written` with what its server wrote below it. `verdicts` are
    the headers that may hold verdicts: `written`, or what stands above the second `Received`. `ses`
    is the match of SES's `Received`.
    """

    above: Headers
    written: Headers
    verdicts: Headers
    ses: re.Match[str] | None = None


def believed(headers: Headers, trusted: str | None) -> Trusted:
    """Find the trust line: the `Received` of SES on top, or else the first of the trusted server.

    `headers` have names in lower case, as everywhere in this module.
    """
    hops = [place for place, (name, _) in enumerate(headers) if name == "received"]
    ses = received_by_ses(headers[hops[0]][1]) if hops else None
    for number, place in enumerate(hops):
        if ses or (trusted and _by(headers[place][1]) == trusted):
            below = hops[number + 1] if number + 1 < len(hops) else len(headers)
            written = _above_signature(headers[:below])
            return Trusted(headers[: place + 1], written, written, ses)
    return Trusted(headers, headers, headers[: hops[1]] if len(hops) > 1 else headers)


def _above_signature(headers: Headers) -> Headers:
    """Return the headers above the signature of SES, below which all are a stranger's."""
    names = [name for name, _ in headers]
    return headers[: names.index(LAST_OF_SES)] if LAST_OF_SES in names else headers


def _by(received: str) -> str:
    """Return the server that wrote a `Received`, in lower case."""
    found = _BY.findall(parts(received)[0].text)
    return found[-1].lower() if found else ""


def find_envelope(headers: Headers, trusted: Trusted, from_line: bytes | None) -> Found:
    """Return the envelope; `from_line` is the text behind `From ` above a mail in an mbox."""
    sender, sender_known = _sender(headers, trusted, from_line)
    recipients = _delivered(trusted)
    known = {SENDER: sender_known, RECIPIENTS: bool(recipients)}
    return Found(
        sender=sender,
        recipients=recipients or list(addresses(tuple(values(headers, "to", "cc")))),
        assumed=frozenset(part for part, sure in known.items() if not sure),
    )


def _sender(headers: Headers, trusted: Trusted, from_line: bytes | None) -> tuple[str | None, bool]:
    """Return the envelope sender, and True if a server or the mail's own form says so."""
    by_mbox = _mbox_sender(from_line) if from_line else None
    written = next(_written_down(trusted.written), by_mbox)
    if written is not None:
        return written, True
    authors = values(headers, "from")
    found = addresses(tuple(authors))
    nobody = not found and any(author.endswith("<>") for author in authors)
    if nobody or any(map(_REPORT.match, values(headers, "content-type"))):  # RFC 3464 section 2
        return "", True
    return next(_written_down(headers), next(iter(found), None)), False


def _written_down(headers: Headers) -> Iterator[str]:
    """Yield the envelope senders that servers have written into headers, the surest first."""
    for text in _sender_texts(headers):
        path = _path(text)
        if path is not None:
            yield path


def _sender_texts(headers: Headers) -> Iterator[str]:
    yield from values(headers, "return-path")
    yield from filter(None, values(headers, "x-envelope-from"))
    for value in values(headers, "received-spf"):
        yield from given(value, "envelope-from")
    for value in values(headers, "authentication-results"):
        yield from given(value, "smtp.mailfrom", "envelope-from")


def _path(text: str) -> str | None:
    """Return the address in a reverse path, "" for the null sender, None if it is neither."""
    text = text.strip()
    if text.strip("<> ").lower() in _NO_SENDER:
        return ""
    return next(iter(addresses((text,))), None)


def _mbox_sender(line: bytes) -> str | None:
    """Return the sender in an mbox's line; None if it names nobody, as Thunderbird's and Takeout's.

    Usually the first word is the address. Some programs write the whole From there.
    """
    text = line.decode("utf-8", "replace")
    word, _, _ = text.partition(" ")
    if word.lower() in _NO_SENDER:
        return ""
    written = text[: text.rfind(">") + 1] or word
    found = (address for address in addresses((written,)) if "." in domain(address))
    return next(found, None)


def _delivered(trusted: Trusted) -> list[str]:
    """Return the recipients that servers have written down, the last server's first."""
    texts = [trusted.ses["for"]] if trusted.ses and trusted.ses["for"] else []
    texts += values(trusted.above, *_DELIVERED)
    for text in texts:
        if found := addresses((text.strip(),)):
            return list(found)
    hops = values(trusted.above, "received")
    named = (_FOR.search(parts(hop)[0].text) for hop in reversed(hops) if " for " in hop)
    return next(([found[1]] for found in named if found), [])
