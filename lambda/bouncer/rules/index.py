"""Finds every leaf that a message satisfies, at a cost that hardly grows with their number.

Each field that rules ask about has an index of its own. Leaves are known here by their number only.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING, Any, TypeVar

from bouncer.mail.message import Message
from bouncer.mail.mime import decode_words
from bouncer.rules.condition import (
    HEADER,
    Leaf,
    Member,
    Network,
    Number,
    Present,
    Text,
    Window,
    Word,
)
from bouncer.rules.fields import FIELDS, Kind
from bouncer.rules.network_index import NetworkIndex
from bouncer.rules.text_index import TextIndex

if TYPE_CHECKING:  # what reads lists takes time to import, and few deployments have one
    from bouncer.rules.named_list import NamedList, Row, RowFinder

T = TypeVar("T")

Find = Callable[[str, set[int]], None]


class LeafIndex:
    """All leaves of a ruleset, by number.

    `unknown` has the numbers of the leaves that no message satisfies or fails: their list is
    missing, or is of a kind that their field cannot ask. `shows_columns` tells that texts of rules
    show columns of lists: a leaf is then unknown as well if the row of a value has a gap there.
    """

    def __init__(self, numbers: Mapping[Leaf, int], lists: Mapping[str, "NamedList"]) -> None:
        texts: defaultdict[str, list[tuple[Text, int]]] = defaultdict(list)
        words: defaultdict[str, dict[str, int]] = defaultdict(dict)
        networks: defaultdict[str, list[tuple[IPv4Network | IPv6Network, int]]] = defaultdict(list)
        ranges: list[tuple[Number | Window, int]] = []
        members: list[tuple[Member, int]] = []
        self._present: dict[str, int] = {}
        self.shows_columns = False
        for leaf, number in numbers.items():
            match leaf:
                case Text():
                    texts[leaf.field].append((leaf, number))
                case Network(field, network):
                    networks[field].append((network, number))
                case Member():
                    members.append((leaf, number))
                    self.shows_columns |= bool(leaf.columns)
                case Word(field, word):
                    words[field][word] = number
                case Present(name):
                    self._present[name] = number
                case Number() | Window():
                    ranges.append((leaf, number))
        self._add_texts(
            {field: TextIndex(_kind(field), entries) for field, entries in texts.items()}
        )
        self._add_members(members, lists)
        self._words = [(FIELDS[field].values, found) for field, found in words.items()]
        self._networks = [
            (FIELDS[field].values, NetworkIndex(entries)) for field, entries in networks.items()
        ]
        self._ranges = [
            (FIELDS[leaf.field].values, leaf.includes, number) for leaf, number in ranges
        ]

    def _add_texts(self, indexes: Mapping[str, TextIndex]) -> None:
        """Sort the indexes by what their values are read from: header, recipient or message."""
        self._headers: dict[str, Find] = {}
        self._texts: list[tuple[Callable[[Message], Iterable[Any]], Find]] = []
        self._recipient_texts = []
        for label, index in indexes.items():
            if label.startswith(HEADER):
                self._headers[label.removeprefix(HEADER)] = index.find
                continue
            field = FIELDS[label]
            if field.recipient_values is None:
                self._texts.append((field.values, index.find))
            else:
                find = index.find_address if field.kind is Kind.ADDRESS else index.find
                self._recipient_texts.append((field.recipient_values, find))

    def _add_members(
        self, members: Iterable[tuple[Member, int]], lists: Mapping[str, "NamedList"]
    ) -> None:
        """Sort the questions to lists by what their values are read from, as texts are."""
        self._header_members: list[tuple[str, RowFinder, int]] = []
        self._members: list[tuple[Callable[[Message], Iterable[Any]], RowFinder, int]] = []
        self._recipient_members: list[tuple[Callable[[str], Iterable[str]], RowFinder, int]] = []
        self._gaps: list[tuple[Callable[[Message], Iterable[Any]], RowFinder, int]] = []
        self._recipient_gaps: list[tuple[Callable[[str], Iterable[Any]], RowFinder, int]] = []
        unknown = set()
        for leaf, number in members:
            find = row_finder(leaf, lists)
            if find is not None and leaf.columns:
                self._add_gaps(leaf, lists, number)
            if find is None:
                unknown.add(number)
            elif leaf.field.startswith(HEADER):
                self._header_members.append((leaf.field.removeprefix(HEADER), find, number))
            elif (of_recipient := FIELDS[leaf.field].recipient_values) is not None:
                self._recipient_members.append((of_recipient, find, number))
            else:
                self._members.append((FIELDS[leaf.field].values, find, number))
        self.unknown = frozenset(unknown)

    def _add_gaps(self, leaf: Member, lists: Mapping[str, "NamedList"], number: int) -> None:
        find = row_finder(Member(leaf.field, leaf.name), lists)
        field = FIELDS.get(leaf.field)
        if find is not None and field is not None and field.recipient_values is not None:
            self._recipient_gaps.append((field.recipient_values, find, number))
        elif find is not None:
            self._gaps.append((partial(values_of, leaf.field, recipient=""), find, number))

    def message_facts(self, message: Message) -> set[int]:
        """Return the numbers of all satisfied leaves that are the same for every recipient."""
        facts: set[int] = set()
        self._find_texts(message, facts)
        for name in self._present.keys() & message.headers.keys():
            facts.add(self._present[name])
        for values, numbers in self._words:
            for word in values(message):
                if word in numbers:
                    facts.add(numbers[word])
        for values, networks in self._networks:
            for address in values(message):
                facts.update(networks.find(address))
        for values, includes, number in self._ranges:
            if any(map(includes, values(message))):
                facts.add(number)
        self._find_members(message, facts)
        return facts

    def _find_texts(self, message: Message, facts: set[int]) -> None:
        for values, find in self._texts:
            for value in values(message):
                find(value, facts)
        for name in self._headers.keys() & message.headers.keys():
            find = self._headers[name]
            for value in message.headers[name]:
                find(decode_words(value), facts)

    def _find_members(self, message: Message, facts: set[int]) -> None:
        for values, find, number in self._members:
            if _is_member(find, values(message)):
                facts.add(number)
        for name, find, number in self._header_members:
            if _is_member(find, map(decode_words, message.header(name))):
                facts.add(number)

    def recipient_facts(self, recipient: str) -> set[int]:
        """Return the numbers of all satisfied leaves about this recipient."""
        facts: set[int] = set()
        for values, find in self._recipient_texts:
            for value in values(recipient):
                find(value, facts)
        for values, find_row, number in self._recipient_members:
            if _is_member(find_row, values(recipient)):
                facts.add(number)
        return facts

    def unknown_of(self, message: Message, facts: set[int]) -> frozenset[int]:
        """Return the numbers of the unknown leaves: with those that only rows with a gap satisfy.

        `facts` are those of the message.
        """
        if not self._gaps:
            return self.unknown
        return self.unknown | _satisfied_by(self._gaps, message, facts)

    def recipient_gaps(self, recipient: str, facts: set[int]) -> frozenset[int]:
        """Return the numbers of the leaves about this recipient that only such rows satisfy."""
        return _satisfied_by(self._recipient_gaps, recipient, facts)


def row_finder(leaf: Member, lists: Mapping[str, "NamedList"]) -> "RowFinder | None":
    """Return the function that finds the row of a value of the leaf's field in its list.

    A row is not found if one of the leaf's columns is empty there. None if the list is missing, has
    not all the columns, or is of a kind that the field can't ask.
    """
    named = lists.get(leaf.name)
    if named is None or not named.about.columns_include(leaf.columns):
        return None
    field = FIELDS.get(leaf.field)
    tagless = field is not None and field.recipient_values is not None
    find = named.row_finder(_kind(leaf.field), tagless=tagless)
    if find is None or not leaf.columns:
        return find
    return partial(_whole_row, find, tuple(map(named.about.columns.index, leaf.columns)))


def _whole_row(find: Callable[[Any], "Row"], places: Iterable[int], value: object) -> "Row":
    row = find(value)
    return row if row and all(row[place] for place in places) else None


def row_of(
    leaf: Member, lists: Mapping[str, "NamedList"], message: Message, recipient: str
) -> Mapping[str, str]:
    """Return the columns of the first value that is in the leaf's list; {} without such a value."""
    find = row_finder(leaf, lists)
    rows = map(find, values_of(leaf.field, message, recipient)) if find else ()
    row = next((row for row in rows if row is not None), ())
    return dict(zip(lists[leaf.name].about.columns, row, strict=False)) if find else {}


def values_of(label: str, message: Message, recipient: str) -> Iterable[Any]:
    """Return the values of a field, or of a header if the label starts with `HEADER`."""
    if label.startswith(HEADER):
        return map(decode_words, message.header(label.removeprefix(HEADER)))
    field = FIELDS[label]
    return field.recipient_values(recipient) if field.recipient_values else field.values(message)


def _is_member(find: "RowFinder", values: Iterable[Any]) -> bool:
    return any(find(value) is not None for value in values)


def _satisfied_by(
    questions: Iterable[tuple[Callable[[T], Iterable[Any]], "RowFinder", int]],
    asked: T,
    facts: set[int],
) -> frozenset[int]:
    """Return the numbers, other than `facts`, of the questions that have a row for a value."""
    return frozenset(
        number
        for values, find, number in questions
        if number not in facts and _is_member(find, values(asked))
    )


def _kind(field: str) -> Kind:
    return Kind.HEADER if field.startswith(HEADER) else FIELDS[field].kind
