"""Mistakes with what is put in force: each is a change of a class that a law has to find."""

from collections.abc import Mapping
from typing import Any

from bouncer.publishing.revision_store import RevisionStore
from bouncer.rules import list_reader
from bouncer.rules.document import Node
from bouncer.rules.index import LeafIndex
from bouncer.rules.list_rows import ListRows
from bouncer.sources.pointer import POINTER_KEY, Pointer, pointer_text
from bouncer_sim.world.mutant import Mutant, replaced

_add_members = LeafIndex._add_members  # noqa: SLF001  # the mistake is inside


def _move(store: RevisionStore, pointer: Pointer, _: str) -> None:
    """Write the pointer in place of any."""
    store._put(POINTER_KEY, pointer_text(pointer).encode())  # noqa: SLF001  # the mistake is inside


def _all_known(index: LeafIndex, members: Any, lists: Mapping[str, Any]) -> None:
    """Take a list that is missing for one that nothing is on."""
    _add_members(index, members, lists)
    index.unknown = frozenset()


def _unnoticed(node: Node, _: Any) -> None:
    """Pass over a key that no document has."""


class _AnyDigest:
    """A digest that is the one of any document."""

    def __init__(self, _: bytes) -> None:
        pass

    def hexdigest(self) -> Any:
        """Return what equals everything."""
        return _Anything()


class _Anything:
    """A value that differs from nothing."""

    __hash__ = None  # type: ignore[assignment]  # it is compared only

    def __eq__(self, _: object) -> bool:
        return True

    def __ne__(self, _: object) -> bool:
        return False


def _forgiven(rows: Any, *_: Any) -> None:
    """Pass over an entry that is not one."""


_REFUSED = "no_mail_is_judged_by_a_refused_document"
_UNKNOWN = "unknown_never_stops_a_mail"
_BACK = "the_pointer_never_moves_back"

PUBLISHING_MUTANTS = (
    Mutant("checksum not compared", replaced(list_reader, sha256=_AnyDigest), (_REFUSED,)),
    Mutant("garbage passed over", replaced(ListRows, _refuse=_forgiven), (_REFUSED,)),
    Mutant("unknown key passed over", replaced(Node, unknown=_unnoticed), (_REFUSED,)),
    Mutant("missing list read as empty", replaced(LeafIndex, _add_members=_all_known), (_UNKNOWN,)),
    Mutant("pointer moved from any", replaced(RevisionStore, move=_move), (_BACK,)),
)
