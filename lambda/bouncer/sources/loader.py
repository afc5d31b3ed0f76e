"""Compiles the documents of a source, and keeps them for a short time.

The last good ones stay in force when the source fails or a rule is broken: a rule that does not
parse is replaced by its newest valid earlier version, or left out alone.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from bouncer.errors import DocumentError
from bouncer.operator_settings import Settings
from bouncer.rules.rule import Rule, read_rule
from bouncer.rules.ruleset import Ruleset
from bouncer.sources.source import RULES, SETTINGS, Document, Documents, Source, SourceError

_STALE_AFTER_FAILURE_S = 15  # how soon a failed source is asked again
_MOST_EARLIER = 10  # versions looked at before a broken rule is left out


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is in force: `problems` are sentences about documents that were refused."""

    ruleset: Ruleset
    settings: Settings
    problems: tuple[str, ...] = ()
    stale: bool = False


@dataclass(slots=True)
class _Memory:
    """What a loader knows: the last good result, each rule's last document and valid form."""

    loaded: Loaded | None = None
    fresh_until: float = 0.0
    documents: Documents | None = None
    rules: dict[str, tuple[Document, Rule | None, str]] = field(default_factory=dict)


class Loader:
    """Reads, compiles and caches; `now` is a clock in seconds."""

    def __init__(self, source: Source, defaults: Settings, *, now: Callable[[], float]) -> None:
        self._source = source
        self._defaults = defaults
        self._now = now
        self._memory = _Memory()

    def load(self) -> Loaded:
        """What is in force now; raises `SourceError` when nothing was ever read."""
        memory = self._memory
        if memory.loaded is not None and self._now() < memory.fresh_until:
            return memory.loaded
        try:
            documents = self._source.read()
            if memory.loaded is None or memory.loaded.stale or documents != memory.documents:
                memory.loaded = self._compile(documents)
                memory.documents = documents
        except SourceError as error:
            return self._stay(error)
        memory.fresh_until = self._now() + memory.loaded.settings.cache_s
        return memory.loaded

    def _stay(self, error: SourceError) -> Loaded:
        """The last good set remains in force when the source fails."""
        memory = self._memory
        if memory.loaded is None:
            raise error
        memory.fresh_until = self._now() + _STALE_AFTER_FAILURE_S
        memory.loaded = Loaded(
            memory.loaded.ruleset, memory.loaded.settings, (str(error),), stale=True
        )
        return memory.loaded

    def _compile(self, documents: Documents) -> Loaded:
        problems: list[str] = []
        self._memory.rules = {
            name: self._rule(name, document) for name, document in documents.rules.items()
        }
        rules = [rule for _, rule, _ in self._memory.rules.values() if rule]
        problems.extend(problem for _, _, problem in self._memory.rules.values() if problem)
        settings = self._settings(documents.settings, problems)
        return Loaded(Ruleset(rules), settings, tuple(problems))

    def _rule(self, name: str, document: Document) -> tuple[Document, Rule | None, str]:
        known = self._memory.rules.get(name)
        if known and known[0] == document:
            return known
        try:
            return document, read_rule(name, document.text, document=document.label), ""
        except DocumentError as error:
            before = known[1] if known else None
            return document, before or self._earlier_rule(name), str(error)

    def _earlier_rule(self, name: str) -> Rule | None:
        for document in self._earlier(f"{RULES}{name}"):
            with suppress(DocumentError):
                return read_rule(name, document.text, document=document.label)
        return None

    def _earlier(self, name: str) -> Iterable[Document]:
        """The newest versions; raises `SourceError`, as nobody knows then what was in force."""
        return list(self._source.earlier(name))[:_MOST_EARLIER]

    def _settings(self, document: Document | None, problems: list[str]) -> Settings:
        if document is None:
            return self._defaults
        try:
            return self._defaults.overlaid(document.text, document=document.label)
        except DocumentError as error:
            problem = str(error)
        problems.append(problem)
        if self._memory.loaded is not None:
            return self._memory.loaded.settings
        for earlier in self._earlier(SETTINGS):
            with suppress(DocumentError):
                return self._defaults.overlaid(earlier.text, document=earlier.label)
        raise SourceError(problem)
