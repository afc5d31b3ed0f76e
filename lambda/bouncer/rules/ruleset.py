"""All rules, compiled: `decide(message, recipient)` has no effects and never raises.

Each distinct leaf of all conditions gets a number; `index` finds the numbers a message satisfies
(its facts). Only rules that need one of these facts, and the few that need none, are evaluated in
full. The first enforced match in name order decides; shadow matches before it are recorded and
passed over.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cached_property
from operator import attrgetter
from typing import NamedTuple

from bouncer.mail.message import Message
from bouncer.rules.condition import (
    HEADER,
    All,
    Any,
    Condition,
    Leaf,
    Matcher,
    Network,
    Not,
    Present,
    Text,
    Word,
    leaves,
)
from bouncer.rules.fields import OF_HEADERS
from bouncer.rules.index import LeafIndex
from bouncer.rules.rule import Action, Mode, Rule

Facts = set[int]
Test = Callable[[Facts], bool]


class Decision(NamedTuple):
    """The decision about a message for one recipient.

    No match leaves `rule` None. `shadow` has the rules in shadow mode that would have decided
    before `rule`, in their order.
    """

    recipient: str
    rule: Rule | None
    shadow: tuple[Rule, ...]

    @property
    def action(self) -> Action | None:
        """The action of the deciding rule, or None."""
        return self.rule.action if self.rule else None


class Ruleset:
    """The rules in force, in the order of their names; immutable once built.

    `numbers` has the number of each leaf, and `index` finds the numbers a message satisfies.
    `bounce_senders` has the `sender` of every rejection, of rules in mode shadow and off as well:
    what they bounced yesterday is answered today.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        every = tuple(rules)
        rejections = (rule.rejection for rule in every if rule.rejection)
        self.bounce_senders = frozenset(each.sender for each in rejections if each.sender)
        active = (rule for rule in every if rule.mode is not Mode.OFF)
        self.rules = tuple(sorted(active, key=attrgetter("name")))
        self.numbers: dict[Leaf, int] = {}
        self._tests: list[Test | None] = []
        self._always: list[int] = []
        self._needing: defaultdict[int, list[int]] = defaultdict(list)
        for position, rule in enumerate(self.rules):
            self._add(position, rule.condition)
        self.index = LeafIndex(self.numbers)

    def _add(self, position: int, condition: Condition | None) -> None:
        """Note the facts that make a rule a candidate, and the test a candidate must pass."""
        if condition is None:
            self._always.append(position)
            self._tests.append(None)
            return
        if _is_any_of(condition):
            for leaf in leaves(condition):
                self._needing[self._number(leaf)].append(position)
            self._tests.append(None)
            return
        for leaf in leaves(condition):
            self._number(leaf)
        keys = _keys(condition)
        for leaf in keys or ():
            self._needing[self.numbers[leaf]].append(position)
        if keys is None:
            self._always.append(position)
        self._tests.append(self._test(condition))

    def _number(self, leaf: Leaf) -> int:
        return self.numbers.setdefault(leaf, len(self.numbers))

    def _test(self, condition: Condition) -> Test:
        match condition:
            case All(parts):
                tests = [self._test(part) for part in parts]
                return lambda facts: all(test(facts) for test in tests)
            case Any(parts) if _is_any_of(condition):
                numbers = frozenset(self.numbers[leaf] for leaf in leaves(condition))
                return lambda facts: not numbers.isdisjoint(facts)
            case Any(parts):
                tests = [self._test(part) for part in parts]
                return lambda facts: any(test(facts) for test in tests)
            case Not(part):
                negated = self._test(part)
                return lambda facts: not negated(facts)
            case _:
                number = self.numbers[condition]
                return lambda facts: number in facts

    @cached_property
    def asks_headers(self) -> bool:
        """True if a rule asks for a header, or for what stands in one."""
        return any(_is_of_headers(leaf) for leaf in self.numbers)

    def decide(self, message: Message, recipient: str) -> Decision:
        """Return the decision for one recipient of the message."""
        return self._decide(message, recipient, self.index.message_facts(message))

    def decisions(self, message: Message) -> tuple[Decision, ...]:
        """Return the decision for every envelope recipient, in their order."""
        facts = self.index.message_facts(message)
        return tuple(self._decide(message, recipient, facts) for recipient in message.recipients)

    def _decide(self, message: Message, recipient: str, message_facts: Facts) -> Decision:
        facts = message_facts | self.index.recipient_facts(recipient)
        shadow: list[Rule] = []
        for position in self._candidates(facts):
            rule, test = self.rules[position], self._tests[position]
            if (test is None or test(facts)) and in_force(rule, message):
                if rule.mode is Mode.ENFORCE:
                    return Decision(recipient=recipient, rule=rule, shadow=tuple(shadow))
                shadow.append(rule)
        return Decision(recipient=recipient, rule=None, shadow=tuple(shadow))

    def _candidates(self, facts: Facts) -> Iterable[int]:
        positions = set(self._always)
        for number in facts:
            positions.update(self._needing.get(number, ()))
        return sorted(positions)


def in_force(rule: Rule, message: Message) -> bool:
    """Tell whether a mail was received within the rule's dates; False if its time is unknown."""
    if rule.starts is None and rule.ends is None:
        return True
    if message.received_at is None:
        return False
    if rule.starts is not None and message.received_at < rule.starts:
        return False
    return rule.ends is None or message.received_at < rule.ends


def _keys(condition: Condition) -> tuple[Leaf, ...] | None:
    """Return leaves of which one must hold for the condition to hold; None without such leaves."""
    match condition:
        case All(parts):
            found = [keys for part in parts if (keys := _keys(part)) is not None]
            return min(found, key=_breadth) if found else None
        case Any(parts):
            every = [_keys(part) for part in parts]
            return (
                tuple(leaf for keys in every for leaf in keys or ()) if None not in every else None
            )
        case Not():
            return None
        case _:
            return (condition,)


def _breadth(keys: tuple[Leaf, ...]) -> tuple[int, int]:
    """Return a rough measure of the mails that satisfy a key; the least selective leaf counts."""
    return max(map(_leaf_breadth, keys)), len(keys)


def _leaf_breadth(leaf: Leaf) -> int:
    match leaf:
        case Text(matcher=Matcher.EQUALS | Matcher.SUBDOMAIN) | Network():
            return 1
        case Text():
            return 2
        case Word() | Present():
            return 3
        case _:
            return 4


def _is_of_headers(leaf: Leaf) -> bool:
    if isinstance(leaf, Present):
        return True
    return leaf.field.startswith(HEADER) or leaf.field in OF_HEADERS


def _is_any_of(condition: Condition) -> bool:
    """Tell whether a condition is only leaves of which one must hold, so that one is enough."""
    match condition:
        case Any(parts):
            return all(map(_is_any_of, parts))
        case All() | Not():
            return False
        case _:
            return True
