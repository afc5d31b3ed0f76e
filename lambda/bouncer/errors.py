"""Errors with one base class, and problems of documents: place, what was found, what was expected.

Every text is one sentence a person can act on; no error may carry a traceback or raw mail.
"""

from dataclasses import dataclass


class BouncerError(Exception):
    """The base class of the errors this project raises; its text is written for operators."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A problem in a document; `place` is a path such as `when.sender[1]`, `line` counts from 1."""

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
    """A rule or settings document is refused; `problems` has all that is wrong with it."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


class UnreadableEventError(BouncerError):
    """An event is not a mail event of SES; the text says what it looks like instead."""


class EnvironmentKeyError(BouncerError):
    """A key of the function's environment is missing or wrong; the text names it."""
