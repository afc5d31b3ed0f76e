"""A revision: the rules that are in force together, as one immutable object in S3.

Its id is the digest of its text, and the text is the same for the same rules on any machine. So a
reader knows that it has the revision which the pointer names, whole. Settings stand in the pointer.
"""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from operator import attrgetter
from typing import NamedTuple

from bouncer.errors import BouncerError
from bouncer.rules.rule import Mode, Rule
from bouncer.rules.rule_json import rule_of, rule_values

FORMAT = 1
READABLE = (FORMAT,)  # a later format is read beside the one before it


class RevisionError(BouncerError):
    """A revision is missing or can't be read; the text names it."""


class Revision(NamedTuple):
    """Rules in the order of their names, modes off included.

    `lists` has the digest of each list's look-up form that the rules name.
    """

    rules: tuple[Rule, ...]
    lists: Mapping[str, str] = {}

    @property
    def active(self) -> tuple[Rule, ...]:
        """The rules that are not in mode off."""
        return tuple(rule for rule in self.rules if rule.mode is not Mode.OFF)

    @property
    def id(self) -> str:
        """The digest of the text: 64 hexadecimal digits."""
        return _digest(revision_text(self))


NO_RULES = Revision(())


def revision_of(rules: Iterable[Rule]) -> Revision:
    """Return the revision of these rules, in whatever order they are given."""
    return Revision(tuple(sorted(rules, key=attrgetter("name"))))


def revision_key(revision_id: str) -> str:
    """Return the key of a revision's object in the bucket."""
    return f"revisions/{revision_id}.json"


def revision_text(revision: Revision) -> str:
    """Return a revision as ASCII JSON; `read_revision` reads it again."""
    rules = [rule_values(rule) for rule in revision.rules]
    members = {"format": FORMAT, "rules": rules, "lists": dict(revision.lists)}
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
        rules = tuple(map(rule_of, members["rules"]))
    except (KeyError, ValueError, TypeError, IndexError) as error:
        found = f"found a rule that can't be read ({error!r:.200}), expected rules of format"
        raise RevisionError(f"{name}: {found} {FORMAT}") from error
    return Revision(rules, members["lists"])


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
