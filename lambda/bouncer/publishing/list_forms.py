"""The look-up forms of lists: where the publisher keeps them, and finds them made already.

Reading a million entries takes seconds, so a list is read once for each change of what it is made
of, by whatever environment of the publisher.
"""

from collections.abc import Mapping
from typing import Protocol

from bouncer.rules.named_list import NamedList
from bouncer.sources.revision import ListInForce


class ListForms(Protocol):
    """Keeps look-up forms."""

    def find(self, source: str) -> ListInForce | None:
        """Return the list that was made of what has this digest, if its form is still there."""

    def keep(self, source: str, found: ListInForce, form: bytes) -> None:
        """Keep a form that was made of what has this digest."""


class FormsInMemory:
    """Look-up forms on this machine, by their digest, for a command that puts nothing in force."""

    def __init__(self) -> None:
        self.forms: dict[str, bytes] = {}

    def find(self, _: str) -> ListInForce | None:
        """Return nothing: a command reads each list once."""
        return None

    def keep(self, _: str, found: ListInForce, form: bytes) -> None:
        """Keep a form."""
        self.forms[found.digest] = form

    def named_lists(self, lists: Mapping[str, ListInForce]) -> dict[str, NamedList]:
        """Return the lists of a revision, whose forms were kept here, by name."""
        return {name: NamedList(self.forms[found.digest]) for name, found in lists.items()}


class FormStore(Protocol):
    """A place for forms: the bucket."""

    def has_list(self, digest: str) -> bool:
        """Tell whether a form is there."""

    def keep_list(self, digest: str, form: bytes) -> None:
        """Write a form."""


class StoredForms:
    """Look-up forms in the bucket; what was made of what is remembered, and learnt from pointers.

    Both methods raise what the store raises.
    """

    def __init__(self, store: FormStore) -> None:
        self._store = store
        self._made: dict[str, ListInForce] = {}

    def learn(self, sources: Mapping[str, str], lists: Mapping[str, ListInForce]) -> None:
        """Learn what lists in force were made of; `sources` has the digests by name."""
        self._made |= {sources[name]: lists[name] for name in sources.keys() & lists.keys()}

    def find(self, source: str) -> ListInForce | None:
        """Return the list that was made of what has this digest, if its form is still there."""
        found = self._made.get(source)
        return found if found and self._store.has_list(found.digest) else None

    def keep(self, source: str, found: ListInForce, form: bytes) -> None:
        """Write a form, and remember what it was made of."""
        self._store.keep_list(found.digest, form)
        self._made[source] = found
