"""What can go wrong, as values: one base class, and problems that say where, what and what instead.

Every text is one sentence a person can act on; nothing here may carry a traceback or raw mail.
"""

from dataclasses import dataclass


class BouncerError(Exception):
    """The base of every error this project raises; its text is fit for an operator's eyes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong in a document: `place` is a path such as `when.sender[1]`, `line` from 1."""

    document: str
    place: str
    line: int | None
    found: str
    expected: str

    def __str__(self) -> str:
        where = self.document if self.line is None else f"{self.document}:{self.line}"
        place = f"{self.place}: " if self.place else ""
        return f"{where}: {place}found {self.found}, expected {self.expected}"


class DocumentError(BouncerError):
    """A rule or settings document was refused; `problems` holds everything wrong with it."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


class UnreadableEventError(BouncerError):
    """What arrived is no mail event of SES; the text says what it looks like instead."""


class EnvironmentKeyError(BouncerError):
    """A key of the function's environment is missing or wrong; the text names it."""
