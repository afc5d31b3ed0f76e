"""Warns about rules that are valid, but hardly do what their writers meant.

A warning is a `Problem` that refuses nothing. It is made from all rules in force, the settings and
the time, so that functions, doctor and replay report the same.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import pairwise

from bouncer.errors import Problem
from bouncer.mail.ascii_text import ascii_text
from bouncer.rules.condition import leaves
from bouncer.rules.document import show
from bouncer.rules.fields import COPIED
from bouncer.rules.rejection import Dsn, Template
from bouncer.rules.rule import Action, Mode, Rule

_NUMBER = re.compile(r"[0-9]+")
_ARTICLE = {Action.ACCEPT: "an accept", Action.REPLY: "a reply"}
_PLACEHOLDER = re.compile(r"\{[a-z]*\}")


def ruleset_warnings(
    rules: Iterable[Rule], *, ascii_only: bool, now: datetime
) -> tuple[Problem, ...]:
    """Return the warnings about rules in the order of their names; `ascii_only` is the setting."""
    ordered = sorted(rules, key=lambda rule: rule.name)
    each = (
        warning for rule in ordered for warning in _of_rule(rule, ascii_only=ascii_only, now=now)
    )
    return (*each, *_of_names(ordered), *_of_order(ordered))


def _of_rule(rule: Rule, *, ascii_only: bool, now: datetime) -> Iterator[Problem]:
    yield from rule.warnings
    if rule.ends is not None and rule.ends <= now:
        ended = f"{rule.ends:%Y-%m-%d %H:%M} UTC, which is past"
        yield _warning(rule, "until", ended, "a later time; the rule is not in force any more")
    if rule.document.endswith(".yml") and not rule.name.endswith(".yml"):
        expected = "the ending .yaml: bouncer takes both, but a loop over *.yaml does not"
        yield _warning(rule, "", "the ending .yml", expected)
    if rule.rejection is None:
        return
    if ascii_only:
        expected = "text in ASCII, or the setting ascii_only: false"
        yield from _of_text(rule, "reject.message", rule.rejection.message, expected)
    if isinstance(rule.rejection.reason, Dsn):
        diagnostic, expected = rule.rejection.reason.diagnostic, "text in ASCII"
        yield from _of_text(rule, "reject.diagnostic", diagnostic, expected)


def _of_text(rule: Rule, place: str, text: Template | None, expected: str) -> Iterator[Problem]:
    """Warn about a text that most letters are lost of when it is written in ASCII."""
    if text is None or text.text.isascii():
        return
    own = _PLACEHOLDER.sub("", text.text)
    letters = [char for char in own if char.isalpha()]
    lost = sum(ascii_text(char) == "?" for char in letters)
    if lost * 2 > len(letters):
        found = f"a text that is sent as {show(ascii_text(text.text.strip()))}"
        yield _warning(rule, place, found, expected)


def _of_names(ordered: list[Rule]) -> Iterator[Problem]:
    """Warn once if the numbers at the beginning of names say another order than that of text."""
    numbered = [(rule, match[0]) for rule in ordered if (match := _NUMBER.match(rule.name))]
    for (rule, number), (after, following) in pairwise(numbered):
        if int(number) > int(following):
            digits = max(len(each) for _, each in numbered)
            found = f"{rule.name} before {after.name}, as names are compared as text"
            expected = f"numbers of {digits} digits each, such as {following.zfill(digits)}"
            yield _warning(after, "", found, expected)
            return


def _of_order(ordered: list[Rule]) -> Iterator[Problem]:
    """Warn of accept and reply rules that a stranger can use to get past a rule behind them."""
    enforced = [rule for rule in ordered if rule.mode is Mode.ENFORCE]
    for number, rule in enumerate(enforced):
        behind = (each for each in enforced[number + 1 :] if not each.action.lets_through)
        if rule.action.lets_through and (field := _content_field(rule)):
            for stopping in behind:
                found = f"{_ARTICLE[rule.action]} rule that asks for {field} before {stopping.name}"
                expected = (
                    "rules that stop mail first: whoever writes a mail can make its content"
                    f" unknown, and an unknown {rule.action} rule lets it through"
                )
                yield _warning(rule, "", found, expected)
                break


def _content_field(rule: Rule) -> str | None:
    """Return the first field that a mail can be written to leave unknown, or None."""
    fields = (
        (getattr(leaf, "field", "") for leaf in leaves(rule.condition)) if rule.condition else ()
    )
    return next((field for field in fields if field in COPIED - {"size"}), None)


def _warning(rule: Rule, place: str, found: str, expected: str) -> Problem:
    document = rule.document or rule.name
    return Problem(document=document, place=place, line=None, found=found, expected=expected)
