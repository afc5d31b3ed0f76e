"""The look-up form of lists: exact answers, the same bytes for the same rows, no broken bytes."""

import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bouncer.rules.entry_table import EntryTable, EntryTableError, build_table

printable = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), max_size=8)
keys = st.sampled_from(["a", "ab", "b", "a@b", "\u00fc"]) | printable
cells = st.text(st.characters(codec="utf-8", exclude_characters="\t\n"), max_size=5)
tables = st.integers(0, 2).flatmap(
    lambda count: st.dictionaries(keys, st.tuples(*[cells] * count), max_size=40)
)


@settings(max_examples=60)
@given(tables, st.lists(st.text(max_size=12) | keys))
def test_answers_are_those_of_a_dictionary(
    rows: dict[str, tuple[str, ...]], asked: list[str]
) -> None:
    """Keys with separators and lone surrogates are asked for, too."""
    table = EntryTable(build_table(rows, {}))
    for key in (*asked, *rows, *(f"{key}\t" for key in rows), "\ud800"):
        found = rows.get(key)
        assert table.find(key) == (() if found == ("",) else found)
        assert (key in table) == (key in rows)


@settings(max_examples=30)
@given(tables, st.randoms(use_true_random=False))
def test_the_order_of_rows_makes_no_difference(
    rows: dict[str, tuple[str, ...]], draw: Random
) -> None:
    """So that the digest of a list is the same on any machine."""
    shuffled = list(rows.items())
    draw.shuffle(shuffled)
    assert build_table(dict(shuffled), {"a": 1}) == build_table(rows, {"a": 1})


def test_one_row_is_not_found_through_two_others() -> None:
    """A value of a mail cannot spell the end of one row and the beginning of the next."""
    table = EntryTable(build_table({f"k{n}": (f"v{n}",) for n in range(40)}, {}))
    for n in range(40):
        for other in range(40):
            assert table.find(f"k{n}\tv{n}\nk{other}") is None


WHOLE = build_table({"a": ("1",), "b": ("2",)}, {})


@pytest.mark.parametrize(
    "data",
    [
        *(WHOLE[:length] for length in (0, 1, 10, len(WHOLE) // 2, len(WHOLE) - 1)),
        WHOLE + b"x",
        b"\x89PNG\n",
        b"[]\n",
        json.dumps({"format": 1, "about": {}, "buckets": 0}).encode() + b"\n\0\0\0\0",
    ],
)
def test_broken_bytes_are_refused(data: bytes) -> None:
    """Loading says so; a broken list never answers."""
    with pytest.raises(EntryTableError, match=", expected "):
        EntryTable(data)


def test_another_version_is_named() -> None:
    """A form that a later version wrote is refused with both numbers."""
    later = WHOLE.replace(b'"format": 1', b'"format": 2')
    with pytest.raises(EntryTableError, match="found format 2, expected 1"):
        EntryTable(later)
