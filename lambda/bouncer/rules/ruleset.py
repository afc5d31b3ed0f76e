"""All rules, compiled: `decide(message, recipient)` has no effects and never raises.

Each distinct leaf of all conditions gets a number; `index` finds the numbers a message satisfies
(its facts). Only rules that need one of these facts, and the few that need none, are evaluated in
full. The first enforced match in name order decides; shadow matches before it are recorded and
passed over, and so are those in whose share the mail is not.

A leaf is neither true nor false if its list is missing, if the row of a value lacks a column that
the rule's text shows, or if it is about the content of a mail that is not at hand or lies beyond a
bound. A condition is then evaluated twice, with all such leaves false and with all of them true; if
the answers differ, it is unknown (Kleene's strong logic). A mail is never stopped by an unknown
condition. The content is read only if a rule that could still decide asks for it: if deciding
without it comes to a rule that is unknown.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from bouncer.mail.message import Message
from bouncer.rules.condition import (
    HEADER,
    All,
    Any,
    Condition,
    Leaf,
    Matcher,
    Member,
    Network,
    Not,
    Present,
    Text,
    Word,
    leaves,
)
from bouncer.rules.fields import COPIED, FIELDS, OF_HEADERS, of_copy
from bouncer.rules.index import LeafIndex, row_of
from bouncer.rules.list_placeholders import required
from bouncer.rules.rule import Action, Mode, Rule
from bouncer.rules.share import Shares

if TYPE_CHECKING:  # what reads lists takes time to import, and few deployments have one
    from bouncer.rules.named_list import NamedList

Facts = set[int]
# Gets the facts that make leaves hold, and those that make negated leaves fail to hold. They are
# the same facts, unless leaves are unknown: with the sure facts first, it tells that a condition
# surely holds; with the possible ones first, that it possibly does.
Test = Callable[[Facts, Facts], bool]


class Decision(NamedTuple):
    """The decision about a message for one recipient.

    No match leaves `rule` None. `shadow` has the rules that would have decided before `rule`, in
    their order: those in shadow mode, and those with a `passed_over` that says why they only
    record. `unknown` has the rules that may have decided before it, as
    their condition is unknown.
    """

    recipient: str
    rule: Rule | None
    shadow: tuple[Rule, ...]
    unknown: tuple[Rule, ...] = ()

    @property
    def action(self) -> Action | None:
        """The action of the deciding rule, or None."""
        return self.rule.action if self.rule else None

    @property
    def ended_by(self) -> Rule | None:
        """The rule that ended the decision as it is unknown and lets the mail through, or None."""
        last = self.unknown[-1] if self.unknown and self.rule is None else None
        return last if last and ends_unknown(last) else None


class Ruleset:
    """The rules in force, in the order of their names; immutable once built.

    `lists` are the lists that rules may name; a list that is missing makes conditions unknown.
    `numbers` has the number of each leaf, and `index` finds the numbers a message satisfies.
    `our_senders` has the mailboxes that rules send bounces and replies from, those of rules in mode
    shadow and off as well: what they sent yesterday is answered today.
    """

    def __init__(
        self, rules: Iterable[Rule], lists: Mapping[str, "NamedList"] | None = None
    ) -> None:
        every = tuple(rules)
        senders = (each.sender for rule in every if (each := rule.rejection or rule.reply))
        self.our_senders = frozenset(filter(None, senders))
        active = (rule for rule in every if rule.mode is not Mode.OFF)
        self.rules = tuple(sorted(active, key=attrgetter("name")))
        self.numbers: dict[Leaf, int] = {}
        self._tests: list[Test | None] = []
        self._always: list[int] = []
        self._needing: defaultdict[int, list[int]] = defaultdict(list)
        for position, rule in enumerate(self.rules):
            self._add(position, rule.condition)
        self.lists = lists or {}
        copied = {leaf: number for leaf, number in self.numbers.items() if _field(leaf) in COPIED}
        events = {leaf: number for leaf, number in self.numbers.items() if leaf not in copied}
        self.index = LeafIndex(events if copied else self.numbers, self.lists)
        self._copied = copied
        self._copy_index = LeafIndex(copied, self.lists)
        self._shows_columns = self.index.shows_columns or self._copy_index.shows_columns
        asking = filter(_asks_content, self.rules) if copied else ()
        self._copy_rules = frozenset(rule.name for rule in asking)

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
                return lambda facts, negated: all(test(facts, negated) for test in tests)
            case Any(parts) if _is_any_of(condition):
                numbers = frozenset(self.numbers[leaf] for leaf in leaves(condition))
                return lambda facts, _: not numbers.isdisjoint(facts)
            case Any(parts):
                tests = [self._test(part) for part in parts]
                return lambda facts, negated: any(test(facts, negated) for test in tests)
            case Not(part):
                test = self._test(part)
                return lambda facts, negated: not test(negated, facts)
            case _:
                number = self.numbers[condition]
                return lambda facts, _: number in facts

    @property
    def asks_content(self) -> bool:
        """True if a rule asks for the content of a mail."""
        return bool(self._copied)

    @cached_property
    def asks_headers(self) -> bool:
        """True if a rule asks for a header, or for what stands in one."""
        return any(_is_of_headers(leaf) for leaf in self.numbers)

    def decide(self, message: Message, recipient: str) -> Decision:
        """Return the decision for one recipient of the message."""
        return self._decisions(message, (recipient,))[0]

    def decisions(self, message: Message) -> tuple[Decision, ...]:
        """Return the decision for every envelope recipient, in their order."""
        return self._decisions(message, message.recipients)

    def _decisions(self, message: Message, recipients: Iterable[str]) -> tuple[Decision, ...]:
        shares = Shares(message)
        facts = self.index.message_facts(message)
        unknown = self.index.unknown_of(message, facts)
        if not self._copied:
            return tuple([self._decide(shares, each, facts, unknown) for each in recipients])
        without = unknown.union(self._copied.values())
        found = tuple(self._decide(shares, each, facts, without) for each in recipients)
        if message.content is None or not any(map(self.asks_copy, found)):
            return found
        facts, unknown = self.known(message)
        return tuple(self._decide(shares, each, facts, unknown) for each in recipients)

    def asks_copy(self, decision: Decision) -> bool:
        """Tell whether a decision may change if the content of the mail is known."""
        return any(rule.name in self._copy_rules for rule in decision.unknown)

    def known(self, message: Message) -> tuple[Facts, frozenset[int]]:
        """Return the numbers of the leaves that hold for every recipient, and of the unknown ones.

        Reads all contents that rules ask for.
        """
        facts = self.index.message_facts(message)
        unknown = self.index.unknown_of(message, facts)
        if not self._copied:
            return facts, unknown
        facts |= self._copy_index.message_facts(message)
        unknown |= self._copy_index.unknown_of(message, facts)
        fields = {name: of_copy(FIELDS[name], message).whole for name in map(_field, self._copied)}
        beyond = {number for leaf, number in self._copied.items() if not fields[_field(leaf)]}
        return facts, unknown | (beyond - facts)

    def _decide(
        self, shares: Shares, recipient: str, message_facts: Facts, unknown: frozenset[int]
    ) -> Decision:
        facts = self.index.recipient_facts(recipient)
        facts |= message_facts
        if self.index.shows_columns:
            unknown |= self.index.recipient_gaps(recipient, facts)
        if unknown:
            return self._decide_unknown(shares, recipient, facts, unknown)
        shadow: list[Rule] = []
        for position in self._candidates(facts):
            rule, test = self.rules[position], self._tests[position]
            if (test is None or test(facts, facts)) and in_force(rule, shares.message):
                if rule.share is not None:
                    rule = shares.as_it_acts(rule)
                if rule.mode is Mode.ENFORCE:
                    return Decision(recipient, rule, tuple(shadow))
                shadow.append(rule)
        return Decision(recipient, None, tuple(shadow))

    def _decide_unknown(
        self, shares: Shares, recipient: str, facts: Facts, leaves_unknown: frozenset[int]
    ) -> Decision:
        """Decide while some leaves are unknown: `facts` are those that surely hold."""
        possible = facts | leaves_unknown
        sure = set(self._candidates(facts))
        shadow: list[Rule] = []
        unknown: list[Rule] = []
        decided = None
        for position in self._candidates(possible):
            rule, test = self.rules[position], self._tests[position]
            if not (test is None or test(possible, facts)) or not in_force(rule, shares.message):
                continue
            rule = shares.as_it_acts(rule)
            if position in sure and (test is None or test(facts, possible)):
                if rule.mode is Mode.ENFORCE:
                    decided = rule
                    break
                shadow.append(rule)
            else:
                unknown.append(rule)
                if ends_unknown(rule):
                    break
        return Decision(recipient, decided, tuple(shadow), tuple(unknown))

    def _candidates(self, facts: Facts) -> Iterable[int]:
        if self._needing.keys().isdisjoint(facts):
            return self._always
        found = [self._needing[number] for number in facts if number in self._needing]
        return sorted(set().union(self._always, *found))

    def columns(self, message: Message, decision: Decision) -> dict[str, str]:
        """Return the value of each placeholder of a list in the texts of the deciding rule."""
        rule = decision.rule
        if not self._shows_columns or not rule:
            return {}
        wanted = rule.columns
        leaves_by_list = required(rule.condition)
        rows = {
            name: row_of(leaves_by_list[name], self.lists, message, decision.recipient)
            for name in {name for name, _ in wanted}
        }
        return {f"{name}.{column}": rows[name].get(column, "") for name, column in wanted}


def _field(leaf: Leaf) -> str:
    return "" if isinstance(leaf, Present) else leaf.field


def _asks_content(rule: Rule) -> bool:
    condition = rule.condition
    return condition is not None and any(_field(leaf) in COPIED for leaf in leaves(condition))


def ends_unknown(rule: Rule) -> bool:
    """Tell whether a rule ends the decision if its condition is unknown: the mail then goes on."""
    return rule.action.lets_through and rule.mode is Mode.ENFORCE


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
        case Text(matcher=Matcher.EQUALS | Matcher.SUBDOMAIN | Matcher.WITHIN) | Network():
            return 1
        case Member():
            return 2
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
