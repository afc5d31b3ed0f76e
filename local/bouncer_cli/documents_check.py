"""Checks documents as the publisher does, without putting them in force."""

from datetime import datetime
from typing import NamedTuple

from bouncer.errors import DocumentError
from bouncer.held import Held
from bouncer.operator_settings import Settings
from bouncer.publishing.list_choice import InForceBefore, chosen_lists
from bouncer.publishing.list_forms import FormsInMemory
from bouncer.publishing.publication import revision_warnings
from bouncer.publishing.pushing import pushing_state
from bouncer.publishing.rule_choice import chosen
from bouncer.rules.list_warnings import named_lists
from bouncer.settings_reader import overlaid
from bouncer.sources.held_causes import document_causes, settings_causes
from bouncer.sources.revision import Revision, revision_of
from bouncer.sources.source import HELD, PUSHING, SETTINGS, Documents


class DocumentsCheck(NamedTuple):
    """The outcome: sentences about each refused document by its name, and doubts about others.

    `revision` has the valid rules with their lists.
    """

    revision: Revision
    settings: Settings
    causes: tuple[Held, ...]
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


def check_documents(
    documents: Documents,
    now: datetime,
    *,
    defaults: Settings | None = None,
    forms: FormsInMemory | None = None,
) -> DocumentsCheck:
    """Return the problems that the publisher would report, and the warnings; `now` is aware.

    `defaults` hold where the settings say nothing; `forms` keeps the lists' look-up forms. Raises
    `SourceError` if a list can't be read.
    """
    forms = forms or FormsInMemory()
    rules, of_rules = chosen(documents.rules, ())
    lists = chosen_lists(named_lists(rules), documents.lists, InForceBefore(), forms)
    revision = revision_of(rules, lists.lists)
    settings, wrong = _settings(documents, defaults or Settings())
    held, unreadable = document_causes(documents.held)
    others = {SETTINGS: wrong, HELD: unreadable.splitlines(), PUSHING: _pushing(documents, now)}
    found = {name: tuple(said) for name, said in others.items() if said}
    return DocumentsCheck(
        revision,
        settings,
        (*settings_causes(settings, documents.settings, defaults or Settings()), *held),
        {**of_rules, **lists.problems, **found},
        revision_warnings(revision, settings, now),
    )


def _settings(documents: Documents, defaults: Settings) -> tuple[Settings, tuple[str, ...]]:
    document = documents.settings
    if document is None:
        return defaults, ()
    try:
        return overlaid(defaults, document.plain_text, document=document.label), ()
    except DocumentError as error:
        return defaults, tuple(map(str, error.problems))


def _pushing(documents: Documents, now: datetime) -> tuple[str, ...]:
    return pushing_state(documents.pushing, now)[1]


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is one."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
