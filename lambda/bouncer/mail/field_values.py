"""The values of a field in a mail that may not be known as a whole."""

from typing import Any, NamedTuple


class Values(NamedTuple):
    """The values of a field; `whole` is False if there are or may be others."""

    values: tuple[Any, ...]
    whole: bool
