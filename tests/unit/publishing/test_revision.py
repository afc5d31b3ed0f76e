"""A revision: one id for the same rules on any machine, and an object that can't be mistaken."""

import json
import random
import subprocess
import sys
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bouncer.rules.list_about import ListAbout
from bouncer.rules.list_kind import ListKind
from bouncer.rules.rule_reader import read_rule
from bouncer.sources.revision import (
    NO_RULES,
    ListInForce,
    RevisionError,
    read_revision,
    revision_of,
    revision_text,
)
from tests.unit.ruleset_mails import rulesets

ANSWERS = "reject: {type: Undefined, answer: [lists, unauthenticated, spam, truncated, automatic]}"


@settings(max_examples=50, suppress_health_check=list(HealthCheck))
@given(rulesets, st.randoms(use_true_random=False))
def test_the_order_of_documents_does_not_matter(
    found: dict[str, Any], chance: random.Random
) -> None:
    """The same rules have one id, the digest of one text, and are read again as they are."""
    rules = [read_rule(name, json.dumps(document)) for name, document in found.items()]
    revision = revision_of(rules)
    shuffled = list(rules)
    chance.shuffle(shuffled)
    assert revision_of(shuffled).id == revision.id
    text = revision_text(revision).encode()
    assert revision.id == sha256(text).hexdigest()
    assert read_revision(revision.id, text) == revision
    assert read_revision(revision.id, text).id == revision.id


def test_another_process_makes_the_same_id() -> None:
    """Python orders sets by a hash that differs between processes; the id does not follow it."""
    script = f"""
from bouncer.rules.list_about import ListAbout
from bouncer.rules.list_kind import ListKind
from bouncer.rules.rule_reader import read_rule
from bouncer.sources.revision import revision_of
print(revision_of([read_rule("a", {ANSWERS!r})]).id)
"""
    ids = {
        subprocess.run(  # noqa: S603  # our own interpreter
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert ids == {f"{revision_of([read_rule('a', ANSWERS)]).id}\n"}


def test_another_rule_makes_another_id() -> None:
    """All that a rule says is in the digest, the text of its refusal as well."""
    texts = (
        "drop: {}",
        "accept: {}",
        "mode: 'off'\ndrop: {}",
        ANSWERS,
        f"description: x\n{ANSWERS}",
    )
    ids = {revision_of([read_rule("a", text)]).id for text in texts}
    ids |= {revision_of([read_rule("b", "drop: {}")]).id, NO_RULES.id}
    assert len(ids) == len(texts) + 2


def test_lists_are_part_of_the_id() -> None:
    """A list that changed makes another revision of the same rules."""
    about = ListAbout(ListKind.DOMAINS, subdomains=True, columns=("why",), entries=7)
    listed = NO_RULES._replace(lists={"departed": ListInForce("0" * 64, 29, about)})
    assert listed.id != NO_RULES.id
    assert read_revision(listed.id, revision_text(listed).encode()) == listed


def test_a_changed_object_is_refused() -> None:
    """An object that was cut or replaced is not the revision of that id."""
    text = revision_text(NO_RULES).encode()
    for changed in (b"", text[:-1], text + b" ", b"{}"):
        with pytest.raises(RevisionError, match="found a changed object, expected the one of"):
            read_revision(NO_RULES.id, changed)


RULE = {"name": "a", "mode": "enforce", "action": "drop"}


@pytest.mark.parametrize(
    ("members", "says"),
    [
        (
            {"format": 2, "rules": [], "lists": {}},
            "found format 2, expected 1; deploy",
        ),
        ({"format": 1, "rules": [{}], "lists": {}}, "found a rule or list that can't be read"),
        (
            {
                "format": 1,
                "rules": [{"name": "a", "mode": "enforce", "action": "burn"}],
                "lists": {},
            },
            "'burn' is not a valid Action",
        ),
        (
            {
                "format": 1,
                "rules": [
                    {"name": "a", "mode": "off", "action": "drop", "condition": ["moon", "full"]}
                ],
                "lists": {},
            },
            "KeyError('moon')",
        ),
        *[
            ({"format": 1, "rules": [], "lists": {}} | members, "the unknown member 'share'")
            for members in (
                {"share": 10},
                {"rules": [RULE | {"share": 10}]},
                {"rules": [RULE | {"reject": {"type": "Undefined", "share": 10}}]},
                {"rules": [RULE | {"reject": {"dsn": {"share": 10}}}]},
                {"lists": {"a": {"share": 10}}},
            )
        ],
        *[
            (
                {"format": 1, "rules": [RULE | {"condition": [*more, "share"]}], "lists": {}},
                "found a rule or list that can't be read (",
            )
            for more in (
                ["text", "sender", "equals", "a"],
                ["network", "source_ip", "192.0.2.0/24"],
                ["not", ["present", "a"]],
                ["present", "a"],
                ["word", "spam", "pass"],
                ["number", "size", 1, 2],
            )
        ],
    ],
)
def test_a_revision_of_another_version_is_refused(members: dict[str, Any], says: str) -> None:
    """The sentence names the revision and what a reader of this version can't understand.

    A rule for a share of mails must not act on all of them in an older function.
    """
    text = json.dumps(members).encode()
    revision_id = sha256(text).hexdigest()
    with pytest.raises(RevisionError) as raised:
        read_revision(revision_id, text)
    assert str(raised.value).startswith(f"revision {revision_id[:12]}: found ")
    assert says in str(raised.value)
