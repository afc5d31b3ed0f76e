"""Publishers that run at once: the pointer never goes back to older parameters."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bouncer.operator_settings import Settings
from bouncer.publishing.occasion import Scope
from bouncer.publishing.publication import PublishingError
from bouncer.publishing.revision_store import ConflictError
from bouncer.rules.rule import Mode
from bouncer.sources.pointer import POINTER_KEY
from bouncer_sim.world.direct_client import DirectClient
from bouncer_sim.world.ssm_service import SsmService
from tests.functions.publisher.published_world import PublishedWorld

# A name: its parameter gets another text, of two, so that an older one comes back. Or a run of a
# publisher, with what happens just before its first call of a service, its second, and so on.
Run = tuple[Scope, Sequence[Sequence[Any]]]
Happening = str | Run

TEXTS = ("drop: {}", "accept: {}")

happenings: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(["rules/a", "rules/b", "settings"]),
    lambda inner: st.tuples(
        st.sampled_from(Scope), st.lists(st.lists(inner, max_size=2), max_size=8)
    ),
    max_leaves=12,
)


class Meddled(DirectClient):
    """A publisher's client of SSM; others act just before each of its calls, as told."""

    def __init__(self, race: "Race", others: Sequence[Sequence[Happening]]) -> None:
        super().__init__(race.parameters)
        self._race = race
        self._others = list(others)
        self.read_at = 0

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        act = super().__getattr__(operation)

        def call(**arguments: Any) -> dict[str, Any]:
            self.meddle()
            self.read_at = self._race.version
            return act(**arguments)

        return call

    def meddle(self) -> None:
        """Let others act before the next call, of whatever service."""
        self._race.let(self._others.pop(0) if self._others else ())


class Noting(DirectClient):
    """A publisher's client of S3, which notes the parameters that each of its pointers is from."""

    def __init__(self, race: "Race", parameters: Meddled) -> None:
        super().__init__(race.bucket)
        self._race = race
        self._parameters = parameters

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        act = super().__getattr__(operation)

        def call(**arguments: Any) -> dict[str, Any]:
            self._parameters.meddle()
            answer = act(**arguments)
            if operation == "put_object" and arguments["Key"] == POINTER_KEY:
                self._race.moves.append(self._parameters.read_at)
            return answer

        return call


class Race(PublishedWorld):
    """Publishers within each other's calls.

    `version` counts the writes of parameters, `moves` has the version behind each pointer written.
    """

    def __init__(self) -> None:
        super().__init__()
        self.parameters = SsmService(self._seconds, page=1)
        self.version = 0
        self.moves: list[int] = []

    def let(self, others: Sequence[Happening]) -> None:
        """Let each of them happen."""
        for each in others:
            if isinstance(each, str):
                self._write(each)
            else:
                self._run(*each)

    def _write(self, name: str) -> None:
        self.version += 1
        number = self.version % 2
        self.put(name, f"cache: {number}" if name == "settings" else TEXTS[number])

    def _run(self, scope: Scope, others: Sequence[Sequence[Happening]]) -> None:
        parameters = Meddled(self, others)
        publisher = self.publisher(parameters=parameters, bucket=Noting(self, parameters))
        publisher.publish(scope)


@settings(max_examples=200, deadline=None)
@given(st.lists(happenings, max_size=4))
def test_the_pointer_never_moves_back(others: list[Happening]) -> None:
    """Each pointer is from parameters as new as the one before, and the last from the newest."""
    race = Race()
    race.let(others)
    assert race.moves == sorted(race.moves)
    race.let([(Scope.EVERYTHING, ())])
    calm = PublishedWorld()
    calm.parameters = race.parameters
    assert race.pointer()._replace(serial=0) == calm.publish()._replace(serial=0)


def test_bytes_that_come_back_are_another_pointer() -> None:
    """While one reads, others publish one text, another, and the first again.

    The ETag that it knows would be there again if the same pointer had the same bytes, and what it
    read between would win.
    """
    race = Race()
    publish = (Scope.EVERYTHING, ())
    race.let(["rules/a", publish])
    there_and_back = [publish, "rules/a", publish]
    race.let([(Scope.EVERYTHING, [[], ["rules/a"], [], [], there_and_back])])
    assert race.moves == [1, 2, 3]
    assert [rule.action for rule in race.revision().rules] == ["accept"]


def test_a_publisher_that_always_meets_others_gives_up() -> None:
    """Its error is journalled, and what the others published stays in force."""
    race = Race()
    serials = iter(range(100, 200))

    class Overtaken(DirectClient):
        def put_object(self, **arguments: Any) -> dict[str, Any]:
            if arguments["Key"] == POINTER_KEY:
                race.bucket.objects[POINTER_KEY] = str(next(serials)).encode()
            return self.__getattr__("put_object")(**arguments)

    with pytest.raises(ConflictError):
        race.publisher(bucket=Overtaken(race.bucket)).publish(Scope.EVERYTHING)
    assert race.pauses == 7
    (line,) = race.lines("publishing_failed")
    assert "s3://rules/current-v1: was moved meanwhile" in line["error"]


def test_an_environment_from_before_an_update_gives_up() -> None:
    """It met the first revision of the updated stack, and would put its old settings in force."""
    world = PublishedWorld()
    world.publish()
    world.put("settings", "cache: 45")
    deployed = Settings(mode=Mode.SHADOW)

    class Updated(DirectClient):
        def put_object(self, **arguments: Any) -> dict[str, Any]:
            if arguments["Key"] == POINTER_KEY:
                world.publisher(defaults=deployed).publish(Scope.EVERYTHING)
            return self.__getattr__("put_object")(**arguments)

    old = world.publisher(bucket=Updated(world.bucket))
    for scope in (Scope.SETTINGS, Scope.EVERYTHING):  # and whenever it runs again
        with pytest.raises(PublishingError, match="the stack was updated"):
            old.publish(scope)
    assert world.pointer().settings == Settings(mode=Mode.SHADOW, cache_s=45)
    assert len(world.lines("publishing_failed")) == 2


@pytest.mark.parametrize("scope", Scope)
def test_an_environment_after_an_update_puts_its_settings_in_force(scope: Scope) -> None:
    """In runs of both kinds, and after a rollback of the stack, whose environments are new."""
    world = PublishedWorld()
    for mode in (Mode.ENFORCE, Mode.SHADOW, Mode.ENFORCE):
        publisher = world.publisher(defaults=Settings(mode=mode))
        for _ in range(2):
            publisher.publish(scope)
            assert world.pointer().settings.mode is mode
