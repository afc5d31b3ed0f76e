"""Chooses the rules of the next revision: what documents say, or what was in force before.

A refused document keeps the form that its rule had in the revision before, or its rule is left out.
Older versions are never searched: they could bring back a rule that somebody ended.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from bouncer.errors import DocumentError
from bouncer.rules.pattern_weight import HEAVIEST, rule_weight, too_heavy
from bouncer.rules.rule import Rule
from bouncer.rules.rule_reader import read_rule
from bouncer.sources.source import RULES, Document

Problems = Mapping[str, tuple[str, ...]]


class Chosen(NamedTuple):
    """The rules, and the problems of each refused document by its name, such as `rules/NAME`."""

    rules: tuple[Rule, ...]
    problems: Problems


def chosen(documents: Mapping[str, Document], before: Iterable[Rule]) -> Chosen:
    """Return the rules of these documents; `before` are those of the revision in force.

    The order of the documents does not matter: rules are taken in the order of their names until
    their patterns weigh too much together.
    """
    earlier = {rule.name: rule for rule in before}
    rules: list[Rule] = []
    problems: dict[str, tuple[str, ...]] = {}
    left = HEAVIEST
    for name, document in sorted(documents.items()):
        rule, refused = _read(name, document, left)
        if refused:
            rule = _kept(earlier.get(name), left)
            problems[f"{RULES}{name}"] = refused
        if rule:
            rules.append(rule)
            left -= rule_weight(rule)
    return Chosen(tuple(rules), problems)


def _read(name: str, document: Document, left: int) -> tuple[Rule | None, tuple[str, ...]]:
    try:
        rule = read_rule(name, document.plain_text, document=document.label)
    except DocumentError as error:
        return None, tuple(map(str, error.problems))
    heavy = too_heavy(rule, left)
    return rule, (str(heavy),) if heavy else ()


def _kept(rule: Rule | None, left: int) -> Rule | None:
    return None if rule is None or too_heavy(rule, left) else rule
