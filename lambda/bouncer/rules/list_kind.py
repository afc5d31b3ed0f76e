"""The kinds of lists, and the kinds of fields that can ask each."""

from collections.abc import Mapping
from enum import StrEnum

from bouncer.rules.fields import Kind


class ListKind(StrEnum):
    """A kind of list; the word before a list's entries in its document."""

    ADDRESSES = "addresses"
    DOMAINS = "domains"
    NETWORKS = "networks"
    WORDS = "words"

    @property
    def entry(self) -> str:
        """The word for one entry."""
        return self.removesuffix("es" if self is ListKind.ADDRESSES else "s")


# The kinds of list that a kind of field can ask, in the order in which an error names them.
ASKED_BY: Mapping[Kind, tuple[ListKind, ...]] = {
    Kind.ADDRESS: (ListKind.ADDRESSES, ListKind.DOMAINS),
    Kind.DOMAIN: (ListKind.DOMAINS,),
    Kind.TEXT: (ListKind.WORDS,),
    Kind.HEADER: (ListKind.WORDS,),
    Kind.NETWORK: (ListKind.NETWORKS,),
}
