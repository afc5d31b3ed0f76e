"""A short input stands for a long one that repeats a part of it."""

import pytest

from tests.fuzz.repetition import repeated


@pytest.mark.parametrize(
    ("data", "size", "expected"),
    [
        (b"*a*bc*d", 7, b"abcbcd"),
        (b"*a*bc*d", 8, b"abcbcbcd"),
        (b"**x*", 3, b"xxx"),
        (b"*a*b*c*d", 6, b"abbc*d"),
        (b"*head*u*tail", 2, b"headtail"),
        (b"*a**c", 9, b"*a**c"),
        (b"a*b*c*d", 9, b"a*b*c*d"),
        (b"*a*b", 9, b"*a*b"),
        (b"", 9, b""),
    ],
)
def test_a_part_is_repeated(data: bytes, size: int, expected: bytes) -> None:
    """As often as it fits; what is not in this form stays as it is."""
    assert repeated(data, size) == expected
