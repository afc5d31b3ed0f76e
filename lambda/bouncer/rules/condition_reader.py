"""Reads `when` and `unless` into a condition: fields, and how conditions are nested.

Each kind of field has its reader. Anything else than a known field is refused at its place.
docs/rules.md is the reference, with an example of everything.
"""

from collections.abc import Callable, Mapping

from bouncer.rules.condition import NESTING, All, Any, Condition
from bouncer.rules.document import Node
from bouncer.rules.fields import FIELDS, Field, Kind
from bouncer.rules.matcher_reader import joined, negated
from bouncer.rules.text_reader import read_addresses, read_domains, read_headers, read_texts
from bouncer.rules.value_reader import read_networks, read_numbers, read_sizes, read_words
from bouncer.rules.window_reader import read_windows

_READERS: Mapping[Kind, Callable[[Field, Node], Condition | None]] = {
    Kind.ADDRESS: read_addresses,
    Kind.DOMAIN: read_domains,
    Kind.TEXT: read_texts,
    Kind.HEADER: read_headers,
    Kind.WORD: read_words,
    Kind.NETWORK: read_networks,
    Kind.NUMBER: read_numbers,
    Kind.SIZE: read_sizes,
    Kind.WINDOW: read_windows,
}


def read_condition(node: Node) -> Condition | None:
    """Return the condition in a mapping of fields, all of which must hold; None after a problem."""
    entries = node.members((*FIELDS, *NESTING), "a mapping of fields to what they must be")
    if not entries and node.value == {}:
        node.fault("at least one condition")
    parts = [_entry(key, child) for key, child in entries.items()]
    return joined(All, parts)


def _entry(key: str, node: Node) -> Condition | None:
    if key in NESTING:
        return _nested(key, node)
    field = FIELDS[key]
    return _READERS[field.kind](field, node)


def _nested(key: str, node: Node) -> Condition | None:
    if key != "not" and not isinstance(node.value, list):
        node.fault("a list, each item a mapping of fields to what they must be")
        return None
    parts = [read_condition(item) for item in node.items()]
    if key == "not":
        return negated(joined(Any, parts))
    return joined(All if key == "all" else Any, parts)
