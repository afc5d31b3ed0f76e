"""Doubts about the lists that rules name: one is missing, or is not as a rule needs it.

The rules stay in force. The conditions concerned are neither true nor false; `Ruleset` says what
becomes of them.
"""

from collections.abc import Iterable, Iterator, Mapping

from bouncer.errors import Problem
from bouncer.rules.condition import HEADER, Member, leaves
from bouncer.rules.fields import FIELDS, Kind
from bouncer.rules.list_about import ListAbout
from bouncer.rules.list_kind import ASKED_BY
from bouncer.rules.rule import Mode, Rule


def named_lists(rules: Iterable[Rule]) -> list[str]:
    """Return the names of all lists that rules in mode enforce or shadow ask, in their order."""
    return sorted({member.name for rule in rules for member in _members(rule)})


def list_warnings(rules: Iterable[Rule], lists: Mapping[str, ListAbout]) -> Iterator[Problem]:
    """Yield a doubt for each question of a rule that its list can't answer."""
    for rule in rules:
        for member in dict.fromkeys(_members(rule)):
            if slip := _slip(member, lists.get(member.name)):
                document, (found, expected) = rule.document or rule.name, slip
                place = f"{member.field}.in"
                yield Problem(
                    document=document, place=place, line=None, found=found, expected=expected
                )


def _members(rule: Rule) -> Iterator[Member]:
    if rule.condition is not None and rule.mode is not Mode.OFF:
        yield from (leaf for leaf in leaves(rule.condition) if isinstance(leaf, Member))


def _slip(member: Member, about: ListAbout | None) -> tuple[str, str] | None:
    """Return what was found and what was expected if a list is not as a rule needs it."""
    if about is None:
        return f"no list {member.name}", "one: without it this condition is unknown"
    kinds = ASKED_BY[Kind.HEADER if member.field.startswith(HEADER) else FIELDS[member.field].kind]
    if about.kind not in kinds:
        return f"list {member.name} of {about.kind}", f"a list of {' or '.join(kinds)}"
    gone = [name for name in member.columns if name not in about.columns]
    return (f"list {member.name} without {gone[0]}", f"the column {gone[0]}") if gone else None
