"""Short forms of texts for a narrow table, each still telling its text from the others.

An address keeps the start of its local part and the end of its domain, a rule the number that its
name begins with, a mail its number within an mbox.
"""

import re
from collections.abc import Callable

from rich.cells import cell_len, set_cell_size

from bouncer.rules.rule import Action

_CUT = "\N{HORIZONTAL ELLIPSIS}"
_LEAST_OF_LOCAL_PART = 3
_LEAST_OF_RULE = 9
_EXTENSION = re.compile(r"(?<=.)\.[A-Za-z0-9]{1,5}$")
_NUMBER = re.compile(r"(?:#[0-9]{1,9}){1,2}$")  # of a mail in an mbox, of a line and its record
_MOST_REMEMBERED = 20_000  # strangers choose how many addresses there are
# A decision and the name of its rule, and the sign that may follow the name.
_RULE = re.compile(rf"((?:\d+x )?(?:{'|'.join(Action)}) )([^\s,()]+)([,)]?)")


class ShortForms:
    """The forms that one column has shown: two texts of at most 20,000 never have the same one."""

    def __init__(self, cut: Callable[[str, int], str]) -> None:
        self._cut = cut
        self._texts: dict[str, str] = {}

    def of(self, text: str, most: int) -> str:
        """Return a form of at most `most` columns; if each is another text's, the whole text."""
        if cell_len(text) <= most:
            return text
        form = self._cut(text, most)
        if self._is_free(form, text):
            return form
        form = _around(text, self._texts[form], most)
        return form if form and self._is_free(form, text) else text

    def _is_free(self, form: str, text: str) -> bool:
        if len(self._texts) > _MOST_REMEMBERED:
            self._texts.clear()
        return self._texts.setdefault(form, text) == text


def cut_address(text: str, most: int) -> str:
    """Return an address without the end of its local part, or without its middle."""
    local, at, domain = text.rpartition("@")
    room = most - cell_len(f"{_CUT}@{domain}")
    if at and room >= _LEAST_OF_LOCAL_PART:
        return f"{_start(local, room)}{_CUT}@{domain}"
    return _middle_cut(text, most, of_end=0.6)


def cut_rule(text: str, most: int) -> str:
    """Return the name of a rule without its middle."""
    return _middle_cut(text, most, of_end=0.4)


def cut_source(text: str, most: int) -> str:
    """Return a source without its folders, without its name's extension, then without its middle.

    The beginning of a name may hold a number; the number within an mbox is not cut.
    """
    folders = text.split("/")
    for first in range(1, len(folders)):
        rest = "/".join([_CUT, *folders[first:]])
        if cell_len(rest) <= most:
            return rest
    name = folders[-1]
    number = _NUMBER.search(name)
    end = f"{_CUT}{number[0]}" if number else ""
    if not end or len(end) >= most:
        return _fitted(_EXTENSION.sub("", name), most)
    stem = _EXTENSION.sub("", _NUMBER.sub("", name))
    return _start(stem, most - len(end)) + end


def short_decision(text: str, most: int, rules: ShortForms) -> str:
    """Return decisions with the names of their rules cut so that each fits in a line.

    Where a name would have too little room beside its verb, it goes on a line of its own.
    """

    def short(found: re.Match[str]) -> str:
        verb, name, sign = found.groups()
        room = most - len(verb) - len(sign)
        return verb + rules.of(name, room if room >= _LEAST_OF_RULE else most - len(sign)) + sign

    return text if cell_len(text) <= most else _RULE.sub(short, text)


def _around(text: str, other: str, most: int) -> str:
    """Return a form with the place where a text differs from another, or ""."""
    if not text.isascii():
        return ""
    pairs = zip(text, other, strict=False)
    place = next((at for at, (ours, theirs) in enumerate(pairs) if ours != theirs), len(other))
    start = text[:2] + _CUT
    part = text[max(place, len(start)) :]
    room = most - len(start)
    return start + (part if len(part) <= room else part[: room - 1] + _CUT)


def _fitted(text: str, most: int) -> str:
    return text if cell_len(text) <= most else _middle_cut(text, most, of_end=0.4)


def _middle_cut(text: str, most: int, *, of_end: float) -> str:
    end = int((most - 1) * of_end)
    return f"{_start(text, most - 1 - end)}{_CUT}{_end(text, end)}"


def _start(text: str, most: int) -> str:
    return set_cell_size(text, max(most, 0)).rstrip(" ")


def _end(text: str, most: int) -> str:
    return _start(text[::-1], most)[::-1]
