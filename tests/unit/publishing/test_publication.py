"""The publisher's decision: documents, and what is in force before, make what is in force next."""

import json
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bouncer.operator_settings import Settings
from bouncer.publishing.list_forms import FormsInMemory
from bouncer.publishing.publication import (
    InForce,
    PublishingError,
    publication,
    settings_publication,
)
from bouncer.rules.bounce_limit import BounceLimit
from bouncer.rules.rule import Mode
from bouncer.sources.pointer import Pointer, pointer_text, read_pointer
from bouncer.sources.revision import read_revision, revision_text
from bouncer.sources.source import Document, Documents
from tests.unit.ruleset_mails import rulesets

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
DROP = "drop: {}"
ACCEPT = "accept: {}"
WRONG = "dorp: {}"


def document(name: str, text: str, *, modified: datetime | None = NOW) -> Document:
    return Document(f"/p/{name}", text, "1", modified=modified)


def written(rules: Mapping[str, str], **others: str) -> Documents:
    """Documents as they stand in SSM: rules, and the others by their names."""
    found = {name: document(f"rules/{name}", text) for name, text in rules.items()}
    settings, held, pushing = (
        document(name, others[name]) if name in others else None
        for name in ("settings", "held", "pushing")
    )
    return Documents(found, settings=settings, held=held, pushing=pushing)


def publish(
    documents: Documents,
    before: InForce | None = None,
    *,
    defaults: Settings | None = None,
    now: datetime = NOW,
) -> InForce:
    """Return the next state in force, after a journey through the objects of the bucket."""
    found = publication(
        documents, before, defaults=defaults or Settings(), now=now, forms=FormsInMemory()
    )
    pointer = read_pointer(pointer_text(found.pointer).encode())
    revision = read_revision(pointer.revision, revision_text(found.revision).encode())
    assert InForce(pointer, revision) == found
    return found


def names(found: InForce) -> list[str]:
    return [rule.name for rule in found.revision.rules]


def test_valid_documents_are_in_force() -> None:
    """The pointer names their revision, has the settings, and no problem."""
    found = publish(written({"b": DROP, "a": ACCEPT}, settings="mode: shadow"))
    assert names(found) == ["a", "b"]
    pointer = found.pointer._replace(serial=0, defaults="")
    assert pointer == Pointer(found.revision.id, Settings(mode=Mode.SHADOW))


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(
    rulesets,
    st.dictionaries(st.sampled_from("xyz"), st.sampled_from([WRONG, DROP, "{", "a: [b"])),
    st.randoms(use_true_random=False),
)
def test_the_order_of_documents_does_not_matter(
    found: dict[str, Any], others: dict[str, str], chance: random.Random
) -> None:
    """Valid and refused ones, however SSM lists them, make the same revision and pointer."""
    rules = {name: json.dumps(value) for name, value in found.items()} | others
    before = publish(written({"x": DROP, "y": ACCEPT, "old": DROP}))
    shuffled = list(rules.items())
    chance.shuffle(shuffled)
    assert publish(written(rules), before) == publish(written(dict(shuffled)), before)


def test_a_refused_rule_keeps_the_form_before() -> None:
    """The revision does not change, and the pointer says what is wrong and what is in force."""
    before = publish(written({"a": DROP, "b": ACCEPT}))
    after = publish(written({"a": WRONG, "b": ACCEPT}), before)
    assert after.revision == before.revision
    assert after.pointer.revision == before.pointer.revision
    assert after.pointer.problems == {
        "rules/a": (
            '/p/rules/a:1: dorp: found unknown key "dorp", expected drop',
            "/p/rules/a:1: found no action, expected exactly one of accept, reject, drop and reply",
            "/p/rules/a: the rule stays in force as it was before",
        )
    }
    again = publish(written({"a": WRONG, "b": ACCEPT}), after)
    assert again == after


def test_a_refused_rule_without_a_form_before_is_left_out() -> None:
    """The others are in force, and the pointer says so."""
    found = publish(written({"a": WRONG, "b": ACCEPT}))
    assert names(found) == ["b"]
    assert found.pointer.problems["rules/a"][-1] == (
        "/p/rules/a: this rule is left out until the document is corrected"
    )


