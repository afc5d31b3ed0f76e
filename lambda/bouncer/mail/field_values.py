"""The values of a field in a mail that may not be known as a whole."""

from typing import Any, NamedTuple


class Values(NamedTuple):
    """The values of a field; `whole` is False if there are or may be others."""

    values: tuple[Any, ...]
    whole: bool


class AtLeast(int):
    """A number that was counted up to a bound: the true one is this or a greater one."""
