"""Reads one entry of a list: brings it into the form in which it is found, or refuses it."""

import re
from collections.abc import Callable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from bouncer.mail.comparable import comparable
from bouncer.rules.document import show
from bouncer.rules.list_keys import (
    MOST_WORDS,
    address_key,
    domain_key,
    network_key,
    words,
)
from bouncer.rules.list_kind import ListKind
from bouncer.rules.name_limits import unknown_domain

LONGEST_ENTRY = 500
_LABEL = r"[^\x00-,/:-@\[-^`{-\x7f.]+"  # in ASCII, letters, digits, - and _
_HOST = rf"{_LABEL}(?:\.{_LABEL})*\.?"
_DOMAIN = re.compile(_HOST)
_ADDRESS = re.compile(rf'[^\s@*?<>,;:()\[\]\\"]+@(?:{_HOST}|\[[\w.:]+\])')

# Letters of scripts without blanks between words: Thai, Lao, Myanmar, Khmer, Chinese, Japanese.
_UNPARTED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff"
    "\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)


class EntryRefused(ValueError):  # noqa: N818  # refused, not an error of ours
    """An entry is not what the list has; the text is what was expected in its place."""


def entry_key(kind: ListKind, text: str) -> str:
    """Return the key of an entry of this kind of list; raises `EntryRefused`."""
    if len(text) > LONGEST_ENTRY:
        raise EntryRefused(f"at most {LONGEST_ENTRY} characters")
    key = _READERS[kind](text)
    if not key.isprintable():
        raise EntryRefused("characters that Unicode defines, and none for private use")
    return key


def entry_doubt(kind: ListKind, text: str) -> str | None:
    """Return what is expected in place of a valid entry that hardly finds what its writer means."""
    match kind:
        case ListKind.WORDS:
            return _doubt_of_words(text)
        case ListKind.DOMAINS if text.rstrip(".").rpartition(".")[2].isdecimal():
            return "a domain (an IP address belongs in a list of kind networks)"
        case _:
            return None


def _doubt_of_words(text: str) -> str | None:
    if _UNPARTED.search(text):
        return (
            "a script with blanks between words, as only whole words are found: in a rule, write "
            f"contains: {show(text)}"
        )
    compared = " ".join(words(text))
    lost = re.sub(r"[\w\s]", "", comparable(text))
    return (
        f"{show(compared)}, as which it is compared: only letters and digits count"
        if lost
        else None
    )


def _address(text: str) -> str:
    expected = "an address such as ann@example.com"
    if not _ADDRESS.fullmatch(text):
        whole = text.startswith(("@", "*@")) or _DOMAIN.fullmatch(text)
        raise EntryRefused(
            f"{expected} (domains need a list of kind domains)" if whole else expected
        )
    _refuse_unknown(text.rpartition("@")[2])
    return address_key(text).rstrip(".")


def _domain(text: str) -> str:
    expected = "a domain such as example.com"
    if not _DOMAIN.fullmatch(text):
        dotted = re.sub(r"^\*?\.", "", text)
        below = dotted != text and _DOMAIN.fullmatch(dotted)
        more = f"{show(dotted)} (with subdomains: true in the document of the list)"
        raise EntryRefused(more if below else expected)
    _refuse_unknown(text)
    return domain_key(text)


def _refuse_unknown(domain: str) -> None:
    if unknown := unknown_domain(domain):
        raise EntryRefused(unknown)


def read_network(text: str) -> IPv4Network | IPv6Network:
    """Return the network that an entry names; raises `EntryRefused`."""
    try:
        network = ip_network(text.replace("%", " "), strict=False)  # a mail has no zone
    except ValueError:
        expected = "an IP address or network such as 192.0.2.0/24 or 2001:db8::/32"
        raise EntryRefused(expected) from None
    if mapped := getattr(network.network_address, "ipv4_mapped", None):
        of_ipv4 = f"{mapped}/{network.prefixlen - 96}"
        raise EntryRefused(f"{of_ipv4}, as an IPv4 address is compared in its own form")
    if "/" in text and ip_address(text.partition("/")[0]) != network.network_address:
        raise EntryRefused(f"the first address of the network, {network}")
    return network


def _network(text: str) -> str:
    return network_key(read_network(text))


def _words(text: str) -> str:
    found = words(text)
    if not 1 <= len(found) <= MOST_WORDS:
        raise EntryRefused(f"1 to {MOST_WORDS} words of letters or digits")
    return " ".join(found)


_READERS: Mapping[ListKind, Callable[[str], str]] = {
    ListKind.ADDRESSES: _address,
    ListKind.DOMAINS: _domain,
    ListKind.NETWORKS: _network,
    ListKind.WORDS: _words,
}
