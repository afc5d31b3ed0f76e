"""Checks documents as the publisher does, without putting them in force."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from bouncer.errors import DocumentError
from bouncer.operator_settings import Settings
from bouncer.publishing.pushing import pushing_state
from bouncer.publishing.rule_choice import chosen
from bouncer.rules.rule import Rule
from bouncer.rules.ruleset_warnings import ruleset_warnings
from bouncer.settings_reader import overlaid
from bouncer.sources.held_causes import document_causes
from bouncer.sources.revision import Revision, revision_of
from bouncer.sources.source import HELD, PUSHING, SETTINGS, Documents


class DocumentsCheck(NamedTuple):
    """The outcome: sentences about each refused document by its name, and doubts about others.

    `revision` has the valid rules.
    """

    revision: Revision
    problems: dict[str, tuple[str, ...]]
    warnings: tuple[str, ...]

    def __str__(self) -> str:
        """Return the line that sums it up."""
        counts = [counted(len(self.revision.rules), "valid rule")]
        if self.problems:
            counts.append(counted(len(self.problems), "refused document"))
        if self.warnings:
            counts.append(counted(len(self.warnings), "warning"))
        named = "" if self.problems else f"; revision {self.revision.id}"
        return f"{', '.join(counts)}{named}"


def check_documents(documents: Documents, now: datetime) -> DocumentsCheck:
    """Return the problems that the publisher would report, and the warnings; `now` is aware."""
    rules, problems = chosen(documents.rules, ())
    settings, wrong = _settings(documents)
    others = {SETTINGS: wrong, HELD: _held(documents), PUSHING: _pushing(documents, now)}
    found = {name: said for name, said in others.items() if said}
    warnings = tuple(_warnings(rules, settings, now))
    return DocumentsCheck(revision_of(rules), {**problems, **found}, warnings)


def _settings(documents: Documents) -> tuple[Settings, tuple[str, ...]]:
    document = documents.settings
    if document is None:
        return Settings(), ()
    try:
        return overlaid(Settings(), document.plain_text, document=document.label), ()
    except DocumentError as error:
        return Settings(), tuple(map(str, error.problems))


def _held(documents: Documents) -> tuple[str, ...]:
    return tuple(document_causes(documents.held)[1].splitlines())


def _pushing(documents: Documents, now: datetime) -> tuple[str, ...]:
    return pushing_state(documents.pushing, now)[1]


def _warnings(rules: tuple[Rule, ...], settings: Settings, now: datetime) -> Iterator[str]:
    active = revision_of(rules).active
    yield from map(str, ruleset_warnings(active, ascii_only=settings.ascii_only, now=now))


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is one."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
