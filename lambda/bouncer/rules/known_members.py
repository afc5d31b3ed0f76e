"""Refuses members of a published object that this version does not know."""

from collections.abc import Collection, Iterable


def expect_known(members: Iterable[str], known: Collection[str]) -> None:
    """Raise `ValueError` for a member that is not `known`.

    It may limit what a rule does, as only a later version understands.
    """
    for name in members:
        if name not in known:
            raise ValueError(f"found the unknown member {name!r:.50}")
