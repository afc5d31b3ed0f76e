"""Reads the headers that SES added on top of a mail it received: its verdicts, id and recipient."""

import re

RECEIVED_BY_SES = re.compile(
    r" by inbound-smtp\.\S+ with \w+ id (?P<id>\S+)(?: for (?P<for>[^;]+))?;(?P<date>.*)"
)
_RESULT = re.compile(r";\s*(spf|dkim|dmarc)=(\w+)", re.IGNORECASE)
_POLICY = re.compile(r";\s*dmarc=fail\s*\(p=(\w+)", re.IGNORECASE)
_LAST_OF_SES = "x-ses-dkim-signature"
_SAID_BY_SENDER = re.compile(r'"(?:[^"\\]|\\.)*"|\([^()]*\)|\b(?:envelope-from|helo)=[^\s;]*')
_WORDS = {
    "pass": "PASS",
    "fail": "FAIL",
    "temperror": "PROCESSING_FAILED",
    "permerror": "PROCESSING_FAILED",
}

Headers = list[tuple[str, str]]  # names in lower case, but for those that go into the event


def values(headers: Headers, *names: str) -> list[str]:
    """Return the values of all headers that have one of these names, in their order."""
    return [value for name, value in headers if name in names]


def ses_verdicts(headers: Headers) -> dict[str, str]:
    """Return SES's verdicts by name; of headers with one name the first counts."""
    verdicts: dict[str, str] = {}
    written = _written_by_ses(headers)
    for name, header in (("spam", "x-ses-spam-verdict"), ("virus", "x-ses-virus-verdict")):
        for value in values(written, header)[:1]:
            verdicts[name] = value.strip()
    for value in values(written, "authentication-results")[:1]:
        if value.partition(";")[0].strip().lower() == "amazonses.com":
            verdicts |= _authentication(value)
    return verdicts


def _written_by_ses(headers: Headers) -> Headers:
    """Return the headers SES added: all above its signature, else above the next `Received`."""
    names = [name for name, _ in headers]
    if _LAST_OF_SES in names:
        headers = headers[: names.index(_LAST_OF_SES)]
    below = [number for number, (name, _) in enumerate(headers) if name == "received"][1:]
    return headers[: below[0]] if below else headers


def _authentication(value: str) -> dict[str, str]:
    verdicts: dict[str, str] = {}
    for name, result in _RESULT.findall(_SAID_BY_SENDER.sub("", value)):
        method, word = name.lower(), _WORDS.get(result.lower(), "GRAY")
        if method == "dkim" and word == "PASS":  # of several signatures one good one is enough
            verdicts[method] = word
        verdicts.setdefault(method, word)  # SES's own comes first
    policy = _POLICY.search(value)
    return verdicts | ({"dmarc_policy": policy[1].lower()} if policy else {})
