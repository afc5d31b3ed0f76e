"""Finds every leaf that a message satisfies, at a cost that hardly grows with their number.

Exact texts and domains stand in hash maps, networks in sorted ranges, everything else textual in
one RE2 set per field (two where patterns and regexes mix). RE2 runs in linear time, so no subject
can stall it. Leaves are known here by their number only.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any

import re2

from bouncer.mail.address import domain, without_tag
from bouncer.mail.message import Message
from bouncer.mail.mime import decode_words
from bouncer.mail.text import well_formed
from bouncer.rules.condition import (
    Leaf,
    Matcher,
    Network,
    Present,
    Recipients,
    Text,
    Window,
    Word,
    regex_options,
)

Numbers = tuple[int, ...]

_NONE: Numbers = ()
_NOTHING = [0]  # what RE2 answers when only that pattern matches
_EVERY_TEXT = ""  # matches anything: its absence from an answer means RE2 gave up

# What RE2 may use for a set, in bytes; it takes as much as the patterns and texts need.
_MEMORY = 8 << 20
_MEMORY_EACH = 16 << 10


fold = str.casefold  # the form in which texts are compared: case does not count


def pattern_source(text: Text) -> str:
    """The RE2 pattern for the folded value of a leaf that is neither exact nor a regex."""
    literal: str = re2.escape(well_formed(fold(text.pattern)))
    match text.matcher:
        case Matcher.CONTAINS:
            return literal
        case Matcher.STARTS_WITH:
            return rf"\A{literal}"
        case Matcher.ENDS_WITH:
            return rf"{literal}\z"
        case _:
            wild = literal.replace(r"\*", ".*").replace(r"\?", ".")
            return rf"(?s)\A{wild}\z"


class PatternSet:
    """Many patterns tried on a text in one pass."""

    def __init__(self, patterns: Iterable[tuple[str, int]], options: re2.Options) -> None:
        sources: dict[str, list[int]] = {}
        for source, number in patterns:
            sources.setdefault(source, []).append(number)
        self._numbers = [_NONE, *map(tuple, sources.values())]
        self._sources = list(sources)
        self._options = options
        self._set = self._compile()

    def _compile(self) -> re2.Set | None:
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

    def find(self, text: str) -> Iterable[int]:
        """The numbers of all patterns that match `text`."""
        if not text.isascii():
            text = well_formed(text)
        found = self._set.Match(text.encode()) if self._set else None
        if found == _NOTHING:
            return _NONE
        if not found or 0 not in found:
            return self._find_slowly(text)
        return [number for index in found for number in self._numbers[index]]

    def _find_slowly(self, text: str) -> list[int]:
        """The same answer one by one, for when RE2 had no memory for the set."""
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

    def __init__(self, leaves: Iterable[tuple[Text, int]]) -> None:
        self._exact: dict[str, list[int]] = {}
        self._parents: dict[str, list[int]] = {}
        self._at_domain: dict[str, list[int]] = {}
        self._with_plus: set[int] = set()
        patterns: list[tuple[str, int]] = []
        regexes: list[tuple[str, int]] = []
        for leaf, number in leaves:
            if "+" in leaf.pattern:
                self._with_plus.add(number)
            table, key = self._place(leaf)
            if table is not None:
                table.setdefault(key, []).append(number)
            elif leaf.matcher is Matcher.REGEX:
                regexes.append((leaf.pattern, number))
            else:
                patterns.append((pattern_source(leaf), number))
        self._patterns = PatternSet(patterns, re2.Options()) if patterns else None
        self._regexes = PatternSet(regexes, regex_options()) if regexes else None
        self._folds = any((self._exact, self._parents, self._at_domain, patterns))

    def _place(self, leaf: Text) -> tuple[dict[str, list[int]] | None, str]:
        """The hash map that answers this leaf, if one does, and the key in it."""
        folded = fold(leaf.pattern)
        if leaf.matcher is Matcher.EQUALS:
            return self._exact, folded
        if leaf.matcher is Matcher.SUBDOMAIN:
            return self._parents, folded
        if leaf.matcher is Matcher.PATTERN and folded.startswith("*@"):
            host = folded[2:]
            if not any(char in host for char in "*?@"):
                return self._at_domain, host
        return None, ""

    def find(self, value: str, satisfied: set[int]) -> None:
        """Add the numbers of all leaves that `value` satisfies."""
        if self._regexes:
            satisfied.update(self._regexes.find(value))
        if self._folds:
            self._find_folded(fold(value), satisfied)

    def _find_folded(self, folded: str, satisfied: set[int]) -> None:
        if folded in self._exact:
            satisfied.update(self._exact[folded])
        if self._parents:
            self._find_parents(folded, satisfied)
        if self._at_domain and "@" in folded:
            satisfied.update(self._at_domain.get(folded.rpartition("@")[2], _NONE))
        if self._patterns:
            satisfied.update(self._patterns.find(folded))

    def _find_parents(self, folded: str, satisfied: set[int]) -> None:
        _, dot, parent = folded.partition(".")
        while dot:
            if parent in self._parents:
                satisfied.update(self._parents[parent])
            _, dot, parent = parent.partition(".")

    def find_address(self, address: str, satisfied: set[int]) -> None:
        """As `find`; the address without its plus tag satisfies every pattern that has no `+`."""
        self.find(address, satisfied)
        untagged = without_tag(address)
        if untagged != address:
            more: set[int] = set()
            self.find(untagged, more)
            satisfied.update(more - self._with_plus)


class NetworkIndex:
    """All networks of one IP version, flattened into ranges."""

    def __init__(self, networks: Iterable[tuple[IPv4Network | IPv6Network, int]]) -> None:
        self._starts: list[int] = []
        self._numbers: list[Numbers] = []
        ranges = (
            (int(network.network_address), -int(network.broadcast_address), number)
            for network, number in networks
        )
        enclosing: list[tuple[int, Numbers]] = []  # last address, numbers: innermost at the end
        for first, minus_last, number in sorted(ranges):  # the wider of two that begin alike first
            last = -minus_last
            self._close(enclosing, before=first)
            numbers = (*enclosing[-1][1], number) if enclosing else (number,)
            enclosing.append((last, numbers))
            self._mark(first, numbers)
        self._close(enclosing, before=None)

    def _close(self, enclosing: list[tuple[int, Numbers]], *, before: int | None) -> None:
        while enclosing and (before is None or enclosing[-1][0] < before):
            last, _ = enclosing.pop()
            self._mark(last + 1, enclosing[-1][1] if enclosing else _NONE)

    def _mark(self, start: int, numbers: Numbers) -> None:
        if self._starts and self._starts[-1] == start:
            self._numbers[-1] = numbers
        else:
            self._starts.append(start)
            self._numbers.append(numbers)

    def find(self, address: IPv4Address | IPv6Address) -> Numbers:
        """The numbers of all networks the address is in."""
        position = bisect_right(self._starts, int(address))
        return self._numbers[position - 1] if position else _NONE


_VALUES: Mapping[str, Callable[[Message], Iterable[str]]] = {
    "sender": lambda message: (message.sender,),
    "sender_domain": lambda message: _domains((message.sender,)),
    "from": lambda message: message.from_,
    "from_domain": lambda message: _domains(message.from_),
    "to": lambda message: message.to,
    "cc": lambda message: message.cc,
    "reply_to": lambda message: message.reply_to,
    "subject": lambda message: message.subject,
    "helo": lambda message: () if message.helo is None else (message.helo,),
}


def found_values(leaf: Leaf, message: Message) -> list[str]:
    """What a question about a header, the envelope's size or the time is asked of: for people."""
    match leaf:
        case Text(field) if field.startswith("header:"):
            values = message.header(field.removeprefix("header:"))
            return [decode_words(value) for value in values]
        case Text("to" | "cc" | "reply_to" as field):
            return list(_VALUES[field](message))
        case Recipients():
            return [str(len(message.recipients))]
        case Window(zone=zone) if message.received_at:
            return [f"{message.received_at.astimezone(zone):%a %H:%M}"]
        case _:
            return []


