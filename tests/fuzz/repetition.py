"""Repeats a part of a short input, so that fuzzers meet time that grows faster than length.

`*head*unit*tail` stands for the head, as many units as fit into a size, and the tail. A fuzzer that
mutates kilobytes hardly ever writes the same thing a thousand times.
"""

from hypothesis import strategies as st

_MARK = b"*"
_PARTS = 4  # nothing, head, unit, tail


def repeated(data: bytes, size: int) -> bytes:
    """Return the input that `data` stands for, of at most `size` bytes; others stay as they are."""
    parts = data.split(_MARK, _PARTS - 1)
    if len(parts) != _PARTS or parts[0]:
        return data
    _, head, unit, tail = parts
    room = size - len(head) - len(tail)
    return head + unit * max(room // len(unit), 0) + tail if unit else data


def repetitions(part: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Draw inputs that repeat something, made of three parts."""
    whole = st.tuples(part, part, part).map(_MARK.join)
    return whole.map(_MARK.__add__)
