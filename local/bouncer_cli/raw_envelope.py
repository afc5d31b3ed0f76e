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


def trust_line(headers: Headers, trusted: str | None) -> int | None:
    """Return the place of the `Received` of SES, or else of the trusted server, or None."""
    received = [place for place, (name, _) in enumerate(headers) if name == "received"]
    if received and received_by_ses(headers[received[0]][1]):
        return received[0]
    by_trusted = (place for place in received if trusted and _by(headers[place][1]) == trusted)
    return next(by_trusted, None)


def _by(received: str) -> str:
    """Return the server that wrote a `Received`, in lower case."""
    found = _BY.findall(parts(received)[0].text)
    return found[-1].lower() if found else ""


def find_envelope(headers: Headers, line: int | None, from_line: bytes | None) -> Found:
    """Return the envelope; `headers` have names in lower case, `line` is the trust line.

    `from_line` is the text behind `From ` in the line above a mail in an mbox.
    """
    sender, sender_known = _sender(headers, line, from_line)
    recipients = _delivered(headers, line)
    known = {SENDER: sender_known, RECIPIENTS: bool(recipients)}
    return Found(
        sender=sender,
        recipients=recipients or list(addresses(tuple(values(headers, "to", "cc")))),
        assumed=frozenset(part for part, sure in known.items() if not sure),
    )


def _sender(headers: Headers, line: int | None, from_line: bytes | None) -> tuple[str | None, bool]:
    """Return the envelope sender, and True if a server or the mail's own form says so."""
    by_servers = _written_down(headers if line is None else written_at(headers, line))
    written = next(by_servers, _mbox_sender(from_line) if from_line else None)
    if written is not None:
        return written, True
    authors = values(headers, "from")
    found = addresses(tuple(authors))
    nobody = not found and any(author.endswith("<>") for author in authors)
    if nobody or any(map(_REPORT.match, values(headers, "content-type"))):  # RFC 3464 section 2
        return "", True
    return next(_written_down(headers), next(iter(found), None)), False


def written_at(headers: Headers, line: int) -> Headers:
    """Return the headers above the trust line, and those its server wrote below it.

    They end with the next `Received`, or with the signature of SES.
    """
    for place, (name, _) in enumerate(headers[line + 1 :], line + 1):
        if name in ("received", LAST_OF_SES):
            return headers[:place]
    return headers


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


def _delivered(headers: Headers, line: int | None) -> list[str]:
    """Return the recipients that servers have written down, the last server's first."""
    ses = received_by_ses(headers[line][1]) if line is not None else None
    if ses and ses["for"] and (found := addresses((ses["for"].strip(),))):
        return list(found)
    for text in values(headers if line is None else headers[:line], *_DELIVERED):
        if found := addresses((text,)):
            return list(found)
    hops = values(headers if line is None else headers[: line + 1], "received")
    named = (_FOR.search(parts(hop)[0].text) for hop in reversed(hops) if " for " in hop)
    return next(([found[1]] for found in named if found), [])
