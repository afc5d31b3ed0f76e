"""Publishers and a push whose calls take turns: no half of the push is ever in force."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations
from typing import Any

from greenlet import getcurrent, greenlet
from hypothesis import given, settings
from hypothesis import strategies as st

from bouncer.publishing.occasion import Scope
from bouncer.sources.pointer import read_pointer
from bouncer.sources.revision import read_revision, revision_key
from bouncer_sim.world.direct_client import DirectClient
from bouncer_sim.world.ssm_service import SsmService
from tests.functions.publisher.published_world import PublishedWorld

DROP, ACCEPT = "drop: {}", "accept: {}"
PUSHING = '{"id": "1", "expires": "2026-11-27T08:30:00+00:00"}'
OLD = {"b": DROP, "h": DROP, "i": DROP}

# Pushes, in their order: rules that are changed, and new ones that move others to other pages.
PUSHES: tuple[dict[str, str], ...] = (
    {"i": ACCEPT, "b": ACCEPT, "h": DROP},
    {"a": ACCEPT, "i": ACCEPT},
    {"b": ACCEPT, "j": ACCEPT},
    {},
)


class TakingTurns(DirectClient):
    """A client whose actor waits for its turn before each call."""

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        act = super().__getattr__(operation)

        def call(**arguments: Any) -> dict[str, Any]:
            wait()
            return act(**arguments)

        return call


def wait() -> None:
    """Let others take turns; code outside of an actor goes on at once."""
    hub = getcurrent().parent
    if hub is not None:
        hub.switch()


def _backwards(name: str) -> str:
    return name[::-1]


class Interleaved(PublishedWorld):
    """Actors that take turns, each of one call, as a schedule says.

    Pages of SSM have one parameter each, in no order that helps: `pushing` is between rules.
    """

    def __init__(self) -> None:
        super().__init__()
        self.parameters = SsmService(self._seconds, page=1, order=_backwards)
        for name, text in OLD.items():
            self.put(f"rules/{name}", text)
        self.publish()

    def run(self, actors: Sequence[Callable[[], object]], schedule: Iterable[int]) -> None:
        """Give turns to the actors that the schedule names, then to all until they are done."""
        tasks = [greenlet(actor) for actor in actors]
        for number in schedule:
            tasks[number].switch()  # does nothing for one that is done
        while left := [task for task in tasks if not task.dead]:
            for task in left:
                task.switch()

    def publishing(self, scope: Scope = Scope.EVERYTHING) -> Callable[[], object]:
        """An actor that publishes once."""
        ssm, s3 = TakingTurns(self.parameters), TakingTurns(self.bucket)
        return lambda: self.publisher(parameters=ssm, bucket=s3).publish(scope)

    def pushing(self, new: Mapping[str, str]) -> Callable[[], object]:
        """An actor that pushes rules as `bouncer rules push` does, and publishes them."""

        def push() -> None:
            for change in self._changes(new):
                change()
                wait()
            self.publishing()()

        return push

    def _changes(self, new: Mapping[str, str]) -> Iterator[Callable[[], None]]:
        yield partial(self.put, "pushing", PUSHING)
        for name, text in new.items():
            if OLD.get(name) != text:
                yield partial(self.put, f"rules/{name}", text)
        for name in OLD.keys() - new.keys():
            yield partial(self.delete, f"rules/{name}")
        yield partial(self.delete, "pushing")

    def in_force(self) -> list[dict[str, str]]:
        """The rules that were ever in force, by name, in the order of their pointers."""
        ids = [read_pointer(write.text).revision for write in self.bucket.pointers]
        revisions = [read_revision(i, self.bucket.objects[revision_key(i)]) for i in ids]
        return [
            {rule.name: f"{rule.action}: {{}}" for rule in revision.rules} for revision in revisions
        ]


def expect_old_or_new(world: Interleaved, new: dict[str, str]) -> None:
    """Expect the old rules in force, or the new ones, and at last the new ones."""
    found = world.in_force()
    changes = found.index(new)
    assert found == [OLD] * changes + [new] * (len(found) - changes)


def test_no_turn_puts_half_of_a_push_in_force() -> None:
    """Every interleaving of one publisher's calls with the four steps of a push."""
    new, calls = PUSHES[0], 12
    for steps in combinations(range(calls + 4), 4):
        world = Interleaved()
        schedule = [int(turn in steps) for turn in range(calls + 4)]
        world.run([world.publishing(), world.pushing(new)], schedule)
        expect_old_or_new(world, new)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(PUSHES),
    st.lists(st.sampled_from(Scope), min_size=2, max_size=2),
    st.lists(st.integers(0, 2), max_size=40),
)
def test_two_publishers_never_put_half_of_a_push_in_force(
    new: dict[str, str], scopes: list[Scope], schedule: list[int]
) -> None:
    """In drawn turns: rules that were changed, added and deleted, on several pages."""
    world = Interleaved()
    publishers = [world.publishing(scope) for scope in scopes]
    world.run([*publishers, world.pushing(new)], schedule)
    expect_old_or_new(world, new)
