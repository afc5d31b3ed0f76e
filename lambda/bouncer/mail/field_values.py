"""The values of a field in a mail that may not be known as a whole."""

from typing import Any, NamedTuple, Protocol


class Values(NamedTuple):
    """The values of a field; `whole` is False if there are or may be others."""

    values: tuple[Any, ...]
    whole: bool


class AtLeast(int):
    """A number that was counted up to a bound: the true one is this or a greater one."""


class MailContent(Protocol):
    """The content of a mail, in parts, whether it is at hand or has yet to be read."""

    def of(self, field: str) -> Values:
        """Return the values of a field of the rule language that is read from the content."""

    @property
    def bounds(self) -> tuple[str, ...]:
        """The bounds that were reached in what was read so far, in the order of their names."""
