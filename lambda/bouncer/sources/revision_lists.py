"""Loads the lists of a revision: each look-up form is read once while it stays the same."""

from collections.abc import Callable, Mapping

from bouncer.rules.entry_table import EntryTableError
from bouncer.rules.named_list import NamedList
from bouncer.sources.revision import ListInForce
from bouncer.sources.source import SourceError


class RevisionLists:
    """Lists by their digest; `read` returns a form by its digest, or raises `SourceError`."""

    def __init__(self, read: Callable[[str], bytes]) -> None:
        self._read = read
        self._kept: dict[str, NamedList] = {}

    def load(
        self, wanted: Mapping[str, ListInForce]
    ) -> tuple[dict[str, NamedList], tuple[str, ...]]:
        """Return lists by name, and a sentence about each that can't be read."""
        digests = {found.digest for found in wanted.values()}
        self._kept = {digest: kept for digest, kept in self._kept.items() if digest in digests}
        lists, problems = {}, []
        for name, found in wanted.items():
            try:
                lists[name] = self._list(found.digest)
            except (SourceError, EntryTableError) as error:
                problems.append(f"list {name}: {error}; conditions that ask it are unknown")
        return lists, tuple(problems)

    def _list(self, digest: str) -> NamedList:
        if digest not in self._kept:
            self._kept[digest] = NamedList(self._read(digest))
        return self._kept[digest]