def test_a_rule_that_was_ended_does_not_come_back() -> None:
    """After its document was deleted, a refused one of the same name finds no form before."""
    before = publish(written({"a": DROP}))
    ended = publish(written({}), before)
    assert names(publish(written({"a": WRONG}), ended)) == []


def test_a_mended_document_takes_the_problem_away() -> None:
    """The pointer has no memory of problems beyond the documents as they are."""
    before = publish(written({"a": WRONG}, settings="mode: moon", held="x"), publish(written({})))
    assert set(before.pointer.problems) == {"rules/a", "settings", "held"}
    assert publish(written({"a": DROP}), before).pointer.problems == {}


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(rulesets, st.data())
def test_whatever_is_refused_keeps_what_was_in_force(
    found: dict[str, Any], data: st.DataObject
) -> None:
    """Broken documents never change a rule, whichever they are; the others are as written."""
    rules = {name: json.dumps(value) for name, value in found.items()}
    before = publish(written(rules))
    broken = data.draw(st.sets(st.sampled_from(sorted(rules))))
    after = publish(written({**rules, **dict.fromkeys(broken, WRONG)}), before)
    assert after.revision == before.revision
    assert set(after.pointer.problems) == {f"rules/{name}" for name in broken}


def heavy(count: int) -> str:
    return json.dumps({"when": {"subject": {"regex": f"(\\pL.{{0,50}}){{1,{count}}}"}}, "drop": {}})


def test_rules_that_weigh_too_much_together_are_refused() -> None:
    """Each keeps its form before if that is lighter; one that fits is in force."""
    before = publish(written({"a": heavy(5), "b": DROP}))
    after = publish(written({"a": heavy(5), "b": heavy(7), "c": DROP}), before)
    assert after.pointer.problems["rules/b"][-1] == (
        "/p/rules/b: the rule stays in force as it was before"
    )
    assert "steps of counted repetitions in this rule" in after.pointer.problems["rules/b"][0]
    assert names(after) == ["a", "b", "c"]
    assert names(publish(written({"a": heavy(5), "b": heavy(7)}))) == ["a"]


def test_refused_settings_keep_the_settings_before() -> None:
    """And sending stays held by them as long as it was."""
    paused = written({}, settings="sending: paused\nmode: shadow")
    before = publish(paused)
    after = publish(written({}, settings="mode: moon"), before, now=NOW + timedelta(hours=1))
    assert after.pointer.settings == before.pointer.settings
    assert after.pointer.causes == before.pointer.causes
    assert [cause.since for cause in after.pointer.causes] == [NOW]
    assert after.pointer.problems["settings"][-1] == (
        "/p/settings: the settings stay in force as they were before"
    )


def test_refused_settings_without_any_before_publish_nothing() -> None:
    """The defaults may say enforce where the operator meant shadow, so nothing is in force."""
    with pytest.raises(PublishingError, match="/p/settings: nothing is in force before it"):
        publish(written({"a": DROP}, settings="mode: moon"))


def test_defaults_hold_where_settings_say_nothing() -> None:
    """They are those of the deployment; a start of theirs is not known."""
    defaults = Settings(sending=False, rate=0.5)
    found = publish(written({}, settings="mode: shadow"), defaults=defaults)
    assert found.pointer.settings == Settings(sending=False, rate=0.5, mode=Mode.SHADOW)
    assert [cause.since for cause in found.pointer.causes] == [None]


def test_a_held_document_that_is_refused_holds() -> None:
    """No bounce is the safe side, and the problem is reported."""
    found = publish(written({}, held="by: ["))
    assert [cause.why for cause in found.pointer.causes] == ["the document can't be read"]
    assert set(found.pointer.problems) == {"held"}


PUSHING = '{"id": "4f0c", "expires": "2026-11-27T08:20:00+00:00"}'


