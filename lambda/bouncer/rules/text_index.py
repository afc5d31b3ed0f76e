"""Finds the text leaves of one field that a value satisfies.

Exact texts and domains stand in hash maps, everything else in one RE2 set. RE2 runs in linear time,
so no value can stall it. If a field has both patterns and regexes, a text beyond ASCII is tried on
two sets, since patterns see it folded: RE2 knows less about case than Unicode does.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import re2

from bouncer.mail.address import without_tag
from bouncer.mail.comparable import GLUE, folded, letters
from bouncer.mail.text import well_formed
from bouncer.rules.condition import Matcher, Text, regex_options
from bouncer.rules.fields import Kind
from bouncer.rules.pattern_form import letter_source, pattern_form, pattern_source, value_form

_NONE: tuple[int, ...] = ()
_NOTHING = [0]  # what RE2 answers when only that pattern matches
_EVERY_TEXT = ""  # matches anything: its absence from an answer means RE2 gave up

# The memory RE2 may use for a set, in bytes; it takes only as much as patterns and texts need.
_MEMORY = 8 << 20
_MEMORY_EACH = 16 << 10


class PatternSet:
    """Many patterns that are tried on a text in one pass; compiled when the first text comes."""

    def __init__(self, patterns: Iterable[tuple[str, int]], options: re2.Options) -> None:
        sources: dict[str, list[int]] = {}
        for source, number in patterns:
            sources.setdefault(source, []).append(number)
        self._numbers = [_NONE, *map(tuple, sources.values())]
        self._sources = list(sources)
        self._options = options

    @cached_property
    def _set(self) -> re2.Set | None:
        self._options.max_mem = _MEMORY + sum(_MEMORY_EACH + 256 * len(s) for s in self._sources)
        compiled = re2.Set.SearchSet(self._options)
        compiled.Add(_EVERY_TEXT)
        for source in self._sources:
            compiled.Add(source)
        try:
            compiled.Compile()
        except re2.error:
            return None
        return compiled

    def find(self, text: str) -> Sequence[int]:
        """Return the numbers of all patterns that match `text`."""
        try:
            encoded = text.encode()
        except UnicodeEncodeError:
            text = well_formed(text)
            encoded = text.encode()
        found = self._set.Match(encoded) if self._set is not None else None
        if found == _NOTHING:
            return _NONE
        if not found or 0 not in found:
            return self._find_slowly(text)
        return [number for index in found for number in self._numbers[index]]

    def _find_slowly(self, text: str) -> list[int]:
        """Try the patterns one by one, because RE2 has no memory for the set."""
        return [
            number
            for pattern, numbers in zip(self._compiled, self._numbers[1:], strict=True)
            if pattern.search(text)
            for number in numbers
        ]

    @cached_property
    def _compiled(self) -> list[Any]:
        return [re2.compile(source, self._options) for source in self._sources]


class TextIndex:
    """All text leaves of one field."""

    def __init__(self, kind: Kind, leaves: Iterable[tuple[Text, int]]) -> None:
        self._of_addresses = kind is Kind.ADDRESS
        self._of_names = kind in (Kind.ADDRESS, Kind.DOMAIN)  # in ASCII they are comparable
        self._form = value_form(kind)
        self._exact: dict[str, list[int]] = {}
        self._parents: dict[str, list[int]] = {}
        self._within: dict[str, list[int]] = {}
        self._at_domain: dict[str, list[int]] = {}
        self._with_plus: set[int] = set()
        self._by_letter: dict[int, str] = {}
        patterns: list[tuple[str, int]] = []
        regexes: list[tuple[str, int]] = []
        for leaf, number in leaves:
            form = pattern_form(kind, leaf)
            if "+" in leaf.pattern:
                self._with_plus.add(number)
            table, key = self._place(leaf.matcher, form)
            if table is not None:
                table.setdefault(key, []).append(number)
            elif leaf.matcher is Matcher.REGEX:
                regexes.append((form, number))
            else:
                patterns.append((pattern_source(leaf.matcher, form), number))
                if leaf.matcher is Matcher.PATTERN and "?" in form:
                    self._by_letter[number] = form
        self._patterns = PatternSet(patterns, re2.Options()) if patterns else None
        self._regexes = PatternSet(regexes, regex_options()) if regexes else None
        mixed = [*patterns, *regexes] if patterns and regexes else None
        self._mixed = PatternSet(mixed, regex_options()) if mixed else None  # for text in ASCII
        self._hashed = any((self._exact, self._parents, self._within, self._at_domain))

    def _place(self, matcher: Matcher, form: str) -> tuple[dict[str, list[int]] | None, str]:
        """Return the hash map a form belongs in, if any, and its key there."""
        if matcher is Matcher.EQUALS:
            return self._exact, form
        if matcher is Matcher.SUBDOMAIN:
            return self._parents, form
        if matcher is Matcher.WITHIN:
            return self._within, form
        if matcher is Matcher.PATTERN and form.startswith("*@"):
            host = form[2:]
            if not any(char in host for char in "*?@"):
                return self._at_domain, host
        return None, ""

    def find(self, value: str, satisfied: set[int]) -> None:
        """Add the numbers of all leaves that `value` satisfies."""
        text = value if self._of_names and value.isascii() else self._form(value)
        if self._hashed:
            self._look_up(folded(text), satisfied)
        if self._mixed is not None and text.isascii():
            satisfied.update(self._mixed.find(text))
            return
        if self._regexes is not None:
            satisfied.update(self._regexes.find(text))
        if self._patterns is not None:
            satisfied.update(self._find_patterns(self._patterns, text))

    def _look_up(self, fold: str, satisfied: set[int]) -> None:
        """Add the leaves that stand in hash maps."""
        if fold in self._exact:
            satisfied.update(self._exact[fold])
        if self._parents:
            _find_parents(self._parents, fold, satisfied)
        if self._within:
            self._find_within(fold, satisfied)
        if self._at_domain:
            _, at, host = fold.rpartition("@")
            if at and host in self._at_domain:
                satisfied.update(self._at_domain[host])

    def _find_patterns(self, patterns: PatternSet, text: str) -> Sequence[int]:
        """Return the patterns that match; if folding changed the number of letters, ask by letter.

        A `?` stands for a letter, which may be several characters then.
        """
        found = patterns.find(folded(text))
        if not self._by_letter or text.isascii():
            return found
        told_apart = letters(text)
        if GLUE not in told_apart:
            return found
        others = [number for number in found if number not in self._by_letter]
        return [*others, *self._letter_patterns.find(told_apart)]

    @cached_property
    def _letter_patterns(self) -> PatternSet:
        sources = ((letter_source(form), number) for number, form in self._by_letter.items())
        return PatternSet(sources, re2.Options())

    def _find_within(self, fold: str, satisfied: set[int]) -> None:
        """Add the leaves that ask for the domain, or for one above it."""
        _, at, host = fold.rpartition("@")
        if at or not self._of_addresses:
            domain = host.rstrip(".")
            satisfied.update(self._within.get(domain, _NONE))
            _find_parents(self._within, domain, satisfied)

    def find_address(self, address: str, satisfied: set[int]) -> None:
        """Do as `find`, and try patterns without a `+` on the address without its plus tag, too."""
        self.find(address, satisfied)
        if "+" in address:
            more: set[int] = set()
            self.find(without_tag(address), more)
            satisfied.update(more - self._with_plus)


def _find_parents(table: dict[str, list[int]], domain: str, satisfied: set[int]) -> None:
    """Add the leaves of a table that stand under a domain above `domain`."""
    _, dot, parent = domain.partition(".")
    while dot:
        if parent in table:
            satisfied.update(table[parent])
        _, dot, parent = parent.partition(".")
