"""Decides what is in force next: a function of the documents and of what is in force now.

It has no effects, so publisher, command and tests decide alike.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from bouncer.errors import BouncerError, DocumentError
from bouncer.held import Held
from bouncer.operator_settings import Settings
from bouncer.publishing.pushing import pushing_state
from bouncer.publishing.rule_choice import Problems, chosen
from bouncer.rules.rule import limits_of
from bouncer.settings_reader import overlaid
from bouncer.sources.held_causes import BY_SETTINGS, document_causes, settings_causes
from bouncer.sources.pointer import Pointer
from bouncer.sources.revision import NO_RULES, Revision, revision_of
from bouncer.sources.source import HELD, PUSHING, RULES, SETTINGS, Document, Documents


class PublishingError(BouncerError):
    """Nothing can be published, because settings are refused and none were in force before."""


class InForce(NamedTuple):
    """A pointer, and the revision that it names."""

    pointer: Pointer
    revision: Revision


class _SettingsChosen(NamedTuple):
    settings: Settings
    causes: tuple[Held, ...]
    problems: dict[str, tuple[str, ...]]


def publication(
    documents: Documents, before: InForce | None, *, defaults: Settings, now: datetime
) -> InForce:
    """Return what all these documents put in force; raises `PublishingError`.

    `defaults` hold where the settings say nothing. While a push lasts, the rules stay as they are.
    """
    pointer = before.pointer if before else None
    found = _settings(documents, pointer, defaults)
    pushing, wrong = pushing_state(documents.pushing, now)
    if wrong:
        found.problems[PUSHING] = wrong
    old = before.revision if before else NO_RULES
    if pushing:
        return _in_force(old, found, _problems_of_rules(pointer), pointer)
    rules, problems = chosen(documents.rules, old.rules)
    revision = revision_of(rules)
    return _in_force(revision, found, _with_what_holds(problems, documents, revision), pointer)


def settings_publication(documents: Documents, before: Pointer, *, defaults: Settings) -> Pointer:
    """Return the pointer with the settings and the causes of these documents; rules stay."""
    found = _settings(documents, before, defaults)
    others = {name: said for name, said in before.problems.items() if name not in (SETTINGS, HELD)}
    return before._replace(
        settings=found.settings,
        causes=found.causes,
        problems=_sorted({**others, **found.problems}),
    )


def _in_force(
    revision: Revision, found: _SettingsChosen, problems: Problems, before: Pointer | None
) -> InForce:
    pointer = Pointer(
        revision=revision.id,
        settings=found.settings,
        causes=found.causes,
        problems=_sorted({**problems, **found.problems}),
        braked=before.braked if before else (),
        serial=before.serial if before else 0,
        limits=limits_of(revision.rules),
    )
    return InForce(pointer, revision)


def _with_what_holds(problems: Problems, documents: Documents, revision: Revision) -> Problems:
    """Add to the problems of each refused rule what is in force in its place."""
    kept = {rule.name for rule in revision.rules}
    found = {}
    for name, said in problems.items():
        rule = name.removeprefix(RULES)
        holds = (
            "the rule stays in force as it was before"
            if rule in kept
            else "this rule is left out until the document is corrected"
        )
        found[name] = (*said, f"{documents.rules[rule].label}: {holds}")
    return found


def _problems_of_rules(before: Pointer | None) -> Problems:
    if before is None:
        return {}
    return {name: said for name, said in before.problems.items() if name.startswith(RULES)}


def _settings(documents: Documents, before: Pointer | None, defaults: Settings) -> _SettingsChosen:
    """Choose the settings and the causes that hold sending."""
    problems: dict[str, tuple[str, ...]] = {}
    try:
        settings = _read(documents.settings, defaults)
        paused = settings_causes(settings, documents.settings, defaults)
    except DocumentError as error:
        label = documents.settings.label if documents.settings else SETTINGS
        if before is None:
            raise PublishingError(f"{error}\n{label}: nothing is in force before it") from error
        stays = f"{label}: the settings stay in force as they were before"
        problems[SETTINGS] = (*map(str, error.problems), stays)
        settings = before.settings
        paused = tuple(cause for cause in before.causes if cause.by == BY_SETTINGS)
    held, problem = document_causes(documents.held)
    if problem:
        problems[HELD] = tuple(problem.splitlines())
    return _SettingsChosen(settings, (*paused, *held), problems)


def _read(document: Document | None, defaults: Settings) -> Settings:
    if document is None:
        return defaults
    return overlaid(defaults, document.plain_text, document=document.label)


def _sorted(problems: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return dict(sorted(problems.items()))