def _domains(addresses: Iterable[str]) -> list[str]:
    return [found for address in addresses if (found := domain(address))]


def _common(some: Mapping[str, object], others: Mapping[str, object]) -> list[str]:
    """The keys both have, at the cost of the smaller one."""
    if len(some) > len(others):
        some, others = others, some
    return [key for key in some if key in others]


def word_of(message: Message, field: str) -> str:
    """SES's word for a verdict field, or the DMARC policy."""
    return message.dmarc_policy if field == "dmarc_policy" else message.verdicts[field]


def received_within(message: Message, window: Window) -> bool:
    """Was the message received in this window? Never, when its time is not known."""
    if message.received_at is None:
        return False
    local = message.received_at.astimezone(window.zone)
    clock = local.time()
    if window.start < window.end:
        inside = window.start <= clock < window.end
    else:
        inside = clock >= window.start or clock < window.end
    return inside and local.weekday() in window.days


def counts_within(message: Message, leaf: Recipients) -> bool:
    """Is the number of envelope recipients within these bounds?"""
    count = len(message.recipients)
    return (leaf.over is None or count > leaf.over) and (leaf.under is None or count < leaf.under)


class LeafIndex:
    """All leaves of a ruleset, by number."""

    def __init__(self, numbers: Mapping[Leaf, int]) -> None:
        texts: defaultdict[str, list[tuple[Text, int]]] = defaultdict(list)
        networks: defaultdict[int, list[tuple[IPv4Network | IPv6Network, int]]] = defaultdict(list)
        self._words: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._present: dict[str, int] = {}
        self._windows: list[tuple[Window, int]] = []
        self._counts: list[tuple[Recipients, int]] = []
        for leaf, number in numbers.items():
            match leaf:
                case Text():
                    texts[leaf.field].append((leaf, number))
                case Network(network):
                    networks[network.version].append((network, number))
                case Word(field, word):
                    self._words[field][word] = number
                case Present(name):
                    self._present[name] = number
                case Window():
                    self._windows.append((leaf, number))
                case Recipients():
                    self._counts.append((leaf, number))
        indexes = {field: TextIndex(entries) for field, entries in texts.items()}
        self._recipient = indexes.pop("recipient", None)
        self._recipient_domain = indexes.pop("recipient_domain", None)
        self._headers = {
            field.removeprefix("header:"): indexes.pop(field)
            for field in list(indexes)
            if field.startswith("header:")
        }
        self._fields = [(_VALUES[field], index) for field, index in indexes.items()]
        self._networks = {version: NetworkIndex(entries) for version, entries in networks.items()}

    def message_facts(self, message: Message) -> set[int]:
        """The numbers of all satisfied leaves that are the same for every recipient."""
        facts: set[int] = set()
        self._find_texts(message, facts)
        for name in _common(self._present, message.headers):
            facts.add(self._present[name])
        for field, words in self._words.items():
            number = words.get(word_of(message, field))
            if number is not None:
                facts.add(number)
        address = message.source_ip if self._networks else None
        if address is not None and address.version in self._networks:
            facts.update(self._networks[address.version].find(address))
        for window, number in self._windows:
            if received_within(message, window):
                facts.add(number)
        for bounds, number in self._counts:
            if counts_within(message, bounds):
                facts.add(number)
        return facts

    def _find_texts(self, message: Message, facts: set[int]) -> None:
        for values, index in self._fields:
            for value in values(message):
                index.find(value, facts)
        for name in _common(self._headers, message.headers):
            find = self._headers[name].find
            for value in message.headers[name]:
                find(decode_words(value), facts)

    def recipient_facts(self, recipient: str) -> set[int]:
        """The numbers of all satisfied leaves about this recipient."""
        facts: set[int] = set()
        if self._recipient:
            self._recipient.find_address(recipient, facts)
        if self._recipient_domain:
            for domain in _domains((recipient,)):
                self._recipient_domain.find(domain, facts)
        return facts
