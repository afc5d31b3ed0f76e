r"""Weighs the regexes of rules: counted repetitions make every mail slow.

RE2 writes `(\pL.{0,90}){1,9}` out as a program of 18,000 steps, and walks through most of them for
each character of a text. Ordinary patterns, and long lists of words, weigh nothing.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

import re2

from bouncer.errors import Problem
from bouncer.rules.condition import Matcher, Text, leaves, regex_options
from bouncer.rules.rule import Mode, Rule

# Steps of RE2's program. A text of 10 KB costs as much as half a second on a whole core with these.
HEAVIEST = 30_000

_FORGIVEN = 100  # steps of each pattern: a few digits or letters, counted
_COUNTED = re.compile(r"\{[0-9]+(?:,[0-9]*)?\}")


@lru_cache(maxsize=10_000)
def weight(pattern: str) -> int:
    """Return the steps that counted repetitions add to a valid regex, if they are many."""
    if not _COUNTED.search(pattern):
        return 0
    try:
        without = _size(_COUNTED.sub("+", pattern))
    except re2.error:
        without = 0
    return max(0, _size(pattern) - without - _FORGIVEN)


def _size(pattern: str) -> int:
    size: int = re2.compile(pattern, regex_options()).programsize
    return size


def light_enough(rules: Iterable[Rule]) -> tuple[list[Rule], list[Problem]]:
    """Return rules whose regexes weigh at most `HEAVIEST` together, and a problem for each other.

    Rules are taken in the order of their names; those in mode off weigh nothing.
    """
    kept, problems, left = [], [], HEAVIEST
    for rule in sorted(rules, key=lambda each: each.name):
        problem = too_heavy(rule, left)
        if problem:
            problems.append(problem)
        else:
            kept.append(rule)
            left -= rule_weight(rule)
    return kept, problems


def rule_weight(rule: Rule) -> int:
    """Return the steps of counted repetitions in a rule; one in mode off weighs nothing."""
    return sum(map(_weight_of, _regexes(rule)))


def too_heavy(rule: Rule, left: int) -> Problem | None:
    """Return the problem of a rule that weighs more than what is `left` for it."""
    total = rule_weight(rule)
    if total <= left:
        return None
    return _problem(rule, max(_regexes(rule), key=_weight_of), total, left)


def _regexes(rule: Rule) -> set[Text]:
    if rule.mode is Mode.OFF or rule.condition is None:
        return set()
    texts = (leaf for leaf in leaves(rule.condition) if isinstance(leaf, Text))
    return {leaf for leaf in texts if leaf.matcher is Matcher.REGEX}


def _weight_of(leaf: Text) -> int:
    return weight(leaf.pattern)


def _problem(rule: Rule, heaviest: Text, total: int, left: int) -> Problem:
    return Problem(
        document=rule.document or rule.name,
        place=heaviest.field,
        line=None,
        found=f"{heaviest} and {total} steps of counted repetitions in this rule",
        expected=f"at most {left} steps, as all rules together may have {HEAVIEST}: write + for"
        " {1,50}, or fewer such patterns",
    )
