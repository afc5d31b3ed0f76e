"""A list that rules ask for by its name: `recipient: {in: departed}`.

It answers from its look-up form (entry_table.py). Which fields may ask it depends on its kind:
`row_finder` returns the function that finds the row of a value, or None for another field.
"""

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address

from bouncer.mail.address import without_tag
from bouncer.rules.entry_table import EntryTable, Rows, build_table
from bouncer.rules.fields import Kind
from bouncer.rules.list_about import ListAbout
from bouncer.rules.list_keys import (
    address_key,
    address_keys,
    domain_key,
    parents,
    phrase_keys,
)
from bouncer.rules.list_kind import ListKind

Row = tuple[str, ...] | None
RowFinder = Callable[[str], Row] | Callable[[IPv4Address | IPv6Address], Row]


def list_form(rows: Rows, about: ListAbout) -> bytes:
    """Return a list in look-up form."""
    return build_table(rows, about._asdict())


class NamedList:
    """One list; raises `EntryTableError` for bytes that are not a list's look-up form."""

    def __init__(self, form: bytes) -> None:
        self._table = EntryTable(form)
        about = dict(self._table.about)
        pairs = tuple((version, length) for version, length in about.pop("prefixes"))
        kind, columns = ListKind(about.pop("kind")), tuple(about.pop("columns"))
        self.about = ListAbout(kind=kind, columns=columns, prefixes=pairs, **about)

    def row_finder(self, kind: Kind, *, tagless: bool = False) -> RowFinder | None:
        """Return the function that finds the row of a value of a kind of field, if any can.

        With `tagless`, an address is also looked for without its plus tag, as recipients are.
        """
        match kind, self.about.kind:
            case Kind.ADDRESS, ListKind.ADDRESSES:
                return self._by_tagless_address if tagless else self._by_address
            case Kind.ADDRESS, ListKind.DOMAINS:
                return self._by_domain_of_address
            case Kind.DOMAIN, ListKind.DOMAINS:
                return self._by_domain
            case Kind.NETWORK, ListKind.NETWORKS:
                return self._by_ip_address
            case ((Kind.TEXT | Kind.HEADER), ListKind.WORDS):
                return self._by_words
            case _:
                return None

    def _by_address(self, address: str) -> Row:
        return self._table.find(address_key(address))

    def _by_tagless_address(self, address: str) -> Row:
        found = self._by_address(address)
        return found if found is not None else self._by_address(without_tag(address))

    def _by_domain_of_address(self, address: str) -> Row:
        _, at, host = address.rpartition("@")
        return self._by_domain(host) if at else None

    def _by_domain(self, domain: str) -> Row:
        key = domain_key(domain)
        if not self.about.subdomains:
            return self._table.find(key)
        return self._first((key, *parents(key)))

    def _by_ip_address(self, address: IPv4Address | IPv6Address) -> Row:
        return self._first(address_keys(address, self.about.prefixes))

    def _by_words(self, text: str) -> Row:
        return self._first(phrase_keys(text, self.about.longest, self._table.__contains__))

    def _first(self, keys: Iterable[str]) -> Row:
        return next((row for key in keys if (row := self._table.find(key)) is not None), None)
