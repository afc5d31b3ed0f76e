"""Decides what is in force next: a function of the documents and of what is in force now.

It reads the lists that rules name, and keeps their look-up forms; it has no other effects. So
publisher, command and tests decide alike.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from bouncer.errors import BouncerError, DocumentError
from bouncer.held import Held
from bouncer.operator_settings import Settings
from bouncer.publishing.list_choice import InForceBefore, chosen_lists
from bouncer.publishing.list_forms import ListForms
from bouncer.publishing.pushing import pushing_state
from bouncer.publishing.rule_choice import Problems, chosen
from bouncer.rules.list_warnings import list_warnings, named_lists
from bouncer.rules.reply_warnings import reply_warnings
from bouncer.rules.rule import limits_of
from bouncer.rules.ruleset_warnings import ruleset_warnings
from bouncer.settings_reader import overlaid
from bouncer.sources.held_causes import BY_SETTINGS, document_causes, settings_causes
from bouncer.sources.pointer import Pointer
from bouncer.sources.revision import NO_RULES, Revision, revision_of
from bouncer.sources.settings_json import settings_digest
from bouncer.sources.source import (
    HELD,
    LISTS,
    PUSHING,
    RULES,
    SETTINGS,
    Document,
    Documents,
)

_A_SECOND = 1000  # serials: many more than pointers that are moved


class PublishingError(BouncerError):
    """Nothing can be published, as what was in force before is needed and not known."""


class InForce(NamedTuple):
    """A pointer, and the revision that it names."""

    pointer: Pointer
    revision: Revision


class _SettingsChosen(NamedTuple):
    defaults: str
    settings: Settings
    causes: tuple[Held, ...]
    problems: dict[str, tuple[str, ...]]


def publication(
    documents: Documents,
    before: InForce | None,
    *,
    defaults: Settings,
    now: datetime,
    forms: ListForms,
) -> InForce:
    """Return what all these documents put in force; raises `PublishingError`.

    `defaults` hold where the settings say nothing. While a push lasts, rules and lists stay as they
    are. Raises `SourceError` if a list can't be read now, and what `forms` raises.
    """
    pointer = before.pointer if before else None
    found = _settings(documents, pointer, defaults)
    pushing, wrong = pushing_state(documents.pushing, now)
    if wrong:
        found.problems[PUSHING] = wrong
    judged = _as_before(before) if pushing else _judged(documents, before, forms)
    return _in_force(judged, found, pointer or _first(now))


class _Judged(NamedTuple):
    """The revision to judge by, the problems of its documents, and the sources of its lists."""

    revision: Revision
    problems: Problems
    sources: Mapping[str, str]


def _judged(documents: Documents, before: InForce | None, forms: ListForms) -> _Judged:
    """Choose the rules and their lists."""
    old = before.revision if before else NO_RULES
    rules, of_rules = chosen(documents.rules, old.rules)
    earlier = InForceBefore(old.lists, before.pointer.sources if before else {})
    lists = chosen_lists(named_lists(rules), documents.lists, earlier, forms)
    revision = revision_of(rules, lists.lists)
    problems = {**of_rules, **lists.problems}
    return _Judged(revision, _with_what_holds(problems, documents, revision), lists.sources)


def _as_before(before: InForce | None) -> _Judged:
    if before is None:
        return _Judged(NO_RULES, {}, {})
    problems = {
        name: said
        for name, said in before.pointer.problems.items()
        if name.startswith((RULES, LISTS))
    }
    return _Judged(before.revision, problems, before.pointer.sources)


def revision_warnings(revision: Revision, settings: Settings, now: datetime) -> tuple[str, ...]:
    """Return a sentence for each doubt about rules and lists that are valid; `now` is aware."""
    rules = revision.active
    lists = {name: found.about for name, found in revision.lists.items()}
    doubts = ruleset_warnings(rules, ascii_only=settings.ascii_only, now=now)
    of_replies = reply_warnings(rules, settings.reply_senders)
    return tuple(map(str, (*doubts, *list_warnings(rules, lists), *of_replies)))


def settings_publication(
    documents: Documents, before: Pointer, *, defaults: Settings, now: datetime
) -> Pointer:
    """Return the pointer with the settings and the causes of these documents; rules stay."""
    found = _settings(documents, before, defaults)
    if wrong := pushing_state(documents.pushing, now)[1]:
        found.problems[PUSHING] = wrong
    ours = (SETTINGS, HELD, PUSHING)
    others = {name: said for name, said in before.problems.items() if name not in ours}
    return before._replace(
        settings=found.settings,
        causes=found.causes,
        problems=_sorted({**others, **found.problems}),
        defaults=found.defaults,
    )


def _first(now: datetime) -> Pointer:
    """Return a pointer to begin from; its serial is greater than that of any one that got lost."""
    return Pointer("", Settings(), serial=int(now.timestamp() * _A_SECOND))


def _in_force(judged: _Judged, found: _SettingsChosen, before: Pointer) -> InForce:
    revision = judged.revision
    pointer = Pointer(
        revision=revision.id,
        settings=found.settings,
        causes=found.causes,
        problems=_sorted({**judged.problems, **found.problems}),
        braked=before.braked,
        sources=judged.sources,
        serial=before.serial,
        defaults=found.defaults,
        limits=limits_of(revision.rules),
    )
    return InForce(pointer, revision)


def _with_what_holds(problems: Problems, documents: Documents, revision: Revision) -> Problems:
    """Add to the problems of each refused rule or list what is in force in its place."""
    rules = {f"{RULES}{rule.name}" for rule in revision.rules}
    kept = rules | {f"{LISTS}{name}" for name in revision.lists}
    return {
        name: (*said, f"{documents.label(name)}: {_what_holds(name, is_kept=name in kept)}")
        for name, said in problems.items()
    }


def _what_holds(name: str, *, is_kept: bool) -> str:
    word = "list" if name.startswith(LISTS) else "rule"
    if is_kept:
        return f"the {word} stays in force as it was before"
    more = ", and conditions that ask it are unknown" if word == "list" else ""
    return f"this {word} is left out until the document is corrected{more}"


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
    return _SettingsChosen(settings_digest(defaults), settings, (*paused, *held), problems)


def _read(document: Document | None, defaults: Settings) -> Settings:
    if document is None:
        return defaults
    return overlaid(defaults, document.plain_text, document=document.label)


def _sorted(problems: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return dict(sorted(problems.items()))
