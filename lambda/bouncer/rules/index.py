"""Finds every leaf that a message satisfies, at a cost that hardly grows with their number.

Each field that rules ask about has an index of its own. Leaves are known here by their number only.
"""

from collections import defaultdict
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network

from bouncer.mail.message import Message
from bouncer.mail.mime import decode_words
from bouncer.rules.condition import HEADER, Leaf, Network, Number, Present, Text, Window, Word
from bouncer.rules.fields import FIELDS, Kind
from bouncer.rules.network_index import NetworkIndex
from bouncer.rules.text_index import TextIndex


class LeafIndex:
    """All leaves of a ruleset, by number."""

    def __init__(self, numbers: Mapping[Leaf, int]) -> None:
        texts: defaultdict[str, list[tuple[Text, int]]] = defaultdict(list)
        words: defaultdict[str, dict[str, int]] = defaultdict(dict)
        networks: defaultdict[str, list[tuple[IPv4Network | IPv6Network, int]]] = defaultdict(list)
        ranges: list[tuple[Number | Window, int]] = []
        self._present: dict[str, int] = {}
        for leaf, number in numbers.items():
            match leaf:
                case Text():
                    texts[leaf.field].append((leaf, number))
                case Network(field, network):
                    networks[field].append((network, number))
                case Word(field, word):
                    words[field][word] = number
                case Present(name):
                    self._present[name] = number
                case Number() | Window():
                    ranges.append((leaf, number))
        self._add_texts(
            {field: TextIndex(_kind(field), entries) for field, entries in texts.items()}
        )
        self._words = [(FIELDS[field].values, found) for field, found in words.items()]
        self._networks = [
            (FIELDS[field].values, NetworkIndex(entries)) for field, entries in networks.items()
        ]
        self._ranges = [
            (FIELDS[leaf.field].values, leaf.includes, number) for leaf, number in ranges
        ]

    def _add_texts(self, indexes: Mapping[str, TextIndex]) -> None:
        """Sort the indexes by what their values are read from: header, recipient or message."""
        self._headers: dict[str, TextIndex] = {}
        self._texts = []
        self._recipient_texts = []
        for label, index in indexes.items():
            if label.startswith(HEADER):
                self._headers[label.removeprefix(HEADER)] = index
                continue
            field = FIELDS[label]
            if field.recipient_values is None:
                self._texts.append((field.values, index.find))
            else:
                find = index.find_address if field.kind is Kind.ADDRESS else index.find
                self._recipient_texts.append((field.recipient_values, find))

    def message_facts(self, message: Message) -> set[int]:
        """Return the numbers of all satisfied leaves that are the same for every recipient."""
        facts: set[int] = set()
        self._find_texts(message, facts)
        for name in _common(self._present, message.headers):
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
        return facts

    def _find_texts(self, message: Message, facts: set[int]) -> None:
        for values, find in self._texts:
            for value in values(message):
                find(value, facts)
        for name in _common(self._headers, message.headers):
            find = self._headers[name].find
            for value in message.headers[name]:
                find(decode_words(value), facts)

    def recipient_facts(self, recipient: str) -> set[int]:
        """Return the numbers of all satisfied leaves about this recipient."""
        facts: set[int] = set()
        for values, find in self._recipient_texts:
            for value in values(recipient):
                find(value, facts)
        return facts


def _kind(field: str) -> Kind:
    return Kind.HEADER if field.startswith(HEADER) else FIELDS[field].kind


def _common(some: Mapping[str, object], others: Mapping[str, object]) -> list[str]:
    """Return the keys both have, at the cost of the smaller one."""
    if len(some) > len(others):
        some, others = others, some
    return [key for key in some if key in others]
