"""The publisher during a push: settings change, and rules when it has ended."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from bouncer.publishing.occasion import Scope
from bouncer.publishing.one_moment import ChangedError
from bouncer.publishing.publication import PublishingError
from bouncer.rules.rule import Mode
from bouncer.sources.pointer import POINTER_KEY
from bouncer.sources.revision import revision_key
from bouncer_sim.world.direct_client import DirectClient
from tests.functions.publisher.published_world import PublishedWorld

PUSHING = '{"id": "1", "expires": "2026-11-27T08:30:00+00:00"}'


@pytest.fixture
def world() -> PublishedWorld:
    return PublishedWorld()


def names(world: PublishedWorld) -> list[str]:
    return [rule.name for rule in world.revision().rules]


def test_a_push_is_in_force_when_it_ends(world: PublishedWorld) -> None:
    """Runs meanwhile publish settings only."""
    world.put("rules/a", "drop: {}")
    world.publish()
    world.put("pushing", PUSHING)
    world.delete("rules/a")
    world.put("settings", "mode: shadow")
    assert world.publish().settings.mode is Mode.SHADOW
    assert names(world) == ["a"]
    world.put("rules/b", "drop: {}")
    world.delete("pushing")
    world.publish()
    assert names(world) == ["b"]


def test_rules_are_not_read_while_they_are_pushed(world: PublishedWorld) -> None:
    """Each change calls the publisher, which would take SSM's reads from everybody else."""
    world.put("rules/a", "drop: {}")
    world.publish()
    world.put("pushing", PUSHING)
    service = world.parameters

    class Unread:
        def get_parameters(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
            return service.get_parameters(arguments)

    world.publisher(parameters=DirectClient(Unread())).publish(Scope.EVERYTHING)
    world.delete("pushing")
    with pytest.raises(AttributeError):
        world.publisher(parameters=DirectClient(Unread())).publish(Scope.EVERYTHING)


class PushBegins(DirectClient):
    """A client of SSM before whose first page a push begins."""

    def __init__(self, world: PublishedWorld) -> None:
        super().__init__(world.parameters)
        self._world = world

    def get_parameters_by_path(self, **arguments: Any) -> dict[str, Any]:
        self._world.put("pushing", PUSHING)
        return self.__getattr__("get_parameters_by_path")(**arguments)


def test_a_push_that_begins_meanwhile_leaves_a_broken_revision(world: PublishedWorld) -> None:
    """As one that was there before; a pointer that can't be read stays, too."""
    world.put("rules/a", "drop: {}")
    before = world.publish()
    del world.bucket.objects[revision_key(before.revision)]
    world.publisher(parameters=PushBegins(world)).publish(Scope.EVERYTHING)
    assert world.pointer().revision == before.revision
    world.delete("pushing")
    world.bucket.objects[POINTER_KEY] = b"{"
    with pytest.raises(PublishingError, match=r"current-v1: found .*when the push has ended"):
        world.publisher(parameters=PushBegins(world)).publish(Scope.EVERYTHING)


@pytest.mark.parametrize("text", [None, b"", b"{}"])
def test_a_push_leaves_a_broken_revision_as_it_is(
    world: PublishedWorld, text: bytes | None
) -> None:
    """No empty revision takes the place of rules that warm functions still have."""
    world.put("rules/a", "drop: {}")
    before = world.publish()
    world.bucket.change(revision_key(before.revision), text)
    world.put("pushing", PUSHING)
    world.put("settings", "mode: 'off'")
    during = world.publish()
    assert (during.revision, during.settings.mode) == (before.revision, Mode.OFF)
    assert world.lines("object_mended") == []
    world.delete("pushing")
    assert world.publish().revision == before.revision
    assert len(world.lines("object_mended")) == 1
    assert names(world) == ["a"]


@pytest.mark.parametrize("text", [b"", b"{", b'{"format": 99}'])
def test_a_push_leaves_a_broken_pointer_as_it_is(world: PublishedWorld, text: bytes) -> None:
    """It would name no rules; functions keep what they read last until the push has ended."""
    world.put("rules/a", "drop: {}")
    before = world.publish()
    world.bucket.objects[POINTER_KEY] = text
    world.put("pushing", PUSHING)
    for scope in Scope:
        with pytest.raises(PublishingError, match=r"current-v1: found .*when the push has ended"):
            world.publisher().publish(scope)
    assert world.bucket.objects[POINTER_KEY] == text
    world.delete("pushing")
    assert world.publish().revision == before.revision


def test_a_push_into_an_empty_bucket_has_no_rules_yet(world: PublishedWorld) -> None:
    """Settings are in force, and the rules when the push has ended."""
    world.put("rules/a", "drop: {}")
    world.put("pushing", PUSHING)
    world.publish()
    assert names(world) == []


def test_parameters_that_never_rest_are_left_to_the_next_run(world: PublishedWorld) -> None:
    """Somebody writes a rule before each call of SSM, and no push: its error is journalled."""
    before = world.publish()

    class Restless(DirectClient):
        def __getattr__(self, operation: str):  # type: ignore[no-untyped-def]  # noqa: ANN204  # as its base has it
            world.put("rules/a", "drop: {}")
            return super().__getattr__(operation)

    with pytest.raises(ChangedError):
        world.publisher(parameters=Restless(world.parameters)).publish(Scope.EVERYTHING)
    assert world.pauses == 7
    assert world.pointer() == before
    (line,) = world.lines("publishing_failed")
    assert "parameters changed while they were read" in line["error"]
    world.publish()
    assert names(world) == ["a"]


def test_a_push_that_died_ends_by_itself(world: PublishedWorld) -> None:
    """After half an hour the rules that are there are in force, and its end is a problem."""
    world.publish()
    world.put("pushing", "half of a document")
    world.put("rules/a", "drop: {}")
    world.publish()
    assert names(world) == []
    world.now += timedelta(minutes=30)
    assert set(world.publish().problems) == {"pushing"}
    assert names(world) == ["a"]
