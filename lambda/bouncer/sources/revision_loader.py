"""Loads what the pointer puts in force, and keeps it for a short time.

The pointer is asked for once in `cache` seconds, under the condition that it changed. When the
bucket fails, the last result stays in force; settings and braked rules of a new pointer are taken
even if its revision can't be read, so that `mode: off` always works, and a braked rule stops no
mail. A list that can't be read counts as missing until it can.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from bouncer.reasons import Reason
from bouncer.rules.rule import Mode, Rule
from bouncer.rules.ruleset import Ruleset
from bouncer.sources.loaded import Loaded
from bouncer.sources.pointer import Pointer
from bouncer.sources.revision import ListInForce, Revision
from bouncer.sources.source import SourceError

if TYPE_CHECKING:  # what reads lists takes time to import, and few deployments have one
    from bouncer.rules.named_list import NamedList
    from bouncer.sources.revision_lists import RevisionLists

BRAKED = str(Reason.BRAKED)
_RETRY_AFTER_S = 15  # a bucket that failed is asked again after this time
_LONGEST_CACHE_S = 60  # while rules have limits: a braked one stops mail until it is known


class PointerSource(Protocol):
    """A reader of pointer, revisions and lists; all methods raise `SourceError`."""

    def pointer(self, known: str) -> tuple[Pointer, str] | None:
        """Return the pointer and its ETag; None if that is `known`."""

    def revision(self, revision_id: str) -> Revision:
        """Return a revision."""

    def list_form(self, digest: str) -> bytes:
        """Return the look-up form of a list."""


class PointerLoader:
    """Loads settings and what holds sending, without rules; `now` is a clock in seconds.

    `senders` are those that the deployment may bounce from, `reply_senders` those of replies, None
    if they are not known. No pointer can change them.
    """

    def __init__(
        self,
        source: PointerSource,
        *,
        now: Callable[[], float],
        senders: frozenset[str] = frozenset(),
        reply_senders: frozenset[str] | None = None,
    ) -> None:
        self._source = source
        self._now = now
        self._senders = senders
        self._reply_senders = reply_senders
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
        """Take a new pointer; without its revision all but the rules, which are the last ones."""
        try:
            ruleset, problems = self._ruleset(pointer)
        except SourceError as error:
            if self._loaded is not None:
                self._etag = ""
                rules, revision = self._last_rules(pointer.braked), self._loaded.revision
                self._loaded = self._in_force(pointer, rules)._replace(revision=revision)
            return self._stay(error)
        self._etag = "" if problems else etag  # what is missing is asked for as if it were new
        loaded = self._in_force(pointer, ruleset)._replace(problems=problems, stale=bool(problems))
        return self._keep(loaded, _RETRY_AFTER_S if problems else _cache_s(loaded))

    def _in_force(self, pointer: Pointer, ruleset: Ruleset) -> Loaded:
        return Loaded(
            ruleset,
            replace(pointer.settings, senders=self._senders, reply_senders=self._reply_senders),
            causes=pointer.causes,
            revision=pointer.revision,
            limits=pointer.limits,
            braked=pointer.braked,
        )

    def _go_on(self) -> Loaded:
        """Keep the last result: the pointer is the one that it was made of."""
        if self._loaded is None:
            raise AssertionError  # never: without a last result no ETag is known
        if self._loaded.stale:
            self._loaded = self._loaded._replace(problems=(), stale=False)
        return self._keep(self._loaded, _cache_s(self._loaded))

    def _ruleset(self, pointer: Pointer) -> tuple[Ruleset, tuple[str, ...]]:  # noqa: ARG002  # rules are read by others
        """Return the rules, and sentences about lists that can't be read."""
        return Ruleset(()), ()

    def _last_rules(self, braked: tuple[str, ...]) -> Ruleset:  # noqa: ARG002  # see above
        """Return the rules that were in force last, as they act if these are braked."""
        return Ruleset(())

    def _stay(self, error: SourceError) -> Loaded:
        """Keep the last result in force, marked as stale."""
        if self._loaded is None:
            raise error
        return self._keep(self._loaded._replace(problems=(str(error),), stale=True), _RETRY_AFTER_S)

    def _keep(self, loaded: Loaded, for_s: float) -> Loaded:
        self._loaded = loaded
        self._fresh_until = self._now() + for_s
        return loaded


class RevisionLoader(PointerLoader):
    """Loads the rules as well, with their lists; each is read once while it stays the same."""

    def __init__(
        self,
        source: PointerSource,
        *,
        now: Callable[[], float],
        senders: frozenset[str] = frozenset(),
        reply_senders: frozenset[str] | None = None,
    ) -> None:
        super().__init__(source, now=now, senders=senders, reply_senders=reply_senders)
        self._read: tuple[str, Revision] | None = None
        self._lists: RevisionLists | None = None
        self._compiled: tuple[tuple[object, ...], Ruleset] | None = None

    def _ruleset(self, pointer: Pointer) -> tuple[Ruleset, tuple[str, ...]]:
        if self._read is None or self._read[0] != pointer.revision:
            self._read = pointer.revision, self._source.revision(pointer.revision)
        lists, problems = self._named(self._read[1].lists)
        return self._with(self._read, lists, pointer.braked), problems

    def _last_rules(self, braked: tuple[str, ...]) -> Ruleset:
        """Return them with the lists that they had: nothing is read."""
        if self._read is None or self._compiled is None:
            raise AssertionError  # never: a revision was in force
        return self._with(self._read, self._compiled[1].lists, braked)

    def _with(
        self,
        read: tuple[str, Revision],
        lists: Mapping[str, "NamedList"],
        braked: tuple[str, ...],
    ) -> Ruleset:
        """Return the rules of a revision, compiled with these lists, unless they are already."""
        made_of = read[0], braked, tuple(lists)
        if self._compiled is None or self._compiled[0] != made_of:
            self._compiled = made_of, Ruleset(braked_rules(read[1].rules, braked), lists)
        return self._compiled[1]

    def _named(
        self, wanted: Mapping[str, ListInForce]
    ) -> tuple[Mapping[str, "NamedList"], tuple[str, ...]]:
        """Return lists by name, and a sentence about each that can't be read."""
        if not wanted:
            self._lists = None
            return {}, ()
        if self._lists is None:
            from bouncer.sources.revision_lists import RevisionLists  # noqa: PLC0415  # see above

            self._lists = RevisionLists(self._source.list_form)
        return self._lists.load(wanted)


def _cache_s(loaded: Loaded) -> int:
    """Return the seconds for which a result stays in use."""
    if loaded.limits or loaded.braked:
        return min(loaded.settings.cache_s, _LONGEST_CACHE_S)
    return loaded.settings.cache_s


def braked_rules(rules: Collection[Rule], names: Collection[str]) -> Iterator[Rule]:
    """Yield rules, those of these names in mode shadow instead of enforce."""
    for rule in rules:
        if rule.name in names and rule.mode is Mode.ENFORCE:
            yield replace(rule, mode=Mode.SHADOW, passed_over=BRAKED)
        else:
            yield rule
