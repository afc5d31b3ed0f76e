"""The publisher names braked rules in the pointer until the ledger has them no more."""

from collections.abc import Callable
from typing import Any

import pytest

from bouncer.metric_names import Metric
from bouncer.publishing.occasion import Scope
from bouncer.publishing.revision_store import StoreError
from bouncer.sending.ledger_errors import LedgerError
from bouncer_sim.world.direct_client import DirectClient
from bouncer_sim.world.service_error import service_error
from tests.functions.publisher.published_world import PublishedWorld

LIMITED = "at_most: {bounces: 9, per: 1h}\nreject: {type: DoesNotExist}"


@pytest.fixture
def world() -> PublishedWorld:
    """A deployment with a rule in force."""
    world = PublishedWorld()
    world.put("rules/a", LIMITED)
    world.publish()
    return world


@pytest.mark.parametrize("scope", list(Scope))
def test_a_braked_rule_is_named_and_released(world: PublishedWorld, scope: Scope) -> None:
    """Each kind of run reads the ledger; the pointer says what it says."""
    world.ledger.rules = {"a", "gone"}
    assert world.publish(scope).braked == ("a", "gone")
    assert world.publish(scope).limits == {"a": (9, 3600)}
    world.ledger.rules.clear()
    assert world.publish(scope).braked == ()


def test_each_run_counts_the_braked_rules(world: PublishedWorld) -> None:
    """So that the alarm stays in ALARM until they are released."""
    world.ledger.rules = {"a", "b"}
    for _ in range(3):
        world.publish(Scope.SETTINGS)
    lines = world.lines("rules_braked")
    assert [(line["braked"], line[Metric.BRAKED_RULES]) for line in lines] == [
        (["a", "b"], [2])
    ] * 3
    world.ledger.rules.clear()
    world.publish(Scope.SETTINGS)
    assert len(world.lines("rules_braked")) == 3


@pytest.mark.parametrize("scope", list(Scope))
def test_rules_that_are_released_are_reported_once(world: PublishedWorld, scope: Scope) -> None:
    """A ledger that was emptied releases all of them, and must not do so without a word."""
    world.ledger.rules = {"a", "b", "c"}
    world.publish(scope)
    assert world.lines("rules_released") == []
    world.ledger.rules = {"b"}
    for _ in range(2):
        world.publish(scope)
    (line,) = world.lines("rules_released")
    assert (line["released"], line["level"]) == (["a", "c"], "WARNING")
    assert line[Metric.RELEASED_RULES] == [2]


def test_a_release_is_reported_when_the_pointer_has_moved(world: PublishedWorld) -> None:
    """A run that can't move it says nothing of a release: the rule is still braked."""
    world.ledger.rules = {"a"}
    world.publish()
    world.ledger.rules.clear()

    class Refusing(DirectClient):
        def put_object(self, **_: Any) -> dict[str, Any]:
            raise service_error("AccessDenied", status=403)

    with pytest.raises(StoreError):
        world.publisher(bucket=Refusing(world.bucket)).publish(Scope.SETTINGS)
    assert world.pointer().braked == ("a",)
    assert world.lines("rules_released") == []
    world.publish(Scope.SETTINGS)
    assert len(world.lines("rules_released")) == 1


def test_a_ledger_that_is_away_keeps_nothing_else_from_being_published(
    world: PublishedWorld,
) -> None:
    """A braked rule stays so, and the failure is reported; the kill switch works."""
    world.ledger.rules = {"a"}
    world.publish()
    world.ledger.down = LedgerError("away")
    world.put("settings", "mode: off")
    pointer = world.publish(Scope.SETTINGS)
    assert (str(pointer.settings.mode), pointer.braked) == ("off", ("a",))
    (line,) = world.lines("brakes_unread")
    assert line[Metric.PUBLISHER_ERRORS] == [1]


@pytest.mark.parametrize(
    "change",
    [
        lambda world: world.put("rules/a", "drop: {}"),
        lambda world: world.put("rules/a", "no rule"),
        lambda world: world.delete("rules/a"),
    ],
)
def test_a_braked_rule_stays_braked_whatever_it_becomes(
    world: PublishedWorld, change: Callable[[PublishedWorld], None]
) -> None:
    """By its name: changed, refused or deleted, until an operator releases it."""
    world.ledger.rules = {"a"}
    change(world)
    assert world.publish().braked == ("a",)
    world.put("rules/a", LIMITED)
    assert world.publish().braked == ("a",)
