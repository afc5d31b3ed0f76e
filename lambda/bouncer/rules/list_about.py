"""The description of a list, and a list as it was read.

Rules, warnings and revisions need the description alone.
"""

from collections.abc import Iterable
from typing import NamedTuple

from bouncer.errors import Problem
from bouncer.rules.list_kind import ListKind


class ListAbout(NamedTuple):
    """The description of a list.

    `prefixes` has the IP version and length of each prefix in a list of networks, the longest
    first, and `longest` the number of words of the longest entry of a list of words.
    """

    kind: ListKind
    subdomains: bool = False
    columns: tuple[str, ...] = ()
    entries: int = 0
    prefixes: tuple[tuple[int, int], ...] = ()
    longest: int = 1

    def columns_include(self, names: Iterable[str]) -> bool:
        """Tell whether the list has all of these columns."""
        return set(names) <= set(self.columns)


class ReadList(NamedTuple):
    """A list in look-up form, with what is valid in it, but hardly meant so."""

    about: ListAbout
    form: bytes
    warnings: tuple[Problem, ...]
