"""Explains a condition for one mail: all of it, or only the parts by which it holds.

The answers come from the compiled ruleset itself, so that an explanation can't differ from a
decision.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeGuard

from bouncer.mail.message import VERDICTS, Message
from bouncer.mail.mime import decode_words
from bouncer.mail.text import shown
from bouncer.rules.condition import (
    HEADER,
    All,
    Any,
    Condition,
    Leaf,
    Member,
    Not,
    Number,
    Present,
    Text,
    Window,
)
from bouncer.rules.fields import FIELDS, Kind
from bouncer.rules.index import row_finder, values_of
from bouncer.rules.named_list import NamedList
from bouncer.rules.ruleset import Ruleset

INDENT = "  "
_MOST_LISTED = 5
_UNITS = {"GB": 1_000_000_000, "MB": 1_000_000, "KB": 1_000}
_MOST_FOUND = 20  # values in one line: a zip file alone may name 10,000 files
# Fields whose values stand in the lines about the message or the recipient.
_SHOWN_ELSEWHERE = {
    *("sender", "sender_domain", "recipient", "recipient_domain", "from", "from_domain"),
    *("subject", "source_ip", "helo", *VERDICTS, "dmarc_policy"),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """The answer to each leaf of any rule for one recipient, and what it was found in.

    None stands for a leaf that is neither true nor false.
    """

    answers: Mapping[Leaf, bool | None]
    lists: Mapping[str, NamedList]
    message: Message
    recipient: str

    def __getitem__(self, leaf: Leaf) -> bool | None:
        """Return the answer to a leaf."""
        return self.answers[leaf]


def facts_of(ruleset: Ruleset, message: Message, recipient: str) -> Facts:
    """Return for each leaf of any rule if it holds, as the compiled ruleset has found it."""
    facts, unknown = ruleset.known(message)
    found = facts | ruleset.index.recipient_facts(recipient)
    unknown |= ruleset.index.recipient_gaps(recipient, found)
    answers = {
        leaf: None if number in unknown else number in found
        for leaf, number in ruleset.numbers.items()
    }
    return Facts(answers, ruleset.lists, message, recipient)


def holds(condition: Condition, facts: Facts) -> bool | None:
    """Tell whether a condition holds, given the answer to each of its leaves; None if unknown."""
    match condition:
        case All(parts):
            return _all(holds(part, facts) for part in parts)
        case Any(parts):
            return _negation(_all(_negation(holds(part, facts)) for part in parts))
        case Not(part):
            return _negation(holds(part, facts))
        case _:
            return facts[condition]


def _all(answers: Iterable[bool | None]) -> bool | None:
    found = set(answers)
    return False if False in found else None if None in found else True


def _negation(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def every_part(condition: Condition, facts: Facts, depth: int) -> Iterator[str]:
    """Yield a line for every part of a condition, whether it holds or not."""
    start = f"{INDENT * depth}{mark(holds(condition, facts))} "
    match condition:
        case All(parts) | Any(parts):
            yield start + ("all of" if isinstance(condition, All) else "any of")
            for part in parts:
                yield from every_part(part, facts, depth + 1)
        case Not(part):
            yield start + "not"
            yield from every_part(part, facts, depth + 1)
        case _:
            yield start + _leaf(condition, facts.message)
            if facts[condition] is None:
                yield f"{INDENT * depth}    ({missing(condition, facts)})"


def held_parts(condition: Condition, facts: Facts, depth: int) -> Iterator[str]:
    """Yield a line for each part by which a condition holds, and counts of the others."""
    start = f"{INDENT * depth}{mark(True)} "
    match condition:
        case All(parts):
            for part in parts:
                yield from held_parts(part, facts, depth)
        case Any(parts):
            answers = [holds(part, facts) for part in parts]
            held = [part for part, answer in zip(parts, answers, strict=True) if answer]
            for part in held[:_MOST_LISTED]:
                yield from held_parts(part, facts, depth)
            more = len(held) - _MOST_LISTED
            yield from _counted(more, "holds as well", "hold as well", depth)
            yield from _counted(answers.count(None), "is unknown", "are unknown", depth)
            yield from _counted(answers.count(False), "does not hold", "do not hold", depth)
        case Not(part):
            yield f"{start}not ({_gist(part, facts.message)})"
        case _:
            yield start + _leaf(condition, facts.message)


def _counted(number: int, one: str, several: str, depth: int) -> Iterator[str]:
    if number > 0:
        text = f"1 other condition {one}" if number == 1 else f"{number} other conditions {several}"
        yield f"{INDENT * depth}    ({text})"


def _gist(condition: Condition, message: Message) -> str:
    """Return a condition in one line: its first parts, and the number of all."""
    match condition:
        case All(parts) | Any(parts):
            word = "all" if isinstance(condition, All) else "any"
            first = "; ".join(_gist(part, message) for part in parts[:2])
            return f"{word} of {len(parts)}: {first}" + ("; ..." if parts[2:] else "")
        case Not(part):
            return f"not ({_gist(part, message)})"
        case _:
            return _leaf(condition, message)


def _leaf(leaf: Leaf, message: Message) -> str:
    found = listed(found_values(leaf, message), _MOST_FOUND)
    return leaf_text(leaf) + (f" (found {found})" if found else "")


def leaf_text(leaf: Leaf) -> str:
    """Return a leaf in one line, with sizes in the units of the rule language."""
    if not _is_size(leaf):
        return str(leaf)
    bounds = {"over": leaf.over, "under": leaf.under}
    texts = [f"{key} {_size(size)}" for key, size in bounds.items() if size is not None]
    return f"{leaf.field} {', '.join(texts)}"


def _is_size(leaf: Leaf) -> TypeGuard[Number]:
    return isinstance(leaf, Number) and FIELDS[leaf.field].kind is Kind.SIZE


def _size(size: int) -> str:
    """Return a size exactly, in the largest unit that does so with three decimals."""
    for unit, factor in _UNITS.items():
        if size >= factor and size * 1_000 % factor == 0:
            return f"{size / factor:.3f}".rstrip("0").rstrip(".") + unit
    return f"{size}B"


def _found_size(leaf: Number, size: int) -> str:
    """Return a size in three digits; exactly, if those would be on the other side of a bound."""
    rounded = int(float(f"{size:.2e}"))
    return _size(rounded if leaf.includes(rounded) is leaf.includes(int(size)) else size)


def found_values(leaf: Leaf, message: Message) -> list[str]:
    """Return the values a leaf was compared with, unless other lines show them."""
    match leaf:
        case Present():
            return []
        case Text(field) | Member(field) if field.startswith(HEADER):
            return list(map(decode_words, message.header(field.removeprefix(HEADER))))
    if leaf.field in _SHOWN_ELSEWHERE:
        return []
    values = FIELDS[leaf.field].values(message)
    if _is_size(leaf):
        return [_found_size(leaf, size) for size in values]
    if isinstance(leaf, Window):
        return [f"{moment.astimezone(leaf.zone):%a %H:%M}" for moment in values]
    return list(map(str, values))


def missing(leaf: Leaf, facts: Facts) -> str:
    """Return the cause for which a leaf is neither true nor false."""
    if isinstance(leaf, Member) and (cause := _missing_row(leaf, facts)):
        return cause
    content = facts.message.content
    if content is None:
        return "there is only the event: the content of the mail is not known"
    return f"only a part of the content was read ({', '.join(content.bounds) or 'size'})"


def _missing_row(leaf: Member, facts: Facts) -> str:
    """Return the cause that lies in the leaf's list, or ""."""
    named = facts.lists.get(leaf.name)
    if named is None:
        return f"found no list {leaf.name}"
    if absent := [column for column in leaf.columns if column not in named.about.columns]:
        return f"list {leaf.name} has no column {' or '.join(absent)}"
    find = row_finder(Member(leaf.field, leaf.name), facts.lists)
    if find is None:
        return f"list {leaf.name} is one of {named.about.kind}, which {leaf.field} can't ask"
    for value in values_of(leaf.field, facts.message, facts.recipient):
        row = find(value)
        cells = dict(zip(named.about.columns, row or (), strict=False))
        gaps = [column for column in leaf.columns if not cells.get(column)]
        if row is not None and gaps:
            return f"the row of {clean(str(value))} in list {leaf.name} has no {' or '.join(gaps)}"
    return ""


def mark(held: bool | None) -> str:
    """Return the word before a rule, a condition or a reason; `?` if that is unknown."""
    return "?  " if held is None else "yes" if held else "no "


def listed(texts: Iterable[str], most: int | None = None) -> str:
    """Return texts of a mail as one line; of more than `most`, the first and the number left."""
    every = list(texts)
    more = f" and {len(every) - most} more" if most is not None and len(every) > most else ""
    return ", ".join(map(clean, every[:most])) + more


def clean(text: str) -> str:
    """Return a text of a mail for an explanation, without what could control a terminal."""
    return shown(text, 300)
