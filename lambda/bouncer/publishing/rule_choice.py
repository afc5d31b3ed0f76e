"""Chooses the rules of the next revision: what documents say, or what was in force before.

A refused document keeps the form that its rule had in the revision before, or its rule is left out.
Older versions are never searched: they could bring back a rule that somebody ended.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from bouncer.errors import DocumentError
from bouncer.rules.pattern_weight import light_enough
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
    problems: dict[str, tuple[str, ...]] = {}
    valid: list[Rule] = []
    for name, document in sorted(documents.items()):
        try:
            valid.append(read_rule(name, document.plain_text, document=document.label))
        except DocumentError as error:
            problems[f"{RULES}{name}"] = tuple(map(str, error.problems))
            valid.extend(_form(earlier, name))
    rules, heavy = light_enough(valid, lambda rule: _form(earlier, rule.name))
    names = {document.label: name for name, document in documents.items()}
    for problem in heavy:
        name = f"{RULES}{names.get(problem.document, problem.document)}"
        problems[name] = (*problems.get(name, ()), str(problem))
    return Chosen(tuple(rules), problems)


def _form(earlier: Mapping[str, Rule], name: str) -> tuple[Rule, ...]:
    """Return the form that a rule had before, if it had one."""
    return (earlier[name],) if name in earlier else ()
