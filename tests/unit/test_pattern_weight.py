"""The weight of a regex is never less than what RE2 adds for counts, and not much more."""

import re

import pytest
import re2
from hypothesis import assume, given
from hypothesis import strategies as st

from bouncer.rules.condition import regex_options
from bouncer.rules.pattern_weight import HEAVIEST, check, weight

COUNTED = re.compile(r"\{[0-9]+(?:,[0-9]*)?\}")
FORGIVEN = 100  # steps
LETTERS = ["a", "k", "s", "7", "-", ".", "yz", "é", "ß", "€", "😀", r"\.", r"\x41", r"\x{1F600}"]
ESCAPES = [r"\d", r"\w", r"\W", r"\b", "^", r"\pL", r"\PN", r"\p{Greek}", r"\Qa.b\E"]
CLASSES = ["[a-f]", "[^x]", "[]x]", r"[^\]]", "[[:alpha:]_]", r"[\pL\d]", "[à-ý]", "[(|]"]
COUNTS = ["{2}", "{7}", "{1,4}", "{0,3}", "{2,}", "{0,9}", "{0}", "{1,20}", "{3,7}?"]


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    repeats = st.sampled_from([*COUNTS, *COUNTS, "*", "+", "?"])
    opened = st.sampled_from(["(", "(?:", "(?P<x>", "(?i:", "(?s)("])
    return (
        st.builds("{}{}".format, inner, inner)
        | st.builds("({}|{})".format, inner, inner)
        | st.builds("{}{}){}".format, opened, inner, repeats)
    )


patterns = st.recursive(st.sampled_from([*LETTERS, *ESCAPES, *CLASSES]), _larger, max_leaves=12)


def size(pattern: str) -> int:
    """The steps of RE2's program; whatever it refuses is not a pattern."""
    options = regex_options()
    options.max_mem = 1 << 24
    try:
        return int(re2.compile(pattern, options).programsize)
    except re2.error:
        assume(condition=False)
        return 0


@given(pattern=patterns)
def test_a_weight_is_never_less_than_what_counts_add(pattern: str) -> None:
    """RE2 says how large its program is, with the counts and with `+` in their place."""
    added = size(pattern) - size(COUNTED.sub("+", pattern))
    assert weight(pattern) >= added - FORGIVEN


@pytest.mark.parametrize(
    "pattern",
    [r"(\pL.{0,90}){1,9}", r"\pL{1,50}", ".{1,1000}", "[^a]{3,1000}", r"(\d{1,9}[a-z ]){1,60}"],
)
def test_a_heavy_pattern_weighs_little_more_than_it_adds(pattern: str) -> None:
    """So nearly all that RE2 could serve within the limit is taken."""
    added = size(pattern) - size(COUNTED.sub("+", pattern))
    assert weight(pattern) < 1.5 * added


@given(
    pattern=patterns | st.text(max_size=30) | st.text("(){}[]\\|*+?,0123456789Q^-:", max_size=30)
)
def test_what_re2_refuses_is_refused_as_it_says(pattern: str) -> None:
    """A pattern that is not compiled gets the same answer, save that its size is not looked at."""
    try:
        re2.compile(pattern, regex_options())
    except (re2.error, UnicodeEncodeError) as error:
        if "too large" in str(error) and weight(pattern) > HEAVIEST:
            return
        with pytest.raises(type(error), match=re.escape(str(error.args[0]))):
            check(pattern)
    else:
        check(pattern)


@pytest.mark.parametrize("count", [10, 15, 20, 24, 25])
@pytest.mark.parametrize(
    "form",
    [r"\pL{{1,{}}}", r"(\pL.{{0,39}}){{0,{}}}", r".{{1,{}00}}[^a]{{1,{}00}}", r"\pL{{{}}}\pN{{9}}"],
)
def test_what_is_light_enough_can_be_compiled(form: str, count: int) -> None:
    """A pattern that was only read has room in the memory that RE2 is given."""
    pattern = form.format(count, count)
    assert weight(pattern) > HEAVIEST or re2.compile(pattern, regex_options())


@pytest.mark.parametrize(
    "pattern", ["(" * 5_000 + ")" * 5_000 + "{9}", "(((" * 300 + "a" + ")))" * 300 + "{2}"]
)
def test_nested_groups_are_weighed_without_recursion(pattern: str) -> None:
    """RE2 refuses more than a thousand; the weight of others is found all the same."""
    assert weight(pattern) >= 0
