"""Chooses the lists of the next revision: those that its rules name, as documents have them.

A refused list keeps the form that it had in the revision before, as refused rules do. A list that
nobody wrote is left out: the conditions that ask it are then unknown.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import NamedTuple

from bouncer.errors import DocumentError, Problem
from bouncer.publishing.list_forms import ListForms
from bouncer.publishing.rule_choice import Problems
from bouncer.sources.revision import ListInForce
from bouncer.sources.source import LISTS, WrittenList

# Of all look-up forms together, in bytes: 1.6 million addresses. The intake has 256 MB, and for a
# moment the lists of two revisions.
MOST_BYTES = 48_000_000


class InForceBefore(NamedTuple):
    """The lists of the revision before, and the digests of what they were made of."""

    lists: Mapping[str, ListInForce] = {}
    sources: Mapping[str, str] = {}


class ListsChosen(NamedTuple):
    """The lists, what each was made of, and the problems of refused ones (`lists/NAME`)."""

    lists: Mapping[str, ListInForce]
    sources: Mapping[str, str]
    problems: Problems


def chosen_lists(
    names: Iterable[str],
    documents: Mapping[str, WrittenList],
    before: InForceBefore,
    forms: ListForms,
) -> ListsChosen:
    """Return the lists of these names, in their order, until they are too large together.

    Raises `SourceError` if a list can't be read now, and what `forms` raises.
    """
    lists: dict[str, ListInForce] = {}
    sources: dict[str, str] = {}
    problems: dict[str, tuple[str, ...]] = {}
    for name in sorted(names):
        written = documents.get(name)
        if written is None:
            continue
        left = MOST_BYTES - sum(found.size for found in lists.values())
        try:
            lists[name], sources[name] = _made(written, left, forms), written.digest
        except DocumentError as error:
            problems[f"{LISTS}{name}"] = tuple(map(str, error.problems))
            if name in before.lists and before.lists[name].size <= left:
                lists[name], sources[name] = before.lists[name], before.sources.get(name, "")
    return ListsChosen(lists, sources, problems)


def _made(written: WrittenList, left: int, forms: ListForms) -> ListInForce:
    """Return a list in look-up form, which is kept; raises `DocumentError`."""
    source = written.digest
    found = forms.find(source) if source else None
    if found is None:
        about, form, _ = written.read()
        about = about._replace(prefixes=(), longest=1)  # for look-ups alone: the form has them
        found = ListInForce(sha256(form).hexdigest(), len(form), about)
        forms.keep(source, found, form)
    _refuse_large(written, found, left)
    return found


def _refuse_large(written: WrittenList, found: ListInForce, left: int) -> None:
    if found.size > left:
        problem = Problem(
            document=written.label,
            place="",
            line=None,
            found=f"{found.size:,} bytes in look-up form",
            expected=f"at most {left:,}: all lists that rules name have {MOST_BYTES:,} together",
        )
        raise DocumentError((problem,))
