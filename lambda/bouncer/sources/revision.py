"""A revision: the rules that are in force together, as one immutable object in S3.

Its id is the digest of its text, and the text is the same for the same rules and lists on any
machine. So a reader knows that it has the revision which the pointer names, whole. Of a list it has
the description and the digest of its look-up form, which is an object of its own. Settings stand in
the pointer.
"""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from bouncer.errors import BouncerError
from bouncer.rules.known_members import expect_known
from bouncer.rules.rule import Mode, Rule
from bouncer.rules.rule_json import rule_of, rule_values

if TYPE_CHECKING:  # what describes lists takes time to import, and few deployments have one
    from bouncer.rules.list_about import ListAbout

FORMAT = 1
READABLE = (FORMAT,)  # a later format is read beside the one before it


class RevisionError(BouncerError):
    """A revision is missing or can't be read; the text names it."""


class ListInForce(NamedTuple):
    """A list in look-up form: the digest of its object, its size in bytes, and its description."""

    digest: str
    size: int
    about: "ListAbout"


class Revision(NamedTuple):
    """Rules in the order of their names, modes off included, and the lists that they name."""

    rules: tuple[Rule, ...]
    lists: Mapping[str, ListInForce] = {}

    @property
    def active(self) -> tuple[Rule, ...]:
        """The rules that are not in mode off."""
        return tuple(rule for rule in self.rules if rule.mode is not Mode.OFF)

    @property
    def id(self) -> str:
        """The digest of the text: 64 hexadecimal digits."""
        return _digest(revision_text(self))


NO_RULES = Revision(())


def revision_of(rules: Iterable[Rule], lists: Mapping[str, ListInForce] | None = None) -> Revision:
    """Return the revision of these rules, in whatever order they are given."""
    return Revision(tuple(sorted(rules, key=attrgetter("name"))), lists or {})


def revision_key(revision_id: str) -> str:
    """Return the key of a revision's object in the bucket."""
    return f"revisions/{revision_id}.json"


def list_key(digest: str) -> str:
    """Return the key of a list's look-up form in the bucket."""
    return f"lists/{digest}"


def revision_text(revision: Revision) -> str:
    """Return a revision as ASCII JSON; `read_revision` reads it again."""
    rules = [rule_values(rule) for rule in revision.rules]
    lists = {name: _list_values(found) for name, found in revision.lists.items()}
    members = {"format": FORMAT, "rules": rules, "lists": lists}
    return json.dumps(members, sort_keys=True, separators=(",", ":"))


def read_revision(revision_id: str, text: bytes) -> Revision:
    """Return the revision in an object; raises `RevisionError` unless it is the one of this id."""
    name = f"revision {revision_id:.12}"
    if sha256(text).hexdigest() != revision_id:
        raise RevisionError(f"{name}: found a changed object, expected the one of this digest")
    members = json.loads(text)
    if members["format"] not in READABLE:
        found = f"found format {members['format']}, expected {FORMAT}"
        raise RevisionError(f"{name}: {found}; deploy the functions again, all of one version")
    try:
        expect_known(members, ("format", "rules", "lists"))
        rules = tuple(map(rule_of, members["rules"]))
        lists = {name: _list_of(found) for name, found in members["lists"].items()}
    except (KeyError, ValueError, TypeError, IndexError) as error:
        found = (
            f"found a rule or list that can't be read ({error!r:.200}), expected those of format"
        )
        raise RevisionError(f"{name}: {found} {FORMAT}") from error
    return Revision(rules, lists)


def _list_values(found: ListInForce) -> dict[str, Any]:
    about = found.about
    return {
        "digest": found.digest,
        "bytes": found.size,
        "kind": str(about.kind),
        "subdomains": about.subdomains,
        "columns": list(about.columns),
        "count": about.entries,
    }


_LIST_MEMBERS = ("digest", "bytes", "kind", "subdomains", "columns", "count")


def _list_of(values: Mapping[str, Any]) -> ListInForce:
    expect_known(values, _LIST_MEMBERS)
    from bouncer.rules.list_about import ListAbout  # noqa: PLC0415  # see above
    from bouncer.rules.list_kind import ListKind  # noqa: PLC0415

    about = ListAbout(
        kind=ListKind(values["kind"]),
        subdomains=values["subdomains"],
        columns=tuple(values["columns"]),
        entries=values["count"],
    )
    return ListInForce(values["digest"], values["bytes"], about)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
