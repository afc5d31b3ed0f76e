"""The keys by which the entries of a list are found: values of a mail go through the same steps.

Addresses, domains and texts are compared as rules compare them (pattern_form.py). An address or a
domain has one key, a network has one for each prefix length, a text one for each run of its words.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from bouncer.mail.a_label import a_labels
from bouncer.mail.comparable import comparable, folded
from bouncer.rules.fields import Kind
from bouncer.rules.pattern_form import value_form

MOST_WORDS = 8  # of one entry of a list of words
_WORD = re.compile(r"\w+")

_address_form = value_form(Kind.ADDRESS)


def address_key(address: str) -> str:
    """Return the key of an address."""
    return address.lower() if address.isascii() else folded(_address_form(address))


def domain_key(domain: str) -> str:
    """Return the key of a domain."""
    host = domain if domain.isascii() else a_labels(comparable(domain))
    return host.lower().rstrip(".")


def parents(key: str) -> Iterator[str]:
    """Yield the domains above a domain, the nearest first."""
    _, dot, parent = key.partition(".")
    while dot:
        yield parent
        _, dot, parent = parent.partition(".")


def network_key(network: IPv4Network | IPv6Network) -> str:
    """Return the key of a network."""
    return _network_key(network.version, int(network.network_address), network.prefixlen)


def address_keys(
    address: IPv4Address | IPv6Address, lengths: Sequence[tuple[int, int]]
) -> Iterator[str]:
    """Yield the keys of the networks an address is in, for each (IP version, prefix length)."""
    number = int(address)
    for version, length in lengths:
        if version == address.version:
            host_bits = address.max_prefixlen - length
            yield _network_key(version, number >> host_bits << host_bits, length)


def _network_key(version: int, number: int, length: int) -> str:
    return f"{version}:{number:x}/{length}"


def words(text: str) -> list[str]:
    """Return the words of a text in comparable form: runs of letters, digits and underscores."""
    return _WORD.findall(folded(comparable(text)))


def first_word_key(word: str) -> str:
    """Return the key of a row which tells that a longer entry begins with a word."""
    return f"{word} *"


def phrase_keys(text: str, longest: int, begins: Callable[[str], bool]) -> Iterator[str]:
    """Yield each word of a text, and each run of up to `longest` words that `begins` an entry."""
    found = words(text)
    for start, first in enumerate(found):
        yield first
        if longest > 1 and begins(first_word_key(first)):
            for end in range(start + 2, min(start + longest, len(found)) + 1):
                yield " ".join(found[start:end])
