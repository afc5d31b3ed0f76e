r"""Weighs the regexes of rules: counted repetitions make every mail slow.

RE2 writes `(\pL.{0,90}){1,9}` out as a program of 18,000 steps, and walks through most of them for
each character of a text. Ordinary patterns, and long lists of words, weigh nothing.

To compile 500 such patterns takes seconds. So a pattern is weighed as it is written: only its
letters and classes are compiled, each kind once. The weight is mostly a little more than what RE2
adds, and never less by 100 steps.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

import re2

from bouncer.errors import Problem
from bouncer.rules.condition import Matcher, Text, leaves, regex_options
from bouncer.rules.rule import Mode, Rule

# Steps of RE2's program. A text of 10 KB costs up to 0.45 s of a whole core with these.
HEAVIEST = 15_000

_FORGIVEN = 80  # steps of each pattern: a few digits or letters, counted
_LIGHT = 2_000  # steps whose compilation takes less than a millisecond
_SURELY_COMPILES = 40_000  # RE2 takes some 43,000 with the memory that it is given
_MEMORY_TO_READ = 16_000  # bytes, with which RE2 reads a pattern but stops early to compile it
_TOO_LARGE = "pattern too large"

_COUNTED = re.compile(r"\{[0-9]")
_ESCAPE = r"\\(?:[pPx]\{[^}]*\}|x[0-9A-Fa-f]{2}|[0-7]{1,3}|[pP].|.)"
# The parts of a pattern, as far as they add steps (github.com/google/re2/wiki/Syntax).
_PARTS = re.compile(
    r"\\Q(?P<quoted>.*?)(?:\\E|$)"
    r"|\(\?[imsU-]+\)"  # flags
    r"|(?P<open>\((?:\?(?:P?<\w+>|[imsU-]*:))?)"
    r"|(?P<close>\))"
    r"|(?P<alternative>\|)"
    r"|\{(?:(?P<exactly>[0-9]+)|(?P<least>[0-9]+),|[0-9]+,(?P<most>[0-9]+))\}"
    r"|(?P<repeat>[*+?])"
    rf"|(?P<atom>\[\^?\]?(?:\[:\^?\w+:\]|{_ESCAPE}|[^\]\\])*\]|{_ESCAPE}|.)",
    re.DOTALL,
)
_OF_A_CHOICE = 2  # steps that go on in one of two places


def check(pattern: str) -> None:
    """Raise `re2.error` if RE2 refuses a regex; one that weighs much is read, but not compiled."""
    options, steps = regex_options(), weight(pattern)
    heavy = steps > HEAVIEST or (steps > _LIGHT and _size(pattern, counted=True) < _SURELY_COMPILES)
    if heavy:
        options.max_mem = _MEMORY_TO_READ
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        if not (heavy and _TOO_LARGE in str(error)):
            raise


@lru_cache(maxsize=10_000)
def weight(pattern: str) -> int:
    """Return the steps that counted repetitions add to a regex, if they are many."""
    if not _COUNTED.search(pattern):
        return 0
    added = _size(pattern, counted=True) - _size(pattern, counted=False)
    return max(0, added - _FORGIVEN)


def _size(pattern: str, *, counted: bool) -> int:
    """Return the steps of a regex, or of the same one with `+` in place of each count."""
    outer: list[int] = []
    before, last = 0, 0  # in the innermost group: all but its last part, and that part
    for part in _PARTS.finditer(pattern):
        match part.lastgroup:
            case "atom":
                before, last = before + last, _atom_size(part[0])
            case "quoted":
                before, last = before + last, sum(map(_atom_size, map(re.escape, part["quoted"])))
            case "alternative":
                before, last = before + last + _OF_A_CHOICE, 0
            case "open":
                outer.append(before + last)
                before, last = 0, 0
            case "close":
                before, last = outer.pop() if outer else 0, before + last + _OF_A_CHOICE
            case "exactly" | "least" | "most" if counted:
                last = _repeated_size(last, part)
            case "exactly" | "least" | "most" | "repeat":
                last += _OF_A_CHOICE
    return before + last


def _repeated_size(size: int, count: re.Match[str]) -> int:
    """Return the steps of a part that is written out as often as a count says."""
    if count["exactly"]:
        return size * max(int(count["exactly"]), 1)
    if count["most"]:
        return (size + _OF_A_CHOICE) * max(int(count["most"]), 1)
    return size * max(int(count["least"]), 1) + _OF_A_CHOICE


@lru_cache(maxsize=10_000)
def _atom_size(atom: str) -> int:
    """Return the steps that a letter or a class adds to a regex that has one already."""
    try:
        once, twice = (re2.compile(atom * times, regex_options()) for times in (1, 2))
    except (re2.error, UnicodeEncodeError):
        return 1  # RE2 refuses the whole pattern
    return max(int(twice.programsize) - int(once.programsize), 1)


def light_enough(
    rules: Iterable[Rule], earlier: Callable[[Rule], Iterable[Rule]]
) -> tuple[list[Rule], list[Problem]]:
    """Return rules whose regexes weigh at most `HEAVIEST` together, and a problem for each other.

    Rules are taken in the order of their names; those in mode off weigh nothing. In place of a rule
    that is too heavy stands the first of its `earlier` forms that is not.
    """
    kept, problems, left = [], [], HEAVIEST
    for rule in sorted(rules, key=lambda each: each.name):
        form: Rule | None = rule
        if _rule_weight(rule) > left:
            problems.append(_problem(rule, left))
            form = next((each for each in earlier(rule) if _rule_weight(each) <= left), None)
        if form:
            kept.append(form)
            left -= _rule_weight(form)
    return kept, problems


def _rule_weight(rule: Rule) -> int:
    """Return the weight of all regexes of a rule, each once."""
    return sum(map(_weight_of, _regexes(rule)))


def _regexes(rule: Rule) -> set[Text]:
    if rule.mode is Mode.OFF or rule.condition is None:
        return set()
    texts = (leaf for leaf in leaves(rule.condition) if isinstance(leaf, Text))
    return {leaf for leaf in texts if leaf.matcher is Matcher.REGEX}


def _weight_of(leaf: Text) -> int:
    return weight(leaf.pattern)


def _problem(rule: Rule, left: int) -> Problem:
    heaviest, total = max(_regexes(rule), key=_weight_of), _rule_weight(rule)
    return Problem(
        document=rule.document or rule.name,
        place=heaviest.field,
        line=None,
        found=f"{heaviest} and {total} steps of counted repetitions in this rule",
        expected=f"at most {left} steps, as all rules together may have {HEAVIEST}: write + for"
        " {1,50}, or fewer such patterns",
    )