def test_no_half_of_a_push_is_in_force() -> None:
    """While it lasts only settings change; its end puts all of it in force."""
    before = publish(written({"a": DROP, "b": WRONG}))
    during = publish(written({"a": ACCEPT}, settings="mode: shadow", pushing=PUSHING), before)
    assert during.revision == before.revision
    assert during.pointer.settings.mode is Mode.SHADOW
    assert during.pointer.problems == before.pointer.problems
    after = publish(written({"a": ACCEPT}), during)
    assert [rule.action for rule in after.revision.rules] == ["accept"]


def test_a_push_before_the_first_revision_has_no_rules_yet() -> None:
    """An empty revision accepts every mail."""
    assert names(publish(written({"a": DROP}, pushing=PUSHING))) == []


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        (PUSHING, 20),
        ('{"id": "4f0c", "expires": "2026-11-27T10:20:00+02:00"}', 20),
        ('{"id": "4f0c", "expires": "0001-01-01T00:00:00+14:00"}', 30),
        ('{"id": "4f0c", "expires": "2027-11-27T08:20:00+00:00"}', 30),
        ('{"id": "4f0c", "expires": "2026-11-27T08:20:00"}', 30),
        ('{"id": "4f0c", "expires": "soon"}', 30),
        ('{"id": "", "expires": "2026-11-27T08:20:00+00:00"}', 30),
        ("half of it", 30),
    ],
)
def test_a_push_that_was_never_ended_expires(text: str, minutes: int) -> None:
    """Half an hour after it was written at the latest, whatever it says; then it is a problem."""
    before = publish(written({"a": DROP}))
    half = written({"a": ACCEPT}, pushing=text)
    last = NOW + timedelta(minutes=minutes) - timedelta(seconds=1)
    assert publish(half, before, now=last).revision == before.revision
    over = publish(half, before, now=last + timedelta(seconds=1))
    assert over.revision != before.revision
    said = over.pointer.problems["pushing"][-1]
    assert said.startswith("/p/pushing: found the end of a push that was due at 2026-11-27 08:")
    assert said.endswith("UTC, expected none: push again, or delete this parameter")


def test_a_push_of_unknown_time_that_is_unreadable_holds_nothing() -> None:
    """Nothing says when it would end, so rules would stay as they are for ever."""
    documents = Documents({"a": document("rules/a", DROP)}, pushing=Document("pushing", "x"))
    assert names(publish(documents)) == ["a"]


def test_settings_alone_leave_the_rules() -> None:
    """The run of every minute changes settings and causes, and keeps the problems of rules."""
    documents = written({"a": WRONG, "b": DROP}, settings="mode: shadow", pushing=PUSHING)
    before = publish(documents, now=NOW + timedelta(hours=1))
    pointer = before.pointer._replace(braked=("b",))
    now = NOW + timedelta(hours=1)
    documents = written({}, held="x", pushing=PUSHING)
    after = settings_publication(documents, pointer, defaults=Settings(), now=now)
    assert after.revision == pointer.revision
    assert after.settings == Settings()
    assert set(after.problems) == {"rules/a", "pushing", "held"}
    assert after.braked == ("b",)
    last = settings_publication(written({}), after, defaults=Settings(), now=now)
    assert (last.causes, set(last.problems)) == ((), {"rules/a"})


def test_a_braked_rule_stays_braked() -> None:
    """Neither another form nor the end of the rule releases its name: only an operator does."""
    first = publish(written({"a": DROP, "b": DROP}))
    braked = first._replace(pointer=first.pointer._replace(braked=("a",)))
    assert publish(written({"a": ACCEPT}), braked).pointer.braked == ("a",)
    assert publish(written({"b": DROP}), braked).pointer.braked == ("a",)


def test_the_pointer_has_the_limits_of_rules() -> None:
    """The worker, which reads no rules, finds `at_most` there, of rules in any mode."""
    limited = "at_most: {bounces: 7, per: 10m}\nreject: {type: DoesNotExist}"
    found = publish(written({"a": limited, "b": f"mode: off\n{limited}", "c": DROP}))
    assert found.pointer.limits == {"a": BounceLimit(7, 600), "b": BounceLimit(7, 600)}
    kept = settings_publication(written({}), found.pointer, defaults=Settings(), now=NOW)
    assert kept.limits == found.pointer.limits
