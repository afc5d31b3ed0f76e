"""Counts the mails of each rule and of each sender, for the lines below a table."""

from collections import Counter
from collections.abc import Iterable, Iterator

from bouncer.mail.text import printable
from bouncer.rules.rule import Action, Mode, Rule
from bouncer_cli.replay import Result

_TOP_SENDERS = 5
_MOST_SENDERS = 50_000  # counted at a time: strangers choose how many there are
_SENDER_LIMIT = 80


class RuleCounts:
    """The mails that each rule decided, recorded, or was unknown for, and senders.

    A mail counts once for a rule, whatever the number of its recipients.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)
        self._decided: Counter[str] = Counter()
        self._recorded: Counter[str] = Counter()
        self._unknown: Counter[str] = Counter()
        self._senders: Counter[str] = Counter()
        self._rejected: Counter[str] = Counter()

    def add(self, result: Result) -> None:
        """Count one result."""
        if result.judgement is None:
            return
        decisions = result.judgement.decisions
        self._decided.update({each.rule.name for each in decisions if each.rule})
        self._recorded.update({rule.name for each in decisions for rule in each.shadow})
        self._unknown.update({rule.name for each in decisions for rule in each.unknown})
        sender = printable(result.judgement.message.sender, _SENDER_LIMIT).lower() or "<>"
        self._senders[sender] += 1
        if any(decision.action is Action.REJECT for decision in decisions):
            self._rejected[sender] += 1
        if len(self._senders) > _MOST_SENDERS:
            self._forget_rare_senders()

    def _forget_rare_senders(self) -> None:
        self._senders = Counter(dict(self._senders.most_common(_MOST_SENDERS // 2)))
        self._rejected = Counter(
            {name: count for name, count in self._rejected.items() if name in self._senders}
        )

    def close(self) -> None:
        """Do nothing: `lines` says what was counted."""

    def lines(self) -> Iterator[str]:
        """Yield the counts as lines, the most frequent rule first."""
        if not self._senders:
            return
        if counted := self._counted_rules():
            width = len(str(counted[0][0]))
            yield "rules, by the mails that they decided or, in mode shadow, recorded:"
            yield from (f"  {count:>{width}}  {text}" for count, text in counted)
        if self._unknown:
            names = ", ".join(f"{name} ({count})" for name, count in self._unknown.most_common())
            yield f"rules that were unknown (?) for some mails: {names}"
        if idle := [rule.name for rule in self._rules if self._is_idle(rule)]:
            yield f"rules that never matched, or only after one that decided: {', '.join(idle)}"
        top = map(self._sender, self._senders.most_common(_TOP_SENDERS))
        yield f"top senders: {', '.join(top)}"

    def _is_idle(self, rule: Rule) -> bool:
        return not any(count[rule.name] for count in (self._decided, self._recorded, self._unknown))

    def _acted(self, rule: Rule) -> int:
        """Return the number of mails that a rule decided; in mode shadow, that it recorded."""
        return (self._recorded if rule.mode is Mode.SHADOW else self._decided)[rule.name]

    def _counted_rules(self) -> list[tuple[int, str]]:
        hit = [rule for rule in self._rules if self._decided[rule.name] + self._recorded[rule.name]]
        return [
            (self._acted(rule), f"{rule.action} {rule.name}{self._note(rule)}")
            for rule in sorted(hit, key=self._acted, reverse=True)
        ]

    def _note(self, rule: Rule) -> str:
        """Return the words about a rule that records all its mails, or some of them."""
        if rule.mode is Mode.SHADOW:
            return f" ({rule.recorded_as})"
        outside = self._recorded[rule.name]
        return f" (and {outside} {rule.outside_share})" if outside else ""

    def _sender(self, counted: tuple[str, int]) -> str:
        sender, count = counted
        rejected = self._rejected[sender]
        return f"{sender} ({count}, {rejected} rejected)" if rejected else f"{sender} ({count})"
