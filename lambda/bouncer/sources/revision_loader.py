"""Loads what the pointer puts in force, and keeps it for a short time.

The pointer is asked for once in `cache` seconds, under the condition that it changed. When the
bucket fails, the last result stays in force; settings of a new pointer are taken even if its
revision can't be read, so that `mode: off` always works.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import Protocol

from bouncer.reasons import Reason
from bouncer.rules.rule import Mode, Rule
from bouncer.rules.ruleset import Ruleset
from bouncer.sources.loaded import Loaded
from bouncer.sources.pointer import Pointer
from bouncer.sources.revision import Revision
from bouncer.sources.source import SourceError

BRAKED = str(Reason.BRAKED)
_RETRY_AFTER_S = 15  # a bucket that failed is asked again after this time


class PointerSource(Protocol):
    """A reader of pointer and revisions; both methods raise `SourceError`."""

    def pointer(self, known: str) -> tuple[Pointer, str] | None:
        """Return the pointer and its ETag; None if that is `known`."""

    def revision(self, revision_id: str) -> Revision:
        """Return a revision."""


class PointerLoader:
    """Loads settings and what holds sending, without rules; `now` is a clock in seconds.

    `senders` are those that the deployment may bounce from, which no pointer can change.
    """

    def __init__(
        self,
        source: PointerSource,
        *,
        now: Callable[[], float],
        senders: frozenset[str] = frozenset(),
    ) -> None:
        self._source = source
        self._now = now
        self._senders = senders
        self._loaded: Loaded | None = None
        self._etag = ""
        self._fresh_until = 0.0

    def load(self) -> Loaded:
        """Return what is in force; raises `SourceError` if nothing was ever read."""
        if self._loaded is not None and self._now() < self._fresh_until:
            return self._loaded
        try:
            found = self._source.pointer(self._etag)
        except SourceError as error:
            return self._stay(error)
        return self._take(*found) if found else self._go_on()

    def _take(self, pointer: Pointer, etag: str) -> Loaded:
        """Take a new pointer; without its revision only its settings, with the last rules."""
        settings, causes = replace(pointer.settings, senders=self._senders), pointer.causes
        try:
            ruleset = self._ruleset(pointer)
        except SourceError as error:
            if self._loaded is not None:
                self._etag = ""
                self._loaded = replace(self._loaded, settings=settings, causes=causes)
            return self._stay(error)
        self._etag = etag
        loaded = Loaded(
            ruleset,
            settings,
            causes=causes,
            revision=pointer.revision,
            limits=pointer.limits,
            braked=pointer.braked,
        )
        return self._keep(loaded, settings.cache_s)

    def _go_on(self) -> Loaded:
        """Keep the last result: the pointer is the one that it was made of."""
        if self._loaded is None:
            raise AssertionError  # never: without a last result no ETag is known
        if self._loaded.stale:
            self._loaded = replace(self._loaded, problems=(), stale=False)
        return self._keep(self._loaded, self._loaded.settings.cache_s)

    def _ruleset(self, pointer: Pointer) -> Ruleset:  # noqa: ARG002  # rules are read by others
        return Ruleset(())

    def _stay(self, error: SourceError) -> Loaded:
        """Keep the last result in force, marked as stale."""
        if self._loaded is None:
            raise error
        return self._keep(replace(self._loaded, problems=(str(error),), stale=True), _RETRY_AFTER_S)

    def _keep(self, loaded: Loaded, for_s: float) -> Loaded:
        self._loaded = loaded
        self._fresh_until = self._now() + for_s
        return loaded


class RevisionLoader(PointerLoader):
    """Loads the rules as well; those of a revision are read and compiled once."""

    def __init__(self, source: PointerSource, *, now: Callable[[], float]) -> None:
        super().__init__(source, now=now)
        self._compiled: tuple[str, tuple[str, ...], Ruleset] | None = None

    def _ruleset(self, pointer: Pointer) -> Ruleset:
        if self._compiled is not None and self._compiled[:2] == (pointer.revision, pointer.braked):
            return self._compiled[2]
        rules = self._source.revision(pointer.revision).rules
        ruleset = Ruleset(braked_rules(rules, pointer.braked))
        self._compiled = pointer.revision, pointer.braked, ruleset
        return ruleset


def braked_rules(rules: Collection[Rule], names: Collection[str]) -> Iterator[Rule]:
    """Yield rules, those of these names in mode shadow instead of enforce."""
    for rule in rules:
        if rule.name in names and rule.mode is Mode.ENFORCE:
            yield replace(rule, mode=Mode.SHADOW, passed_over=BRAKED)
        else:
            yield rule
