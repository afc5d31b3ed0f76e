"""Compiles the documents of a source, and keeps the result for a short time.

When the source fails, the last result stays in force. A rule that is invalid keeps its last valid
form; a new function looks for it among the earlier versions. Without one, that rule alone is left
out. A document `held` that is invalid holds sending all the same: no bounce is the safe side.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import count, islice
from typing import TYPE_CHECKING

from bouncer.errors import DocumentError
from bouncer.operator_settings import Settings
from bouncer.rules.list_warnings import named_lists
from bouncer.rules.pattern_weight import light_enough
from bouncer.rules.rule import Rule, limits_of
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset
from bouncer.settings_reader import overlaid
from bouncer.sources.held_causes import document_causes, settings_causes
from bouncer.sources.loaded import Loaded
from bouncer.sources.source import RULES, SETTINGS, Document, Documents, Source, SourceError

if TYPE_CHECKING:  # what reads lists takes time to import, and few deployments have one
    from bouncer.rules.named_list import NamedList

_RETRY_AFTER_S = 15  # a source that failed is asked again after this time
MOST_EARLIER = 10  # versions tried before an invalid rule is left out
MOST_HISTORIES = 10  # read for rules that are too heavy: Parameter Store has 40 requests a second


# A rule's document, its valid form if it has or had one, and the problem of the document if any.
_KnownRule = tuple[Document, Rule | None, str]


class Loader:
    """Reads and compiles documents when the last result is too old; `now` is a clock in seconds."""

    def __init__(self, source: Source, defaults: Settings, *, now: Callable[[], float]) -> None:
        self._source = source
        self._defaults = defaults
        self._now = now
        self._loaded: Loaded | None = None
        self._fresh_until = 0.0
        self._documents: Documents | None = None
        self._rules: dict[str, _KnownRule] = {}
        self._in_force: dict[str, Rule] = {}
        self._settings_in_force: Document | None = None

    def load(self) -> Loaded:
        """Return the rules and settings in force; raises `SourceError` if none was ever read."""
        if self._loaded is not None and self._now() < self._fresh_until:
            return self._loaded
        try:
            documents = self._source.read()
            if self._loaded is None or self._loaded.stale or documents != self._documents:
                self._loaded = self._compile(documents)
                self._documents = documents
        except SourceError as error:
            return self._stay(error)
        self._fresh_until = self._now() + self._loaded.settings.cache_s
        return self._loaded

    def _stay(self, error: SourceError) -> Loaded:
        """Keep the last result in force, marked as stale, when the source fails."""
        last = self._loaded
        if last is None:
            raise error
        self._fresh_until = self._now() + _RETRY_AFTER_S
        self._loaded = replace(last, problems=(str(error),), stale=True)
        return self._loaded

    def _compile(self, documents: Documents) -> Loaded:
        problems: list[str] = []
        self._rules = {
            name: self._rule(name, document) for name, document in documents.rules.items()
        }
        valid = [rule for _, rule, _ in self._rules.values() if rule]
        histories = islice(count(), MOST_HISTORIES)
        rules, heavy = light_enough(valid, lambda rule: self._earlier_forms(rule, histories))
        self._in_force = {rule.name: rule for rule in rules}
        problems.extend(problem for _, _, problem in self._rules.values() if problem)
        problems.extend(map(str, heavy))
        settings = self._settings(documents.settings, problems)
        paused = settings_causes(settings, self._settings_in_force, self._defaults)
        held, problem = document_causes(documents.held)
        if problem:
            problems.append(problem)
        lists = _lists(rules, documents.lists, problems)
        return Loaded(
            Ruleset(rules, lists),
            settings,
            tuple(problems),
            causes=(*paused, *held),
            limits=limits_of(rules),
        )

    def _rule(self, name: str, document: Document) -> _KnownRule:
        known = self._rules.get(name)
        if known and known[0] == document:
            return known
        try:
            return document, read_rule(name, document.plain_text, document=document.label), ""
        except DocumentError as error:
            before = known[1] if known else None
            return document, before or self._earlier_rule(name), str(error)

    def _earlier_rule(self, name: str) -> Rule | None:
        return next(self._earlier_rules(name), None)

    def _earlier_rules(self, name: str) -> Iterator[Rule]:
        """Yield the valid earlier forms of a rule, the newest first."""
        for document in self._earlier(f"{RULES}{name}"):
            with suppress(DocumentError):
                yield read_rule(name, document.plain_text, document=document.label)

    def _earlier_forms(self, rule: Rule, histories: Iterator[int]) -> Iterator[Rule]:
        """Yield the form of a rule that was in force, and those in its history.

        `histories` ends where no further history may be read in this load.
        """
        if last := self._in_force.get(rule.name):
            yield last
        if next(histories, None) is not None:
            yield from self._earlier_rules(rule.name)

    def _earlier(self, name: str) -> Iterable[Document]:
        """Return the newest versions; raises `SourceError` if the history can't be read.

        An unreadable history is not treated as "no earlier version".
        """
        return list(self._source.earlier(name))[:MOST_EARLIER]

    def _settings(self, document: Document | None, problems: list[str]) -> Settings:
        if document is None:
            return self._take(None)
        try:
            return self._take(document)
        except DocumentError as error:
            problem = str(error)
        problems.append(problem)
        if self._loaded is not None:
            return self._loaded.settings
        for earlier in self._earlier(SETTINGS):
            with suppress(DocumentError):
                return self._take(earlier)
        raise SourceError(problem)

    def _take(self, document: Document | None) -> Settings:
        """Return the settings of a document, which is then in force; raises `DocumentError`."""
        settings = self._defaults
        if document is not None:
            settings = overlaid(settings, document.plain_text, document=document.label)
        self._settings_in_force = document
        return settings


def _lists(
    rules: Iterable[Rule], found: Mapping[str, "NamedList"], problems: list[str]
) -> dict[str, "NamedList"]:
    """Return the lists that rules name; an invalid one is a problem, and counts as missing."""
    lists: dict[str, NamedList] = {}
    for name in named_lists(rules):
        try:
            if name in found:
                lists[name] = found[name]
        except DocumentError as error:
            problems.append(str(error))
    return lists
