"""Reads the headers that SES added on top of a mail it received: its verdicts, id and recipient."""

import re

from bouncer_cli import authentication_results

LAST_OF_SES = "x-ses-dkim-signature"

_BY_SES = " by inbound-smtp."
_RECEIVED = re.compile(
    r" by inbound-smtp\.[a-z0-9-]++\.amazonaws\.com(?:\.cn)? with \w++ id (?P<id>[^\s;]++)"
    r"(?: for (?P<for>[^;]++))?;(?P<date>.*)"
)

Headers = list[tuple[str, str]]  # names in lower case, but for those that go into the event


def received_by_ses(received: str) -> re.Match[str] | None:
    """Return id, recipient (`for`) and date of a `Received` that SES wrote, or None."""
    place = received.rfind(_BY_SES)
    return _RECEIVED.match(received, place) if place >= 0 else None


def values(headers: Headers, *names: str) -> list[str]:
    """Return the values of all headers that have one of these names, in their order."""
    return [value for name, value in headers if name in names]


def ses_verdicts(written: Headers) -> dict[str, str]:
    """Return SES's verdicts by name; of headers with one name the first counts.

    `written` has the headers that SES wrote, and none below.
    """
    verdicts: dict[str, str] = {}
    for name, header in (("spam", "x-ses-spam-verdict"), ("virus", "x-ses-virus-verdict")):
        for value in values(written, header)[:1]:
            verdicts[name] = value.strip().upper()  # as events have them
    for value in values(written, "authentication-results")[:1]:
        verdicts |= authentication_results.verdicts(value, "amazonses.com") or {}
    return verdicts


def trusted_verdicts(written: Headers, trusted: str) -> dict[str, str]:
    """Return the verdicts in the topmost Authentication-Results of the trusted server."""
    for value in values(written, "authentication-results"):
        verdicts = authentication_results.verdicts(value, trusted)
        if verdicts is not None:
            return verdicts
    return {}
